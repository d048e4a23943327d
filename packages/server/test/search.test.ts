/** Searching, from the request to its answer: over a store of SQLite, and over one that does as the test says. */
import { FailureCode } from '@chat/protocol';
import { FrameType, type ResponseBodies, type SearchHit } from '@chat/protocol/frames';
import { afterEach, describe, expect, it } from 'vitest';
import { ServerError, ServerErrorCode } from '../src/errors.js';
import { Price } from '../src/limits/prices.js';
import type { EventStore, FoundPage, SearchScope } from '../src/log/event-log.js';
import { createMemoryLog } from '../src/log/memory-log.js';
import { type ChatServerOptions, UNLIMITED } from '../src/options/options.js';
import { openSqliteLog, type SqliteLogOptions } from '../src/sqlite/index.js';
import { MemoryChat } from './support/memory-chat.js';
import { dataFolder } from './support/sqlite/folder.js';
import { turn } from './support/turn.js';
import type { WireClient } from './support/wire-client.js';

type Found = ResponseBodies['search'];

const open: MemoryChat[] = [];

afterEach(async () => {
  for (const { chat } of open.splice(0)) await chat.close();
});

/** A chat whose log is a file. */
async function stored(
  more: ChatServerOptions = {},
  log: Partial<SqliteLogOptions> = {},
): Promise<MemoryChat> {
  const file = await openSqliteLog({ directory: dataFolder(), reserveBytes: 0, ...log });
  const memory = await MemoryChat.open({ ...UNLIMITED, log: file, ...more });
  open.push(memory);
  return memory;
}

const ask = (client: WireClient, query: string, more: object = {}): Promise<Found> =>
  client.ask<Found>({ op: 'search', query, ...more });

/** All that is found, page by page; with a slow machine in mind, which has not searched the newest yet, or not all. */
async function find(client: WireClient, query: string, more: object = {}): Promise<SearchHit[]> {
  const hits: SearchHit[] = [];
  for (let before: number | undefined; ; ) {
    const page: Found = await ask(client, query, before === undefined ? more : { ...more, before });
    if (page.behind) continue;
    hits.push(...page.hits);
    before = page.cursor;
    if (before === undefined) return hits;
  }
}

const seqs = (hits: readonly SearchHit[]): number[] => hits.map(({ seq }) => seq);

const failure = async (client: WireClient, request: object) => {
  const answer = await client.request({ op: 'search', query: 'word', ...request });
  if (answer.type !== FrameType.Failed) throw new Error(`answered ${JSON.stringify(answer.response)}`);
  return answer.failure;
};

/** What may not become more than words, and whether they are found. */
const HOSTILE: readonly (readonly [what: string, query: string, isFound?: boolean])[] = [
  ['the language of FTS5', 'body:word OR room:r1 NEAR(a b) - ^word'],
  ['signs of that language', '-word ^a +word', true],
  ['SQL behind quotes', `"word" '; DROP TABLE word; --`],
  ['a quote without its end', 'a "word', true],
  ['brackets and stars', '(((* *) **word* {a} : +', true],
  ['NUL and other controls', 'a\u0000word\u0001\u001b', true],
  ['directions', '\u202eword\u202c \u2067a\u2069', true],
  ['half a character', 'word \ud800', true],
  ['no word', '!!! "" * '],
  ['nothing', ''],
  ['as many words as may be', `${'a '.repeat(511)}a`, true],
  ['letters that become many', 'ﷺ'.repeat(341)],
];

