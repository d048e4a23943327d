/** What a member missed and the heap no longer holds comes from the store, in its stream, as if nothing had been. */
import { FrameType } from '@chat/protocol/frames';
import { afterEach, expect, it } from 'vitest';
import type { EventStore, StoredPage } from '../src/log/event-log.js';
import { createMemoryLog } from '../src/log/memory-log.js';
import { type ChatServerOptions, UNLIMITED } from '../src/options/options.js';
import { openSqliteLog, type SqliteLogOptions } from '../src/sqlite/index.js';
import { MemoryChat, type MemoryClient } from './support/memory-chat.js';
import { dataFolder } from './support/sqlite/folder.js';
import { turn, until } from './support/turn.js';
import { followChain, type WireClient } from './support/wire-client.js';

/** So little that a few messages fill it. */
const SMALL_HEAP: ChatServerOptions = {
  ...UNLIMITED,
  retentionEntries: 64,
  retentionBytes: 65_536,
  maxFrameBytes: 8192,
  maxLineBytes: 2048,
};

const open: MemoryChat[] = [];

afterEach(async () => {
  for (const { chat } of open.splice(0)) await chat.close();
});

async function chatIn(
  directory: string,
  log: Partial<SqliteLogOptions> = {},
  options: ChatServerOptions = {},
): Promise<MemoryChat> {
  const file = await openSqliteLog({ directory, reserveBytes: 0, search: false, ...log });
  const memory = await MemoryChat.open({ ...SMALL_HEAP, log: file, ...options });
  open.push(memory);
  return memory;
}

async function closed(memory: MemoryChat): Promise<void> {
  open.splice(open.indexOf(memory), 1);
  await memory.chat.close();
}

/** Says so many things, one after the other. */
async function sayAll(client: WireClient, handle: number, texts: readonly string[]): Promise<void> {
  const first = client.publishId + 1;
  for (const text of texts) client.publish(handle, text);
  const last = first + texts.length - 1;
  await client.take(FrameType.Ack, ({ publishId }) => publishId === last);
}

const numbered = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, i) => `text ${from + i}`);

/** Once `count` messages have come: they are whole, with nothing left out or told to be missing. */
async function expectSeamless(client: WireClient, handle: number, start: number, texts: readonly string[]) {
  await until(() => client.texts(handle).length >= texts.length);
  expect(client.texts(handle)).toEqual(texts);
  expect(client.frames.filter(({ type }) => type === FrameType.Gap)).toEqual([]);
  const own = client.frames.filter((frame) => 'room' in frame && frame.room === handle);
  followChain(own, handle, start);
}

it('a join after a position that the heap has long forgotten goes on there, and then live', async () => {
  const memory = await chatIn(dataFolder());
  const bob = await memory.enter('bob');
  const { handle } = await bob.join('lobby');
  const seq = await bob.say(handle, 'seen');
  // More than one page of the store.
  await sayAll(bob, handle, numbered(0, 1500));
  const ada = await memory.enter('ada');
  const joined = await ada.join('lobby', { after: seq });
  expect(joined).toMatchObject({ start: seq });
  expect(joined.gap).toBeUndefined();
  await sayAll(bob, handle, numbered(1500, 1600));
  await expectSeamless(ada, handle, seq, numbered(0, 1600));
  await bob.say(handle, 'live');
  await until(() => ada.texts(handle).at(-1) === 'live');
});

it('a session that comes back goes on where it stopped', async () => {
  const memory = await chatIn(dataFolder());
  const [ada, bob] = [await memory.enter('ada'), await memory.enter('bob')];
  const { handle } = await ada.join('lobby');
  await bob.join('lobby');
  const seq = await bob.say(handle, 'seen');
  ada.link.destroy();
  await sayAll(bob, handle, numbered(0, 300));
  const again = await back(memory, ada, [{ room: 'lobby', after: seq }]);
  expect(again.welcome!.resumed).toBe(true);
  expect(again.welcome!.rooms[0]).toMatchObject({ start: seq });
  await expectSeamless(again, handle, seq, numbered(0, 300));
});

/** The client comes back over another connection. */
async function back(memory: MemoryChat, client: MemoryClient, rooms: { room: string; after: number }[]) {
  const { session, secret, epoch, member } = client.welcome!;
  return memory.enter({ name: member.name, resume: { session, secret, epoch, rooms, inbox: 0 } });
}

