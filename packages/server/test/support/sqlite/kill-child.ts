/**
 * A process that stores as fast as it can until it is killed: `FOLDER DURABILITY`. Says `open EPOCH POSITION`, and
 * `stored POSITION` once everything up to there is.
 */
import { writeSync } from 'node:fs';
import { StoreThread } from '../../../src/sqlite/thread/store-thread.js';
import type { WriterOperations } from '../../../src/sqlite/thread/writer-operations.js';
import { draft } from '../event-log-contract.js';
import { blockOf } from './blocks.js';

const [directory, durability] = process.argv.slice(2);
const thread = new StoreThread<WriterOperations>('writer', { directory, durability });
let { epoch, position } = await thread.call('open', 0);
writeSync(1, `open ${epoch} ${position}\n`);
for (;;) {
  const drafts = Array.from({ length: 50 }, (_, i) => draft(`room ${i % 7}`, `text ${position + 1 + i}`));
  const { error } = await thread.call('write', [blockOf(position + 1, ...drafts)]);
  if (error) throw new Error(error.message);
  position += drafts.length;
  writeSync(1, `stored ${position}\n`);
}
