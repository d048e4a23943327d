import { type Block, BlockWriter } from '../../../src/log/block.js';
import type { Draft } from '../../../src/log/entry.js';

/** The drafts as one block that begins at `first`. */
export function blockOf(first: number, ...drafts: readonly Draft[]): Block {
  const writer = new BlockWriter();
  drafts.forEach((draft, i) => {
    writer.add(draft, first + i);
  });
  return writer.take()!;
}