describe('a search', () => {
  it('finds what was said in the rooms that the session is in, the newest first', async () => {
    const memory = await stored();
    const [ada, bob] = [await memory.enter('ada'), await memory.enter('bob')];
    const { handle: lobby } = await ada.join('lobby');
    const { handle: tea } = await ada.join('Tea');
    const { handle: secret } = await bob.join('secret');
    const { handle: bobs } = await bob.join('lobby');
    const first = await ada.say(lobby, 'the Quick brown fox');
    await bob.say(secret, 'the quick secret');
    const second = await bob.say(bobs, 'quickly now');
    const third = await ada.say(tea, 'as quick as 東京 and كِتَاب');
    const publishId = ++bob.publishId;
    bob.send({ type: FrameType.Direct, publishId, codec: 1, to: 'ada', body: Buffer.from('quick one') });
    await bob.take(FrameType.Ack, (ack) => ack.publishId === publishId);

    const found = await find(ada, 'quick');
    expect(seqs(found)).toEqual([third, first]);
    expect(found).toEqual([
      expect.objectContaining({ room: 'Tea' }),
      {
        room: 'lobby',
        seq: first,
        at: memory.clock.now(),
        sender: { id: ada.welcome!.member.id, name: 'ada' },
        snippet: 'the Quick brown fox',
        marks: [[4, 9]],
      },
    ]);
    expect(seqs(await find(ada, 'quick*', { room: 'LOBBY' }))).toEqual([second, first]);
    expect(seqs(await find(ada, 'quick*', { from: 'bob' }))).toEqual([second]);
    expect(seqs(await find(ada, '"brown fox"'))).toEqual([first]);
    expect(seqs(await find(ada, '東京'))).toEqual([third]);
    expect(seqs(await find(ada, 'كتاب'))).toEqual([third]);
    expect(await find(await memory.enter('eve'), 'quick')).toEqual([]);
    expect(await failure(ada, { room: 'secret' })).toMatchObject({ code: FailureCode.NotMember });
    await ada.ask({ op: 'leave', room: 'Tea' });
    expect(seqs(await find(ada, 'quick'))).toEqual([first]);
  });

  it('goes on page by page, by count and by what an answer holds, without one twice or left out', async () => {
    const memory = await stored({ maxFrameBytes: 4096, maxLineBytes: 1024 });
    const ada = await memory.enter('ada');
    const { handle } = await ada.join('lobby');
    const said: number[] = [];
    for (let i = 0; i < 60; i++) said.unshift(await ada.say(handle, `word ${i} ${'"'.repeat(150)}`));
    expect(seqs(await find(ada, 'word', { limit: 7 }))).toEqual(said);
    expect(seqs(await find(ada, 'word', { limit: 200 }))).toEqual(said);
    const page = await ask(ada, 'word', { limit: 3 });
    expect([page.hits.length, page.cursor]).toEqual([3, said[2]]);
    // Of these more do not fit into a frame.
    expect((await ask(ada, 'word', { limit: 200 })).hits.length).toBeLessThan(10);
  });

  it('takes anything for words, or for nothing', async () => {
    const memory = await stored();
    const ada = await memory.enter('ada');
    const { handle } = await ada.join('lobby');
    const seq = await ada.say(handle, 'a word');
    for (const [what, query, isFound] of HOSTILE) {
      expect(seqs(await find(ada, query)), what).toEqual(isFound ? [seq] : []);
    }
    expect(memory.log.at('error')).toEqual([]);
  });

  it('refuses a query that is too long, and fields of a wrong type', async () => {
    const memory = await stored();
    const ada = await memory.enter('ada');
    expect(await failure(ada, { query: 'é'.repeat(513) })).toMatchObject({
      code: FailureCode.TooLarge,
      max: 1024,
      actual: 1026,
    });
    expect(await failure(ada, { query: 'x'.repeat(60_000) })).toMatchObject({ code: FailureCode.TooLarge });
    for (const wrong of [{ query: 7 }, { from: {} }, { before: -1 }, { limit: 'all' }, { room: ['lobby'] }]) {
      expect(await failure(ada, wrong)).toMatchObject({ code: FailureCode.BadRequest });
    }
    expect(await failure(ada, { room: 'no such' })).toMatchObject({ code: FailureCode.RoomInvalid });
  });

  it('is unavailable without a store, and where it is off', async () => {
    const nowhere = await MemoryChat.open();
    open.push(nowhere);
    const answer = { code: FailureCode.Unavailable, message: 'this server has no search' };
    expect(await failure(await nowhere.enter('ada'), {})).toEqual(answer);
    const off = await stored({}, { search: false });
    expect(await failure(await off.enter('ada'), {})).toEqual(answer);
  });
});

