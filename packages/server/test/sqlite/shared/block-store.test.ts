import { FrameType } from '@chat/protocol/frames';
import { describe, expect, it } from 'vitest';
import { BLOCK_ENTRIES, BlockWriter, readBlock } from '../../../src/log/block.js';
import { claim } from '../../../src/log/claims.js';
import { ClaimKind, type Draft, SIGNAL } from '../../../src/log/entry.js';
import { BLOCK_HEADER_BYTES, decodeHeader, encodeBlock } from '../../../src/log/shared/block-header.js';
import { createBlockLog } from '../../../src/log/shared/block-log.js';
import { type BlockStore, openBlockStore } from '../../../src/sqlite/shared/block-store.js';
import { checkStore } from '../../../src/sqlite/tools/check.js';
import { draft } from '../../support/event-log-contract.js';
import { SharedStream } from '../../support/shared-stream.js';
import { dataFolder } from '../../support/sqlite/folder.js';

const open = (directory: string): BlockStore => openBlockStore({ directory, search: false, reserveBytes: 0 });
const came = claim(ClaimKind.ProcessCame, { at: 1 }, undefined);
const signal: Draft = { ...draft('lobby', 'typing', { publishId: 0 }), type: SIGNAL };

/** A block as a process sends it. */
function sent(origin: number, number: number, ...drafts: readonly Draft[]): Uint8Array {
  const writer = new BlockWriter();
  for (const [i, one] of drafts.entries()) writer.add(one, i);
  return encodeBlock({ origin, number, entries: drafts.length }, writer.take()!.bytes);
}

/** Whose blocks were handed on, at which positions. */
function handedOn(outcome: ReturnType<BlockStore['write']>): unknown {
  if (outcome.error) throw outcome.error;
  return outcome.blocks.map(({ position, bytes }) => {
    const { origin, number } = decodeHeader(bytes);
    return [position, origin, number];
  });
}

function textsOf(bytes: Uint8Array): string[] {
  return readBlock(bytes.subarray(BLOCK_HEADER_BYTES), 0).map(({ body }) => Buffer.from(body).toString());
}

describe('BlockStore', () => {
  it('hands on what it has stored, and each block once, however often it comes', async () => {
    const directory = dataFolder();
    const store = open(directory);
    const one = sent(7, 1, came);
    expect(handedOn(store.write([one, sent(8, 1, came), one]))).toEqual([
      [1, 7, 1],
      [2, 8, 1],
    ]);
    expect(handedOn(store.write([one, sent(8, 2, draft('lobby', 'x')), sent(7, 2, signal)]))).toEqual([
      [3, 8, 2],
      [4, 7, 2],
    ]);
    await store.close();
    const report = checkStore({ directory });
    expect([report.problems, report.entries, report.position]).toEqual([[], 3, 3 * BLOCK_ENTRIES]);
  });

  it('leaves the bytes that it hands on as they are, with what is volatile', async () => {
    const store = open(dataFolder());
    const bytes = sent(7, 1, came, draft('lobby', 'one'), signal, draft('\u00009', 'to nobody'));
    const before = Buffer.from(bytes);
    store.write([bytes]);
    expect(before.equals(bytes)).toBe(true);
    await store.close();
  });

  it('goes on where another one was killed: with what that had stored and not handed on', async () => {
    const directory = dataFolder();
    const killed = open(directory);
    killed.write([sent(7, 1, came), sent(8, 1, came)]);
    killed.write([sent(7, 2, draft('lobby', 'handed on')), sent(7, 3, signal)]);
    killed.write([sent(8, 2, signal, draft('lobby', 'stored', { sender: 0, publishId: 0 }))]);
    await killed.close();
    const store = open(directory);
    const behind = store.goOnAfter(4);
    expect(behind.map(({ position, bytes }) => [position, decodeHeader(bytes), textsOf(bytes)])).toEqual([
      [5, { origin: 8, number: 2, entries: 2 }, ['stored']],
    ]);
    expect(store.goOnAfter(5)).toEqual([]);
    // What was sent again counts no second time, and positions go on.
    expect(
      handedOn(store.write([sent(8, 2, draft('lobby', 'stored')), sent(8, 3, draft('lobby', 'y'))])),
    ).toEqual([[6, 8, 3]]);
    await store.close();
  });

  it('gives no position out again that was handed on and not stored', async () => {
    const directory = dataFolder();
    const killed = open(directory);
    killed.write([sent(7, 1, came)]);
    killed.write([sent(7, 2, signal)]);
    await killed.close();
    const store = open(directory);
    expect(store.goOnAfter(2)).toEqual([]);
    expect(handedOn(store.write([sent(7, 3, draft('lobby', 'x'))]))).toEqual([[3, 7, 3]]);
    await store.close();
  });

  it('begins with nobody: those of the last life are gone, and what they said is there', async () => {
    const directory = dataFolder();
    const first = open(directory);
    expect(first.declareAllGone(1)).toEqual({ error: undefined, blocks: [] });
    const name = Buffer.from('ada');
    const session = { id: 's', secretHash: 'h', isResumable: true };
    const opened = claim(ClaimKind.SessionOpened, { name, at: 1 }, session);
    const room = claim(ClaimKind.RoomOpened, { room: 'lobby', name: Buffer.from('Lobby'), at: 1 }, undefined);
    first.write([sent(7, 1, came, opened, room, draft('lobby', 'hello', { sender: 1 }))]);
    await first.close();
    const second = open(directory);
    expect(handedOn(second.declareAllGone(1000))).toEqual([[2, 0, 1]]);
    const snapshot = second.snapshot();
    expect(snapshot.state).toMatchObject({ sessions: [{ name: 'ada', unheldSince: 1000 }] });
    expect(snapshot.state.processes ?? []).toEqual([]);
    expect(snapshot.position).toBe(2);
    const log = createBlockLog(new SharedStream().transport({ snapshot: () => snapshot }));
    const recovered = await log.open(() => {});
    expect(recovered?.tail.map(({ seq, type, body }) => [seq, type, Buffer.from(body).toString()])).toEqual([
      [BLOCK_ENTRIES + 3, FrameType.Message, 'hello'],
    ]);
    await second.close();
  });
});
