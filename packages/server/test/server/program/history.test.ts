/** The past of a room for the program around the server, from the heap and from the store. */
import { describe, expect, it } from 'vitest';
import { createChatServer } from '../../../src/server/chat-server.js';
import type { RoomEntry } from '../../../src/server/program/entry.js';
import type { RoomHistoryOptions } from '../../../src/server/program/history.js';
import { openSqliteLog } from '../../../src/sqlite/index.js';
import { MemoryChat } from '../../support/memory-chat.js';
import { dataFolder } from '../../support/sqlite/folder.js';

const values = (entries: readonly RoomEntry<unknown>[]): unknown[] =>
  entries.map((entry) =>
    entry.type === 'message' ? entry.value : entry.type === 'gap' ? [entry.from, entry.to] : entry.type,
  );

describe('history', () => {
  it('is read in both directions, page by page', async () => {
    await using server = createChatServer();
    const seqs: number[] = [];
    for (let i = 0; i < 5; i++) seqs.push((await server.publish('lobby', `m${i}`, { as: 'bot' })).seq);
    const newest = await server.history('lobby', { limit: 2 });
    expect([values(newest.entries), newest.end]).toEqual([['m3', 'm4'], false]);
    const older = await server.history('lobby', { before: seqs[3]!, limit: 3 });
    expect([values(older.entries), older.end]).toEqual([['m0', 'm1', 'm2'], true]);
    const newer = await server.history('lobby', { after: seqs[2]! });
    expect([values(newer.entries), newer.end]).toEqual([['m3', 'm4'], true]);
  });

  it('shows who came and went, and a gap where something is not held', async () => {
    const memory = await MemoryChat.open({ retentionEntries: 8 });
    const ada = await memory.enter('ada');
    await ada.join('lobby');
    const { program } = memory.chat;
    expect((await program.history('lobby', {})).entries).toMatchObject([
      { type: 'notice', kind: 'joined', member: { id: 1, name: 'ada' }, oldName: undefined },
    ]);
    await ada.ask({ op: 'rename', name: 'eva' });
    expect((await program.history('lobby', {})).entries.at(-1)).toMatchObject({
      kind: 'renamed',
      member: { name: 'eva' },
      oldName: 'ada',
    });
    for (let i = 0; i < 20; i++) await program.publish('lobby', `m${i}`, { as: 'bot' });
    const { entries } = await program.history('lobby', { after: 3 });
    const [gap, first] = entries;
    expect(gap).toMatchObject({ type: 'gap', room: 'lobby', from: 3 });
    expect(first).toMatchObject({ type: 'message', prev: (gap as { to: number }).to });
    expect(values(entries).at(-1)).toBe('m19');
  });

  it.each([
    ['ERR_SERVER_NO_SUCH_ROOM', 'nowhere', {}],
    ['ERR_SERVER_ROOM_INVALID', 'a b', {}],
    ['ERR_SERVER_BAD_OPTION', 'lobby', { before: -1 }],
    ['ERR_SERVER_BAD_OPTION', 'lobby', { after: Number.NaN }],
    ['ERR_SERVER_BAD_OPTION', 'lobby', { after: 1, before: 2 }],
    ['ERR_SERVER_BAD_OPTION', 'lobby', { limit: 0 }],
    ['ERR_SERVER_BAD_OPTION', 'lobby', { limits: 5 }],
  ])('rejects with %s for %s %j', async (code, room, options) => {
    await using server = createChatServer();
    await expect(server.history(room, options as RoomHistoryOptions)).rejects.toMatchObject({ code });
  });

  it('reaches beyond the heap and beyond the end of a process where there is a store', async () => {
    const directory = dataFolder();
    const texts = Array.from({ length: 100 }, (_, i) => `m${i}`);
    const open = () => openSqliteLog({ directory, reserveBytes: 0 });
    const first = createChatServer({ log: await open(), retentionEntries: 8 });
    await first.publish('news', 'm0', { as: 'bot' });
    await Promise.all(texts.slice(1).map((text) => first.publish('news', text, { as: 'bot' })));
    expect(values((await first.history('news', { after: 0, limit: 2 })).entries)).toEqual(['m0', 'm1']);
    await first.close();
    await using second = createChatServer({ log: await open() });
    const { entries, end } = await second.history('news', { limit: 1000 });
    expect([entries.length, values(entries)[0], end]).toEqual([100, 'm0', true]);
    await expect(second.history('nowhere')).rejects.toMatchObject({ code: 'ERR_SERVER_NO_SUCH_ROOM' });
  });
});
