/** Readers of rooms in the program around the server. */
import { jsonCodec } from '@chat/protocol';
import { describe, expect, it } from 'vitest';
import { createChatServer } from '../../../src/server/chat-server.js';
import type { RoomEntry } from '../../../src/server/program/entry.js';
import type { Program } from '../../../src/server/program/program.js';
import type { SubscribeOptions } from '../../../src/server/program/subscription.js';
import { openSqliteLog } from '../../../src/sqlite/index.js';
import { MemoryChat } from '../../support/memory-chat.js';
import { dataFolder } from '../../support/sqlite/folder.js';
import { turn, until } from '../../support/turn.js';

const told = (entry: RoomEntry<unknown> | undefined): unknown =>
  entry?.type === 'message' ? entry.value : entry?.type === 'gap' ? [entry.from, entry.to] : entry?.type;

/** The next `count` entries, in short. */
async function take(reader: AsyncIterator<RoomEntry<unknown>>, count: number): Promise<unknown[]> {
  const entries: unknown[] = [];
  while (entries.length < count) entries.push(told((await reader.next()).value));
  return entries;
}

async function say(program: Program, room: string, from: number, to: number): Promise<number> {
  // The first makes the room.
  let { seq } = await program.publish(room, `m${from}`, { as: 'bot' });
  const others = Array.from({ length: to - from }, (_, i) => `m${from + 1 + i}`);
  for (const said of await Promise.all(others.map((text) => program.publish(room, text, { as: 'bot' })))) {
    seq = said.seq;
  }
  return seq;
}

