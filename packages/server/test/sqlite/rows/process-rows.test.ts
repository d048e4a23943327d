import { describe, expect, it } from 'vitest';
import { claim } from '../../../src/log/claims.js';
import { ClaimKind, type Draft } from '../../../src/log/entry.js';
import { applyEntry } from '../../../src/log/state/apply-entry.js';
import { ChatState } from '../../../src/log/state/chat-state.js';
import { StoreWriter } from '../../../src/sqlite/store-writer.js';
import { draft } from '../../support/event-log-contract.js';
import { blockOf } from '../../support/sqlite/blocks.js';
import { dataFolder } from '../../support/sqlite/folder.js';

const AT = 1000;
const ADDRESS = { address: '192.0.2.1', dialect: 'binary' as const };

const open = (directory: string, isShared = true) =>
  new StoreWriter({ directory, durability: 'process', reserveBytes: 0, isShared });
const came = claim(ClaimKind.ProcessCame, { at: AT }, undefined);
const gone = (process: number) => claim(ClaimKind.ProcessGone, { at: AT }, { process });
const opened = (name: string) =>
  claim(
    ClaimKind.SessionOpened,
    { name: Buffer.from(name), at: AT },
    { id: name, secretHash: 'hash', isResumable: true, place: ADDRESS },
  );
const taken = (sender: number, attempt: number) =>
  claim(ClaimKind.SessionTaken, { sender, at: AT }, { ...ADDRESS, attempt });
const said = (sender: number, publishId: number) => draft('lobby', 'x', { sender, publishId });

/** Blocks of processes as they come: whose, and what is in them. */
const BLOCKS: readonly (readonly [process: number, ...drafts: Draft[]])[] = [
  [7, came],
  [8, came],
  [7, opened('ada'), opened('bob')],
  [8, opened('carl'), taken(1, 2)],
  // Of one that it does not hold any more, and of a hello that was held up.
  [7, said(1, 1), taken(1, 1), said(2, 1)],
  [8, gone(7), said(1, 1)],
  [9, came],
  [9, taken(2, 3)],
];

function store(writer: StoreWriter): ChatState {
  const state = new ChatState();
  const numbers = new Map<number, number>();
  for (const [i, [process, ...drafts]] of BLOCKS.entries()) {
    const block = blockOf((i + 1) * 1024, ...drafts);
    const number = (numbers.get(process) ?? 0) + 1;
    numbers.set(process, number);
    writer.write([{ ...block, sent: { process, number } }]);
    for (const [n, entry] of drafts.entries()) applyEntry(state, { ...entry, seq: block.first + n }, process);
  }
  return state;
}

describe('the processes in the file', () => {
  it('are those that share the log, with the sessions that they hold, also when it is opened again', () => {
    const directory = dataFolder();
    const writer = open(directory);
    const state = store(writer);
    expect(state.sessions.get(1)).toMatchObject({ holder: 8, lastPublish: 1, place: { attempt: 2 } });
    expect(writer.opened.state).toEqual(state.snapshot());
    writer.close();
    const again = open(directory);
    expect(again.opened.state).toEqual(state.snapshot());
    expect(again.opened.state.processes).toEqual([8, 9]);
    again.close();
  });

  it('have the number of their last block, those that are gone as well until the file is opened again', () => {
    const directory = dataFolder();
    const writer = open(directory);
    store(writer);
    const sent = [
      { process: 7, number: 3, first: 5 * 1024 },
      { process: 8, number: 3, first: 6 * 1024 },
      { process: 9, number: 2, first: 8 * 1024 },
    ];
    expect(writer.sent).toEqual(sent);
    writer.close();
    const again = open(directory);
    expect(again.sent).toEqual(sent.slice(1));
    again.close();
  });

  it('do not count those of a group that was not stored', () => {
    const directory = dataFolder();
    const writer = open(directory);
    const block = { ...blockOf(1024, came), sent: { process: 7, number: 1 } };
    expect(() => writer.write([block, block])).toThrow();
    expect([writer.sent, writer.opened.state.processes]).toEqual([[], undefined]);
    writer.close();
  });

  it('are none where one process has the log for itself, which holds every session then', () => {
    const directory = dataFolder();
    const writer = open(directory);
    store(writer);
    writer.close();
    const alone = open(directory, false);
    expect(alone.opened.state.processes).toBeUndefined();
    expect(alone.opened.state.sessions.map(({ name, holder }) => [name, holder])).toEqual([
      ['ada', undefined],
      ['bob', undefined],
      ['carl', undefined],
    ]);
    alone.write([blockOf(9 * 1024, said(1, 2))]);
    expect(alone.opened.state.sessions[0]).toMatchObject({ name: 'ada', lastPublish: 2 });
    alone.close();
    const shared = open(directory);
    expect(shared.opened.state.sessions.every(({ unheldSince = 0 }) => unheldSince > AT)).toBe(true);
    shared.close();
  });
});