/** A chat over a store whose searches the test answers. */
async function scripted(options: ChatServerOptions = UNLIMITED) {
  const searches: { scope: SearchScope; answer(page: FoundPage): void; fail(error: Error): void }[] = [];
  const store: EventStore = {
    read: async () => ({ entries: [], previous: 0, end: true, damaged: [] }),
    search: (_query, scope) =>
      new Promise((answer, fail) => {
        searches.push({ scope, answer, fail });
      }),
  };
  const log = Object.assign(createMemoryLog(), { store });
  const memory = await MemoryChat.open({ ...options, log });
  open.push(memory);
  const ada = await memory.enter('ada');
  const { handle } = await ada.join('lobby');
  return { memory, ada, handle, searches };
}

const NOTHING: FoundPage = { hits: [], next: undefined, isBehind: false };

describe('a search that takes long', () => {
  it('holds nothing up but another one of the same session', async () => {
    const { ada, handle, searches } = await scripted();
    const first = ask(ada, 'word');
    expect(await ada.say(handle, 'meanwhile')).toBeGreaterThan(0);
    const second = ask(ada, 'word');
    ada.publish(handle, 'behind the second');
    await turn(3);
    expect(searches).toHaveLength(1);
    expect(ada.texts(handle)).toEqual(['meanwhile']);
    searches[0]!.answer(NOTHING);
    expect(await first).toEqual({ hits: [] });
    await turn(3);
    expect(ada.texts(handle)).toEqual(['meanwhile', 'behind the second']);
    searches[1]!.answer({ ...NOTHING, next: 40, isBehind: true });
    expect(await second).toEqual({ hits: [], cursor: 40, behind: true });
  });

  it('shows nothing of a room that was left meanwhile', async () => {
    const { ada, searches } = await scripted();
    await ada.join('tea');
    const found = ask(ada, 'word');
    await turn(3);
    expect(searches[0]!.scope.rooms).toEqual(['lobby', 'tea']);
    await ada.ask({ op: 'leave', room: 'tea' });
    const hit = { at: 1, sender: 7, name: 'bob', snippet: 'word', marks: [] };
    searches[0]!.answer({
      ...NOTHING,
      hits: ['tea', 'lobby'].map((room, i) => ({ ...hit, room, seq: 9 - i })),
    });
    expect((await found).hits.map(({ room }) => room)).toEqual(['lobby']);
  });

  it('says nothing to a connection that is gone', async () => {
    const { memory, ada, searches } = await scripted();
    ada.send({ type: FrameType.Request, id: 7, request: { op: 'search', query: 'word' } });
    await turn(3);
    ada.link.destroy();
    searches[0]!.answer(NOTHING);
    await turn(3);
    expect(memory.log.at('error')).toEqual([]);
  });
});

describe('a search that the store cannot answer', () => {
  it('is unavailable for a while, and the operator is told why', async () => {
    const { memory, ada, searches } = await scripted();
    const refused = failure(ada, {});
    await turn(3);
    searches[0]!.fail(new ServerError(ServerErrorCode.StoreCorrupt, 'the index is damaged'));
    expect(await refused).toMatchObject({ code: FailureCode.Unavailable, retryAfterMs: 1000 });
    expect(memory.log.lines.map(({ message }) => message)).toContain('a search failed');
  });

  it('is no news where many search', async () => {
    const { memory, ada, searches } = await scripted();
    const refused = failure(ada, {});
    await turn(3);
    searches[0]!.fail(new ServerError(ServerErrorCode.StoreBusy, '16 searches are waiting already'));
    expect(await refused).toMatchObject({ code: FailureCode.Unavailable, retryAfterMs: 1000 });
    expect(memory.log.lines.map(({ message }) => message)).not.toContain('a search failed');
  });
});

it('a search has a price of its own', async () => {
  const burst = 3 * (Price.request + Price.search);
  const { ada, searches } = await scripted({ maxMessagesPerSecond: 1, maxMessageBurst: burst });
  // The join and the pong before it have cost a little.
  for (let i = 0; i < 3; i++) {
    expect(ada.link.paused).toBe(false);
    const found = ask(ada, 'word');
    await turn(3);
    searches[i]!.answer(NOTHING);
    await found;
    await turn(3);
  }
  expect(ada.link.paused).toBe(true);
});