it('so it does when the server was started again and remembers only the newest, of all rooms together', async () => {
  const directory = dataFolder();
  const before = await chatIn(directory);
  const [ada, bob] = [await before.enter('ada'), await before.enter('bob')];
  const { handle } = await ada.join('quiet');
  const busy = await bob.join('busy');
  await bob.join('quiet');
  const seq = await bob.say(handle, 'seen');
  await sayAll(bob, handle, ['one', 'two']);
  ada.link.destroy();
  await sayAll(bob, busy.handle, numbered(0, 500));
  await closed(before);

  const after = await chatIn(directory, { tailBytes: 4096 });
  const again = await back(after, ada, [{ room: 'quiet', after: seq }]);
  expect(again.welcome!.resumed).toBe(true);
  const carl = await after.enter('carl');
  const joined = await carl.join('quiet', { history: 3 });
  await carl.say(handle, 'three');
  await expectSeamless(again, handle, seq, ['one', 'two', 'three']);
  await expectSeamless(
    carl,
    handle,
    joined.start,
    ['seen', 'one', 'two', 'three'].slice(-carl.texts(handle).length),
  );
  expect(carl.texts(handle)).toContain('two');
});

it('a join with more history than the heap holds begins in the store', async () => {
  const memory = await chatIn(dataFolder());
  const bob = await memory.enter('bob');
  const { handle } = await bob.join('lobby');
  await sayAll(bob, handle, numbered(0, 400));
  const ada = await memory.enter('ada');
  const joined = await ada.join('lobby', { history: 300 });
  expect(joined.gap).toBeUndefined();
  await expectSeamless(ada, handle, joined.start, numbered(100, 400));
});

it('what the store has let go is told', async () => {
  const memory = await chatIn(dataFolder(), { retention: { maxEntries: 200 } });
  const bob = await memory.enter('bob');
  const { handle } = await bob.join('lobby');
  const seq = await bob.say(handle, 'seen');
  for (let i = 0; i < 10; i++) await sayAll(bob, handle, numbered(i * 100, i * 100 + 100));
  const store = memory.chat.log.store!;
  const oldest = { after: 0, limit: 1, maxBytes: 1 };
  while ((await store.read('lobby', oldest)).previous <= seq);
  const ada = await memory.enter('ada');
  await ada.join('lobby', { after: seq });
  await until(() => ada.texts(handle).at(-1) === 'text 999');
  expect(ada.frames.filter(({ type }) => type === FrameType.Gap)).toMatchObject([
    { room: handle, from: seq },
  ]);
  followChain(ada.frames, handle, seq);
});

/** A chat whose store answers as the test says; `said` of its messages are older than the heap. */
async function scripted() {
  const reads: { answer(page: StoredPage): void; fail(error: Error): void }[] = [];
  const store: EventStore = {
    read: (_room, { after }) =>
      after === undefined
        ? Promise.resolve({ entries: [], previous: 0, end: true, damaged: [] })
        : new Promise((answer, fail) => {
            reads.push({ answer, fail });
          }),
    search: async () => undefined,
  };
  const memory = await MemoryChat.open({ ...SMALL_HEAP, log: Object.assign(createMemoryLog(), { store }) });
  open.push(memory);
  const bob = await memory.enter('bob');
  const { handle } = await bob.join('lobby');
  const seq = await bob.say(handle, 'seen');
  await sayAll(bob, handle, numbered(0, 200));
  const ada = await memory.enter('ada');
  await ada.join('lobby', { after: seq });
  await turn(3);
  return { memory, reads, bob, ada, handle, seq };
}

it('where the store does not answer, it is told what is missing, and the rest comes', async () => {
  const { memory, reads, bob, ada, handle, seq } = await scripted();
  await bob.say(handle, 'meanwhile');
  expect(ada.texts(handle)).toEqual([]);
  reads[0]!.fail(new Error('broken'));
  await until(() => ada.texts(handle).at(-1) === 'meanwhile');
  expect(ada.frames.filter(({ type }) => type === FrameType.Gap)).toMatchObject([
    { room: handle, from: seq },
  ]);
  followChain(ada.frames, handle, seq);
  expect(memory.log.at('error')).toHaveLength(1);
});

it('one that leaves, or joins again, meanwhile is told what it was not sent', async () => {
  const { reads, bob, ada, handle, seq } = await scripted();
  await ada.ask({ op: 'leave', room: 'lobby' });
  expect(ada.frames.filter(({ type }) => type === FrameType.Gap)).toMatchObject([
    { room: handle, from: seq },
  ]);
  const joined = await ada.join('lobby');
  reads[0]!.fail(new Error('too late'));
  await bob.say(handle, 'live');
  await until(() => ada.texts(handle).includes('live'));
  expect(ada.texts(handle)).toEqual(['live']);
  expect(joined.start).toBeGreaterThan(seq);
});
