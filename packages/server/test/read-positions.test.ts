/** How far a user has read: told to its other sessions, and in the answer to a join; said into the log now and then. */

import { CloseCode, FailureCode } from '@chat/protocol';
import { FrameType, type Joined, type ReadNews } from '@chat/protocol/frames';
import { describe, expect, it } from 'vitest';
import { CLAIM, ClaimKind, type LogEntry } from '../src/log/entry.js';
import type { EventLog } from '../src/log/event-log.js';
import { createMemoryLog } from '../src/log/memory-log.js';
import { openSqliteLog } from '../src/sqlite/index.js';
import { MemoryChat, type MemoryClient } from './support/memory-chat.js';
import { dataFolder } from './support/sqlite/folder.js';
import { turn } from './support/turn.js';

const READ_EVERY_MS = 2000;

/** Whose name has a capital has an account. */
const OPTIONS: Parameters<typeof MemoryChat.open>[0] = {
  readPositionMs: READ_EVERY_MS,
  hooks: {
    authenticate: (_credentials, { name }) => ({ ok: true, ...(/^[A-Z]/.test(name) ? { name } : {}) }),
  },
};

/** Ada with a phone and a laptop, both in the lobby, and bob. */
async function adaTwice(log: EventLog = createMemoryLog()) {
  const claims: LogEntry[] = [];
  const opened = log.open.bind(log);
  log.open = (consumer) =>
    opened((entries, from) => {
      claims.push(...entries.filter(({ type, kind }) => type === CLAIM && kind === ClaimKind.ReadUpTo));
      consumer(entries, from);
    });
  const memory = await MemoryChat.open({ ...OPTIONS, log });
  const bob = await memory.enter('bob');
  const { handle } = await bob.join('lobby');
  const enter = () => memory.enter({ name: 'Ada', features: ['reads', 'unheard of'] });
  const [phone, laptop] = [await enter(), await enter()];
  const joined = [await phone.join('lobby'), await laptop.join('lobby')];
  return { memory, bob, phone, laptop, lobby: handle, joined, enter, claims };
}

/** What a client was told without having asked. */
const news = ({ frames }: MemoryClient): ReadNews[] =>
  frames.flatMap((frame) =>
    frame.type === FrameType.Response && frame.id === 0 ? [frame.response as ReadNews] : [],
  );

const rejoin = (client: MemoryClient, room = 'lobby'): Promise<Joined> => client.ask({ op: 'join', room });