describe('subscribe', () => {
  it('reads what comes from now on, in order, however many read', async () => {
    const { chat } = await MemoryChat.open();
    await say(chat.program, 'lobby', 1, 3);
    const readers = [chat.program.subscribe('lobby', {}), chat.program.subscribe('LOBBY', {})];
    await say(chat.program, 'lobby', 4, 150);
    const expected = Array.from({ length: 147 }, (_, i) => `m${i + 4}`);
    for (const reader of readers) expect(await take(reader, 147)).toEqual(expected);
    const next = readers[0]!.next();
    await turn();
    await say(chat.program, 'lobby', 151, 151);
    expect(told((await next).value)).toBe('m151');
  });

  it('begins behind a position, and with a gap where that is of another life of the log', async () => {
    await using server = createChatServer();
    const { seq } = await server.publish('lobby', 'first', { as: 'bot' });
    await server.publish('lobby', 'second', { as: 'bot' });
    expect(await take(server.subscribe('lobby', { after: seq }), 1)).toEqual(['second']);
    const reader = server.subscribe('lobby', { after: seq, epoch: server.epoch });
    expect(await take(reader, 1)).toEqual(['second']);
    const other = server.subscribe('lobby', { after: 77, epoch: 'another' });
    expect(await take(other, 3)).toEqual([[77, 0], 'first', 'second']);
  });

  it('answers several calls of next in their order', async () => {
    const { chat } = await MemoryChat.open();
    const reader = chat.program.subscribe('lobby', {});
    const answers = [reader.next(), reader.next(), reader.next()];
    await say(chat.program, 'lobby', 1, 3);
    expect((await Promise.all(answers)).map(({ value }) => told(value))).toEqual(['m1', 'm2', 'm3']);
  });

  it('tells a slow reader what the log did not keep, and goes on where that begins', async () => {
    const { chat } = await MemoryChat.open({ retentionEntries: 16 });
    await say(chat.program, 'lobby', 1, 1);
    const reader = chat.program.subscribe('lobby', {});
    await say(chat.program, 'lobby', 2, 5);
    // It has looked up a page, which goes while it is read.
    expect(await take(reader, 1)).toEqual(['m2']);
    const last = await say(chat.program, 'lobby', 6, 200);
    const [gap, first, ...rest] = await take(reader, 2);
    const [from, to] = gap as [number, number];
    expect(from).toBeLessThan(to);
    expect(first).toBe(`m${200 - (last - to) + 1}`);
    expect(rest).toEqual([]);
    let entry: unknown;
    do [entry] = await take(reader, 1);
    while (entry !== 'm200');
  });

  it('tells of all that has expired while nothing new came', async () => {
    const memory = await MemoryChat.open({ retentionMs: 1000, emptyRoomTtlMs: 1_000_000 });
    const { program } = memory.chat;
    await say(program, 'lobby', 1, 1);
    const reader = program.subscribe('lobby', {});
    const last = await say(program, 'lobby', 2, 5);
    await memory.clock.advance(60_000);
    expect(await take(reader, 1)).toEqual([[last - 4, last]]);
    await say(program, 'lobby', 6, 6);
    expect(await take(reader, 1)).toEqual(['m6']);
  });

  it('waits for a room that is not there, and follows one that is forgotten and made again, without a gap', async () => {
    const memory = await MemoryChat.open({ emptyRoomTtlMs: 1000 });
    const { program, rooms } = memory.chat;
    const reader = program.subscribe('news', {});
    const first = reader.next();
    // Positions before the room that are no entries of it.
    await say(program, 'other', 1, 3);
    await memory.clock.advance(5000);
    expect(rooms.find('other')).toBeUndefined();
    await say(program, 'news', 1, 2);
    expect([told((await first).value), ...(await take(reader, 1))]).toEqual(['m1', 'm2']);
    const next = reader.next();
    await memory.clock.advance(5000);
    expect(rooms.find('news')).toBeUndefined();
    await say(program, 'other', 4, 5);
    await memory.clock.advance(5000);
    await say(program, 'news', 3, 3);
    expect(told((await next).value)).toBe('m3');
  });

  it('tells a reader that was behind when the room was forgotten', async () => {
    const memory = await MemoryChat.open({ emptyRoomTtlMs: 1000 });
    const { program } = memory.chat;
    await say(program, 'news', 1, 1);
    const reader = program.subscribe('news', {});
    const last = await say(program, 'news', 2, 4);
    expect(await take(reader, 1)).toEqual(['m2']);
    await memory.clock.advance(5000);
    await say(program, 'news', 5, 5);
    expect(await take(reader, 2)).toEqual([[last - 2, last], 'm5']);
  });

  it('ends by return, by its signal and with the server, while it waits and before, and holds nothing', async () => {
    const memory = await MemoryChat.open();
    const { program } = memory.chat;
    const done = { done: true, value: undefined };
    const returned = program.subscribe('lobby', {});
    const waiting = returned.next();
    await turn();
    expect(await returned.return()).toEqual(done);
    expect(await waiting).toEqual(done);
    const controller = new AbortController();
    const aborted = program.subscribe('lobby', { signal: controller.signal });
    const waitsForSignal = aborted.next();
    await turn();
    controller.abort();
    expect(await waitsForSignal).toEqual(done);
    const stillborn = program.subscribe('lobby', { signal: controller.signal });
    expect(await stillborn.next()).toEqual(done);
    expect(program.readerCount).toBe(0);
    const last = program.subscribe('lobby', {});
    const waitsForClose = last.next();
    expect(program.readerCount).toBe(1);
    await memory.chat.close();
    expect(await waitsForClose).toEqual(done);
    expect(program.readerCount).toBe(0);
    expect(await program.subscribe('lobby', {}).next()).toEqual(done);
  });

  it('ends with break, and keeps nobody else from reading', async () => {
    const { chat } = await MemoryChat.open();
    const seq = await say(chat.program, 'lobby', 1, 3);
    for await (const entry of chat.program.subscribe('lobby', { after: 0 })) {
      if (entry.type === 'message' && entry.seq === seq) break;
    }
    expect(chat.program.readerCount).toBe(0);
  });

  it('reads other codecs, and shows what is not of its own', async () => {
    const { chat } = await MemoryChat.open();
    const reader = chat.program.subscribe('typed', { codec: jsonCodec });
    await chat.program.publish('typed', { x: 1 }, { as: 'bot', codec: jsonCodec });
    await say(chat.program, 'typed', 1, 1);
    expect(await take(reader, 2)).toEqual([{ x: 1 }, 'unreadable']);
  });

  it('has no gap where a store has what the heap lost, of a forgotten room as well', async () => {
    const log = await openSqliteLog({ directory: dataFolder(), reserveBytes: 0 });
    const memory = await MemoryChat.open({ log, retentionEntries: 8, emptyRoomTtlMs: 1000 });
    const { program, rooms } = memory.chat;
    const reader = program.subscribe('news', { after: 0 });
    await say(program, 'news', 1, 100);
    const expected = Array.from({ length: 100 }, (_, i) => `m${i + 1}`);
    expect(await take(reader, 50)).toEqual(expected.slice(0, 50));
    await memory.clock.advance(5000);
    await until(() => rooms.find('news') === undefined);
    expect(await take(reader, 50)).toEqual(expected.slice(50));
    await say(program, 'news', 101, 101);
    expect(await take(reader, 1)).toEqual(['m101']);
    await memory.chat.close();
  });

  it.each([
    ['ERR_SERVER_ROOM_INVALID', 'a b', {}],
    ['ERR_SERVER_BAD_OPTION', 'lobby', { after: -1 }],
    ['ERR_SERVER_BAD_OPTION', 'lobby', { from: 1 }],
  ])('throws %s for %s %j', async (code, room, options) => {
    const server = createChatServer();
    expect(() => server.subscribe(room, options as SubscribeOptions)).toThrow(
      expect.objectContaining({ code }),
    );
    await server.close();
  });
});
