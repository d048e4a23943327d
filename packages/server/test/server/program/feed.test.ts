/** Everything that happens, for the program around the server. */
import { FrameType } from '@chat/protocol/frames';
import { describe, expect, it } from 'vitest';
import { type LogEntry, SIGNAL } from '../../../src/log/entry.js';
import { createChatServer } from '../../../src/server/chat-server.js';
import {
  Feed,
  type FeedEntry,
  FeedWindow,
  MAX_FEED_BYTES,
  MAX_FEED_ENTRIES,
} from '../../../src/server/program/feed.js';
import type { Program } from '../../../src/server/program/program.js';
import { openSqliteLog } from '../../../src/sqlite/index.js';
import { draft } from '../../support/event-log-contract.js';
import { MemoryChat } from '../../support/memory-chat.js';
import { dataFolder } from '../../support/sqlite/folder.js';
import { turn } from '../../support/turn.js';

/** An entry in short. */
function told(entry: FeedEntry | undefined): string {
  switch (entry?.type) {
    case 'message':
      return `${entry.room}/${entry.sender.name}: ${Buffer.from(entry.body)}`;
    case 'notice':
      return `${entry.room}/${entry.member.name} ${entry.kind}${entry.oldName ? ` ${entry.oldName}` : ''}`;
    case 'gap':
      return `gap ${entry.from} ${entry.to}`;
    case 'room-opened':
      return `room ${entry.room}`;
    case 'session-opened':
      return `${entry.name} comes`;
    case 'session-ended':
      return `${entry.member.name} goes`;
    case 'kicked':
      return `${entry.member.name} kicked: ${entry.reason}`;
    case 'banned':
      return `ban ${entry.name} ${entry.addresses} ${entry.until}`;
    default:
      return 'end';
  }
}

async function take(feed: AsyncIterator<FeedEntry>, count: number): Promise<string[]> {
  const entries: string[] = [];
  while (entries.length < count) entries.push(told((await feed.next()).value));
  return entries;
}

const say = (program: Program, room: string, text: string) => program.publish(room, text, { as: 'bot' });

