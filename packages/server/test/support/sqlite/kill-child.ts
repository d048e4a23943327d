/**
 * A process that appends as fast as it can until it is killed: `FOLDER DURABILITY`. Says `open EPOCH POSITION`, and
 * `stored POSITION` once everything up to there was delivered.
 */
import { writeSync } from 'node:fs';
import { openSqliteLog } from '../../../src/sqlite/sqlite-log.js';
import { draft } from '../event-log-contract.js';

const [directory, durability] = process.argv.slice(2) as [string, 'process' | 'disk'];
const log = await openSqliteLog({ directory, durability, search: false, reserveBytes: 0 });
let appended = 0;

function append(): void {
  for (let i = 0; i < 50; i++) log.append(draft(`room ${++appended % 7}`, `text ${appended}`));
}

const { state } = log.open((entries) => {
  const { seq } = entries.at(-1)!;
  writeSync(1, `stored ${seq}\n`);
  if (seq === appended) append();
});
appended = state?.position ?? 0;
writeSync(1, `open ${log.epoch} ${appended}\n`);
append();