describe('how far a user has read', () => {
  it('is told to its other sessions, and to nobody else, and stands in the answer to a join', async () => {
    const { memory, bob, phone, laptop, lobby, joined, enter } = await adaTwice();
    expect(joined).toMatchObject([{ features: ['reads'] }, { features: ['reads'] }]);
    expect(joined[0]).not.toHaveProperty('read');
    const old = await memory.enter('Ada');
    expect(await old.join('lobby')).not.toHaveProperty('features');
    const seq = await bob.say(lobby, 'hello');
    expect(await phone.ask({ op: 'read', room: 'LOBBY', seq })).toEqual({});
    await turn();
    expect([phone, laptop, old, bob].map(news)).toEqual([[], [{ room: 'lobby', read: seq }], [], []]);
    const tablet = await enter();
    expect(await tablet.join('lobby')).toMatchObject({ read: seq });
    expect(news(tablet)).toEqual([]);
  });

  it('goes forwards only, and no further than the log', async () => {
    const { bob, phone, laptop, lobby, claims, memory } = await adaTwice();
    const [one, two] = [await bob.say(lobby, 'one'), await bob.say(lobby, 'two')];
    for (const seq of [two, one, two]) await phone.ask({ op: 'read', room: 'lobby', seq });
    memory.clock.advance(READ_EVERY_MS);
    expect(claims).toHaveLength(1);
    await laptop.ask({ op: 'read', room: 'lobby', seq: 2 ** 40 });
    await turn();
    expect(await rejoin(phone)).toMatchObject({ read: two });
  });

  it('is one entry of the log for all that is read within a while, in all rooms together', async () => {
    const { memory, bob, phone, laptop, lobby, claims } = await adaTwice();
    const tea = (await bob.join('tea')).handle;
    await phone.join('tea');
    await laptop.join('tea');
    for (let n = 0; n < 5; n++) {
      await phone.ask({ op: 'read', room: 'lobby', seq: await bob.say(lobby, `${n}`) });
      await phone.ask({ op: 'read', room: 'tea', seq: await bob.say(tea, `${n}`) });
    }
    expect(claims).toHaveLength(1);
    memory.clock.advance(READ_EVERY_MS + 250);
    await turn();
    expect(claims).toHaveLength(2);
    const [, inLobby, inTea] = news(laptop);
    expect([inLobby, inTea]).toMatchObject([{ room: 'lobby' }, { room: 'tea' }]);
    expect(await rejoin(laptop, 'tea')).toMatchObject({ read: inTea!.read });
    // Nothing more is said when nothing more was read.
    memory.clock.advance(10 * READ_EVERY_MS);
    expect(claims).toHaveLength(2);
  });

  it('is said when the session goes, and is there for one that comes later', async () => {
    const { bob, phone, laptop, lobby, enter } = await adaTwice();
    await phone.ask({ op: 'read', room: 'lobby', seq: await bob.say(lobby, 'one') });
    const seq = await bob.say(lobby, 'two');
    await phone.ask({ op: 'read', room: 'lobby', seq });
    phone.send({ type: FrameType.Close, code: CloseCode.Normal, retryAfterMs: 0, reason: '' });
    await turn();
    expect(news(laptop).at(-1)).toEqual({ room: 'lobby', read: seq });
    laptop.send({ type: FrameType.Close, code: CloseCode.Normal, retryAfterMs: 0, reason: '' });
    await turn();
    expect(await (await enter()).join('lobby')).toMatchObject({ read: seq });
  });

  it('is told to one that was away when it comes back', async () => {
    const { memory, bob, phone, laptop, lobby } = await adaTwice();
    laptop.pipe.destroy();
    await turn();
    const seq = await bob.say(lobby, 'one');
    await phone.ask({ op: 'read', room: 'lobby', seq });
    const back = await memory.enter({ ...laptop.resumption(), features: ['reads'] });
    expect(back.welcome!.rooms).toMatchObject([{ read: seq, features: ['reads'] }]);
  });

  it('is there after a restart, where there is a store', async () => {
    const directory = dataFolder();
    const first = await adaTwice(await openSqliteLog({ directory, reserveBytes: 0 }));
    const seq = await first.bob.say(first.lobby, 'hello');
    await first.phone.ask({ op: 'read', room: 'lobby', seq });
    await turn();
    await first.memory.chat.close();
    const log = await openSqliteLog({ directory, reserveBytes: 0 });
    const again = await MemoryChat.open({ ...OPTIONS, log });
    const tablet = await again.enter({ name: 'Ada', features: ['reads'] });
    expect(await tablet.join('lobby')).toMatchObject({ read: seq });
    await again.chat.close();
  });

  it('is known of direct messages with somebody as well', async () => {
    const { phone, laptop, bob } = await adaTwice();
    const { seq } = (await bob.answerTo(bob.whisper('Ada', 'psst'))) as { seq: number };
    await phone.ask({ op: 'read', user: 'Bob', seq });
    await turn();
    expect(news(laptop)).toEqual([{ user: 'bob', read: seq }]);
  });

  it('is nothing that a guest has to say: it is one session', async () => {
    const { memory, claims } = await adaTwice();
    const guest = await memory.enter({ name: 'guest', features: ['reads'] });
    expect(await guest.join('lobby')).not.toHaveProperty('features');
    expect(await guest.ask({ op: 'read', room: 'lobby', seq: 1 })).toEqual({});
    expect(claims).toEqual([]);
  });

  it.each([
    [{ op: 'read', seq: 1 }, FailureCode.BadRequest],
    [{ op: 'read', room: 'lobby', user: 'bob', seq: 1 }, FailureCode.BadRequest],
    [{ op: 'read', room: 'lobby', seq: -1 }, FailureCode.BadRequest],
    [{ op: 'read', room: 'tea', seq: 1 }, FailureCode.NotMember],
    [{ op: 'read', user: '', seq: 1 }, FailureCode.NameInvalid],
    [{ op: 'read', user: 'a'.repeat(65), seq: 1 }, FailureCode.NameInvalid],
  ] as const)('%j is answered with %s', async (request, code) => {
    const { phone } = await adaTwice();
    expect(await phone.request(request)).toMatchObject({ failure: { code } });
  });
});