describe('feed', () => {
  it('says what has become of a message that was edited or taken back', async () => {
    const memory = await MemoryChat.open();
    const feed = memory.chat.program.feed({});
    const ada = await memory.enter('ada');
    const { handle } = await ada.join('lobby');
    const seq = await ada.say(handle, 'frist');
    await ada.ask({ op: 'edit', room: 'lobby', seq, codec: 1, text: 'first' });
    await ada.ask({ op: 'take-back', room: 'lobby', seq });
    await turn();
    const changes: unknown[] = [];
    while (changes.length < 2) {
      const entry = (await feed.next()).value as FeedEntry;
      if (entry.type === 'notice' && entry.change)
        changes.push([entry.kind, entry.member.name, entry.change]);
    }
    expect(changes).toEqual([
      ['edited', 'ada', { seq, codec: 1, text: 'first' }],
      ['taken-back', 'ada', { seq, of: { id: ada.welcome!.member.id, name: 'ada' } }],
    ]);
  });

  it('has all rooms, comings and goings, kicks and bans in one order, and nothing that is between two', async () => {
    const memory = await MemoryChat.open();
    const { program, operator } = memory.chat;
    const feed = program.feed({});
    const ada = await memory.enter('ada', { address: '192.0.2.1' });
    await ada.join('Lobby');
    await say(program, 'news', 'first');
    await program.direct('ada', 'for you alone', { as: 'bot' });
    await say(program, 'lobby', 'second');
    operator.ban('ada', Number.POSITIVE_INFINITY, 'enough');
    const bob = await memory.enter('bob', { address: '192.0.2.9' });
    bob.link.end();
    await turn();
    memory.clock.advance(31_000);
    await turn();
    expect(await take(feed, 11)).toEqual([
      'ada comes',
      'room Lobby',
      'Lobby/ada joined',
      'room news',
      'news/bot: first',
      'Lobby/bot: second',
      'ban ada 192.0.2.1 undefined',
      'Lobby/ada left',
      'ada kicked: enough',
      'bob comes',
      'bob goes',
    ]);
  });

  it('begins behind a position of this life of the log, and with a gap where it is of another', async () => {
    await using server = createChatServer();
    const { seq, id } = await server.publish('a', 'first', { as: 'bot' });
    const first = await server.feed();
    await server.publish('b', 'second', { as: 'bot' });
    const again = await server.feed({ after: seq, epoch: server.epoch });
    expect(await take(again, 2)).toEqual(['room b', 'b/bot: second']);
    const other = await server.feed({ after: 77, epoch: 'another' });
    expect(await take(other, 3)).toEqual([`gap 77 ${seq}`, 'room b', 'b/bot: second']);
    expect((await first.next()).value).toMatchObject({ type: 'room-opened', seq: seq + 1 });
    expect(id).toBe(`${server.epoch}-${seq}`);
    expect(server.position).toBe(seq + 2);
    await expect(server.feed({ after: -1 })).rejects.toMatchObject({ code: 'ERR_SERVER_BAD_OPTION' });
    await expect(server.feed({ from: 1 } as object)).rejects.toThrow('feed: unknown option "from"');
  });

  it('tells a reader that is slower than its window of a gap, by entries and by bytes', async () => {
    const { chat } = await MemoryChat.open();
    const { seq } = await say(chat.program, 'a', 'x');
    const feed = chat.program.feed({});
    for (let i = 1; i <= MAX_FEED_ENTRIES + 3; i++) await say(chat.program, 'a', `${i}`);
    expect(await take(feed, 2)).toEqual([`gap ${seq} ${seq + 3}`, 'a/bot: 4']);
    const size = 60_000;
    const count = Math.floor(MAX_FEED_BYTES / size);
    for (let i = 0; i <= count; i++) await say(chat.program, 'a', 'x'.repeat(size));
    const [gap, next] = await take(feed, 2);
    expect(gap).toBe(`gap ${seq + 4} ${seq + MAX_FEED_ENTRIES + 4}`);
    expect(next).toHaveLength(size + 'a/bot: '.length);
  });

  it('ends with its signal, its loop and the server, and keeps nothing then', async () => {
    const { chat } = await MemoryChat.open();
    const leaving = new AbortController();
    const feed = chat.program.feed({ signal: leaving.signal });
    const waiting = feed.next();
    await turn();
    leaving.abort();
    expect(await waiting).toEqual({ done: true, value: undefined });
    const broken = chat.program.feed({});
    await say(chat.program, 'a', 'x');
    for await (const _ of broken) break;
    expect(chat.program.feeds.isRead).toBe(false);
    expect(chat.program.feeds.after(0)).toBeUndefined();
    const last = chat.program.feed({});
    const end = last.next();
    await chat.close();
    expect((await end).done).toBe(true);
    expect(await chat.program.feed({}).next()).toMatchObject({ done: true });
  });

  it('goes on in the store: behind its window, and after a restart, from the middle of a block', async () => {
    const directory = dataFolder();
    let seq = 0;
    {
      await using server = createChatServer({ log: await openSqliteLog({ directory }) });
      // Of one turn, and so of one block.
      await server.publish('Team', 'm0', { as: 'bot' });
      const said = ['m1', 'm2', 'm3'].map((text) => server.publish('Team', text, { as: 'bot' }));
      ({ seq } = (await Promise.all(said))[0]!);
      const feed = await server.feed({ after: seq, epoch: server.epoch });
      expect(await take(feed, 2)).toEqual(['Team/bot: m2', 'Team/bot: m3']);
    }
    await using server = createChatServer({ log: await openSqliteLog({ directory }) });
    const feed = await server.feed({ after: seq, epoch: server.epoch });
    await server.publish('Team', 'm4', { as: 'bot' });
    expect(await take(feed, 3)).toEqual(['Team/bot: m2', 'Team/bot: m3', 'Team/bot: m4']);
    const texts = Array.from({ length: MAX_FEED_ENTRIES + 10 }, (_, i) => `n${i}`);
    await Promise.all(texts.map((text) => server.publish('Team', text, { as: 'bot' })));
    expect(await take(feed, texts.length)).toEqual(texts.map((text) => `Team/bot: ${text}`));
    const other = await server.feed({ after: 9, epoch: 'another' });
    expect(await take(other, 3)).toEqual(['gap 9 0', 'room Team', 'Team/bot: m0']);
  });

  it('takes signals, which nobody stores, for no gap; what a store that has failed does not have is one', async () => {
    const entry = (seq: number, type: LogEntry['type'] = FrameType.Message): LogEntry => ({
      ...draft('team', `m${seq}`),
      type,
      seq,
    });
    let stored: LogEntry[] = [];
    let position = 0;
    const store = {
      read: () => Promise.reject(new Error('not read by room')),
      search: () => Promise.resolve(undefined),
      scan: async () => ({
        entries: stored.map((entry) => ({ ...entry, isVoid: false })),
        missing: [],
        next: undefined,
      }),
    };
    const window = new FeedWindow(
      { log: { epoch: 'e', store }, rooms: { byKey: () => undefined } },
      () => position,
    );
    const apply = (entry: LogEntry): void => {
      position = entry.seq;
      window.applied(entry, { kind: 'shown' });
    };
    const readFrom = async (after: number): Promise<string[]> => {
      const ending = new AbortController();
      const feed = new Feed(window, { after, signal: ending.signal });
      const entries = take(feed, 2);
      await turn();
      apply(entry(position + 1));
      const seen = await entries;
      ending.abort();
      return seen;
    };
    // A process that has begun at a snapshot: up to there all is in the store.
    position = 7;
    stored = [entry(4)];
    expect(await readFrom(3)).toEqual(['team/ada: m4', 'team/ada: m8']);
    apply(entry(9, SIGNAL));
    stored = [entry(8)];
    expect(await readFrom(7)).toEqual(['team/ada: m8', 'team/ada: m10']);
    // It has stored nothing since.
    apply(entry(11));
    apply(entry(12, SIGNAL));
    expect(await readFrom(7)).toEqual(['team/ada: m8', 'gap 8 11']);
  });
});
