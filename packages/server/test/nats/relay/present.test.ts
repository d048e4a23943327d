import { expect, it } from 'vitest';
import { BlockWriter } from '../../../src/log/block.js';
import { claim } from '../../../src/log/claims.js';
import { ClaimKind } from '../../../src/log/entry.js';
import { encodeBlock } from '../../../src/log/shared/block-header.js';
import { Present } from '../../../src/nats/relay/present.js';
import { draft } from '../../support/event-log-contract.js';

function blockOf(origin: number, ...drafts: Parameters<BlockWriter['add']>[0][]): Uint8Array {
  const writer = new BlockWriter();
  for (const [i, each] of drafts.entries()) writer.add(each, i);
  return encodeBlock({ entries: drafts.length, origin, number: 1 }, writer.take()!.bytes);
}

it('knows who has come and who has gone, and passes over what is said', () => {
  const present = new Present([1, 2]);
  present.take(3, blockOf(3, claim(ClaimKind.ProcessCame, { at: 1 }, undefined), draft('lobby', 'hello')));
  present.take(4, blockOf(4, draft('lobby', 'from one that was never here')));
  present.take(3, blockOf(3, draft('lobby', 'x'), claim(ClaimKind.ProcessGone, { at: 1 }, { process: 1 })));
  expect(present.processes).toEqual([2, 3]);
});
