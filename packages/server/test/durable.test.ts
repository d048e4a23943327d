/** A server whose log is a file: started again, in whatever way it ended, it is the same server. */
import { cpSync } from 'node:fs';
import { connect as connectSocket } from 'node:net';
import { join } from 'node:path';
import { CloseCode, FailureCode } from '@chat/protocol';
import { FrameType, NoticeKind } from '@chat/protocol/frames';
import { afterEach, describe, expect, it } from 'vitest';
import { type ChatServerOptions, UNLIMITED } from '../src/options/options.js';
import { type ChatServer, createChatServer } from '../src/server/chat-server.js';
import type { TcpAddress } from '../src/server/listening/listening.js';
import { openSqliteLog, type SqliteLogOptions } from '../src/sqlite/index.js';
import { ManualClock } from './support/manual-clock.js';
import { tcpPipe } from './support/socket-pipe.js';
import { dataFolder } from './support/sqlite/folder.js';
import { until } from './support/turn.js';
import { followChain, WireClient } from './support/wire-client.js';

/** So that a ban of a name is not one of everybody here. */
const MANY_BEHIND_ONE: ChatServerOptions = { exemptAddresses: ['127.0.0.1'] };

const servers: ChatServer[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

async function start(
  directory: string,
  options: ChatServerOptions = {},
  log: Partial<SqliteLogOptions> = {},
): Promise<ChatServer> {
  const server = createChatServer({
    ...UNLIMITED,
    log: await openSqliteLog({ directory, reserveBytes: 0, ...log }),
    ...options,
  });
  servers.push(server);
  await server.listen({ port: 0, host: '127.0.0.1' });
  return server;
}

function connect(server: ChatServer): WireClient {
  const { address } = server;
  if (address?.kind !== 'tcp') throw new Error('no port');
  return new WireClient(tcpPipe({ port: address.port, host: '127.0.0.1' }));
}

/** The folder as a kill would leave it: whoever is connected has said no goodbye, and the file was not closed. */
function killed(directory: string): string {
  const copy = join(dataFolder(), 'data');
  // What can be found again is written at any time: its files come and go while they are copied.
  cpSync(directory, copy, { recursive: true, filter: (path) => !path.includes('search.sqlite') });
  return copy;
}

/** What a client says that comes back after `after`. */
function resume(client: WireClient, after: number) {
  const { session, secret, epoch, member } = client.welcome!;
  return {
    name: member.name,
    resume: { session, secret, epoch, rooms: [{ room: 'lobby', after }], inbox: 0 },
  };
}

/** What each way to end leaves behind. */
const ENDINGS: readonly (readonly [string, (directory: string, server: ChatServer) => Promise<string>])[] = [
  ['is killed', async (directory) => killed(directory)],
  [
    'is closed',
    async (directory, server) => {
      await server.close();
      return directory;
    },
  ],
];

describe.each(ENDINGS)('a server that %s', (_, endOf) => {
  it('goes on in its epoch, with sessions, rooms, publish numbers and the stream of each room', async () => {
    const directory = dataFolder();
    const before = await start(directory);
    const [ada, bob] = [connect(before), connect(before)];
    await ada.enter({ name: 'ada' });
    await bob.enter({ name: 'bob' });
    const { handle } = await ada.join('lobby');
    await bob.join('lobby');
    await ada.say(handle, 'one');
    const second = await ada.say(handle, 'two');
    const third = await bob.say(handle, 'three');

    const after = await start(await endOf(directory, before));
    expect(after.epoch).toBe(before.epoch);
    expect(after.sessions().map(({ name, isConnected, rooms }) => [name, isConnected, rooms])).toEqual([
      ['ada', false, ['lobby']],
      ['bob', false, ['lobby']],
    ]);
    const again = connect(after);
    const welcome = await again.enter(resume(ada, second));
    expect(welcome).toMatchObject({ resumed: true, lastPublishId: 2, member: ada.welcome!.member });
    expect(welcome.rooms[0]).toMatchObject({ room: 'lobby', handle, start: second, memberCount: 2 });
    expect(welcome.rooms[0]!.gap).toBeUndefined();
    await until(() => again.texts(handle).length === 1);
    expect(again.texts(handle)).toEqual(['three']);

    // The ack of the second was lost, so it comes again: it is answered as it was, and told nobody.
    again.publishId = 1;
    expect(await again.say(handle, 'two')).toBe(second);
    expect(await again.say(handle, 'four')).toBeGreaterThan(third);
    await until(() => again.texts(handle).length === 2);
    expect(again.texts(handle)).toEqual(['three', 'four']);
  });

  it('goes on with publishes although some before them, and among them, were refused', async () => {
    const directory = dataFolder();
    const before = await start(directory);
    const ada = connect(before);
    await ada.enter({ name: 'ada' });
    const { handle } = await ada.join('lobby');
    const refused = ada.publish(99, 'to a room that it is not in');
    await ada.take(FrameType.Nack, ({ publishId }) => publishId === refused);
    const second = await endOf(directory, before);
    const after = await start(second);
    const again = connect(after);
    await again.enter(resume(ada, 0));
    // 2 and 4 had no answer yet, 3 was refused, and nothing of it is in the log.
    again.publishId = 1;
    const two = await again.say(handle, 'two');
    again.publishId = 3;
    expect(await again.say(handle, 'four')).toBeGreaterThan(two);

    const third = await start(await endOf(second, after));
    const late = connect(third);
    await late.enter(resume(again, 0));
    late.publishId = 2;
    const unanswered = late.publish(handle, 'three');
    const { failure } = await late.take(FrameType.Nack, ({ publishId }) => publishId === unanswered);
    expect(failure.code).toBe(FailureCode.Unavailable);
  });

  it('holds names for their owners, and lets nobody else resume', async () => {
    const directory = dataFolder();
    const before = await start(directory);
    const ada = connect(before);
    await ada.enter({ name: 'ada' });
    const { handle } = await ada.join('lobby');
    const last = await ada.say(handle, 'here');
    const after = await start(await endOf(directory, before));
    const thief = connect(after);
    thief.greet({ name: 'ADA' });
    expect((await thief.closed)!.reason).toContain('taken');
    const guess = connect(after);
    const hello = resume(ada, last);
    guess.greet({ ...hello, resume: { ...hello.resume, secret: 'x'.repeat(24) } });
    expect((await guess.closed)!.reason).toContain('taken');
    expect((await connect(after).enter(hello)).resumed).toBe(true);
  });

  it('lets nobody in who is banned, and gives no id out twice', async () => {
    const directory = dataFolder();
    const before = await start(directory, MANY_BEHIND_ONE);
    const eve = connect(before);
    const { member } = await eve.enter({ name: 'eve' });
    before.ban('eve', 600_000);
    await eve.closed;
    // The ban is in the log once what comes behind it is.
    const ada = connect(before);
    const { handle } = await (async () => {
      await ada.enter({ name: 'ada' });
      return ada.join('tea');
    })();
    const after = await start(await endOf(directory, before), MANY_BEHIND_ONE);
    const other = connect(after);
    other.greet({ name: 'Eve' });
    expect((await other.closed)!.reason).toBe('banned');
    expect(after.unban('eve')).toBe(true);
    const third = connect(after);
    const welcome = await third.enter({ name: 'eve' });
    expect(welcome.member.id).toBeGreaterThan(member.id);
    expect((await third.join('coffee')).handle).toBeGreaterThan(handle);
  });

  it('does not let those in who were kicked while they were away, unless they come as somebody new', async () => {
    const directory = dataFolder();
    const before = await start(directory, MANY_BEHIND_ONE);
    const [ada, bob] = [connect(before), connect(before)];
    await ada.enter({ name: 'ada', clientSecret: 'the secret of ada' });
    await bob.enter({ name: 'bob' });
    for (const { pipe } of [ada, bob]) pipe.destroy();
    await until(() => before.sessions().every(({ isConnected }) => !isConnected));
    expect(before.kick('ada', 'that is enough')).toBe(true);
    expect(before.ban('bob', 60_000)).toBe(true);
    // What comes behind it in the log is known to be stored.
    const last = connect(before);
    await last.enter({ name: 'last' });
    const after = await start(await endOf(directory, before), MANY_BEHIND_ONE);
    for (const hello of [ada.resumption(), { name: 'grace', clientSecret: 'the secret of ada' }]) {
      const again = connect(after);
      again.greet(hello);
      expect(await again.closed).toMatchObject({ code: CloseCode.Kicked, reason: 'that is enough' });
    }
    const banned = connect(after);
    banned.greet(bob.resumption());
    expect(await banned.closed).toMatchObject({ code: CloseCode.Banned });
    // The end of the ban ends this as well: it may not go on, but come anew.
    after.unban('bob');
    expect((await connect(after).enter(bob.resumption())).resumed).toBe(false);
    expect((await connect(after).enter({ name: 'ada' })).resumed).toBe(false);
  });

  it('ends the sessions of lines, which cannot come back, and tells those in their rooms', async () => {
    const directory = dataFolder();
    const before = await start(directory);
    const ada = connect(before);
    await ada.enter({ name: 'ada' });
    const { handle } = await ada.join('lobby');
    const line = connect(before);
    line.pipe.onBytes = () => {};
    line.pipe.write(Buffer.from('nina\n'));
    await until(() => ada.entries(handle).some(({ name }) => name === 'nina'));
    const last = ada.entries(handle).at(-1)!.seq;
    const after = await start(await endOf(directory, before));
    const again = connect(after);
    await again.enter(resume(ada, last));
    await until(() => again.entries(handle).length > 0);
    const [gone] = again.entries(handle);
    expect([gone!.name, [NoticeKind.Gone, NoticeKind.Left]]).toEqual([
      'nina',
      expect.arrayContaining([gone!.type === FrameType.Notice ? gone!.kind : undefined]),
    ]);
    expect(after.sessions().map(({ name }) => name)).toEqual(['ada']);
  });

  it('keeps what was said to somebody who was away, and answers its sender as before', async () => {
    const directory = dataFolder();
    const before = await start(directory);
    const [ada, bob] = [connect(before), connect(before)];
    await ada.enter({ name: 'ada' });
    await bob.enter({ name: 'bob' });
    await ada.join('lobby');
    ada.pipe.destroy();
    await until(() => before.sessions().some(({ isConnected }) => !isConnected));
    const id = bob.whisper('ada', 'psst');
    const ack = await bob.answerTo(id);
    expect(ack).toMatchObject({ type: FrameType.Ack, waiting: true });
    const after = await start(await endOf(directory, before));
    const sender = connect(after);
    await sender.enter(bob.resumption());
    sender.publishId = id - 1;
    expect(await sender.answerTo(sender.whisper('ada', 'psst'))).toEqual(ack);
    const again = connect(after);
    const { inbox } = await again.enter(resume(ada, 0));
    await until(() => again.texts(inbox.handle).length === 1);
    expect(again.texts(inbox.handle)).toEqual(['psst']);
  });

  it('keeps it also where that is longer ago than what a start reads, and tells of no gap', async () => {
    const directory = dataFolder();
    const before = await start(directory);
    const [ada, bob, carol] = [connect(before), connect(before), connect(before)];
    await ada.enter({ name: 'ada' });
    await bob.enter({ name: 'bob' });
    await carol.enter({ name: 'carol' });
    const { inbox } = ada.welcome!;
    const { seq: read } = (await bob.answerTo(bob.whisper('ada', 'read'))) as { seq: number };
    ada.pipe.destroy();
    await until(() => before.sessions().some(({ isConnected }) => !isConnected));
    for (const text of ['one', 'two']) await bob.answerTo(bob.whisper('ada', text));
    const { handle } = await bob.join('lobby');
    for (let i = 0; i < 20; i++) await bob.say(handle, new Uint8Array(1000));
    const after = await start(await endOf(directory, before), {}, { tailBytes: 4000 });
    const again = connect(after);
    await again.enter(ada.resumption(read));
    // Nothing ever came for her.
    const other = connect(after);
    await other.enter(carol.resumption(0));
    const sender = connect(after);
    await sender.enter(bob.resumption());
    await sender.answerTo(sender.whisper('ada', 'three'));
    await until(() => again.texts(inbox.handle).length === 3);
    expect(again.texts(inbox.handle)).toEqual(['one', 'two', 'three']);
    expect(followChain(again.frames, inbox.handle, read)).toBeGreaterThan(read);
    for (const { frames } of [again, other]) {
      expect(frames.some(({ type }) => type === FrameType.Gap)).toBe(false);
    }
  });
});

it('a session that does not come back in time is gone, and its name is free', async () => {
  const directory = dataFolder();
  const before = await start(directory);
  const ada = connect(before);
  await ada.enter({ name: 'ada' });
  await ada.join('lobby');
  const after = await start(killed(directory), { resumeWindowMs: 1 });
  await until(() => after.sessions().length === 0);
  expect((await connect(after).enter({ name: 'ada' })).resumed).toBe(false);
});

it('publishes that the store cannot take are refused with a code, and everything else goes on', async () => {
  const directory = dataFolder();
  const server = await start(directory, {}, { maxPendingBytes: 1 });
  const ada = connect(server);
  await ada.enter({ name: 'ada' });
  const { handle } = await ada.join('lobby');
  // The first makes the store busy; what comes within the same turn finds no space.
  const publish = (publishId: number, text: string) =>
    ({
      type: FrameType.Publish,
      room: handle,
      publishId,
      codec: 1,
      body: new TextEncoder().encode(text),
    }) as const;
  ada.send(publish(1, 'one'), publish(2, 'two'));
  ada.publishId = 2;
  const nack = await ada.take(FrameType.Nack);
  expect(nack).toMatchObject({ publishId: 2, failure: { code: FailureCode.Unavailable } });
  expect(nack.failure.retryAfterMs).toBeGreaterThan(0);
  await ada.take(FrameType.Ack, ({ publishId }) => publishId === 1);
  expect(await ada.say(handle, 'three')).toBeGreaterThan(0);
});

it('pages of history go on in the store where the heap ends, without a seam, in both directions', async () => {
  const server = await start(dataFolder(), { retentionEntries: 64, retentionBytes: 65_536 });
  const ada = connect(server);
  await ada.enter({ name: 'ada' });
  const { handle } = await ada.join('lobby');
  const other = await ada.join('tea');
  const said: number[] = [];
  for (let i = 0; i < 300; i++) {
    said.push(await ada.say(handle, `text ${i}`));
    if (i % 10 === 0) await ada.say(other.handle, `tea ${i}`);
  }
  const found: number[] = [];
  for (let before: number | undefined, end = false; !end; ) {
    const page = await ada.history('lobby', { limit: 40, ...(before === undefined ? {} : { before }) });
    for (const [i, entry] of page.entries.entries()) {
      expect(entry.room).toBe(handle);
      if (i > 0) expect(entry.prev).toBe(page.entries[i - 1]!.seq);
    }
    if (before !== undefined) expect(page.entries.at(-1)!.seq).toBeLessThan(before);
    found.unshift(...page.entries.filter(({ type }) => type === FrameType.Message).map(({ seq }) => seq));
    before = page.entries[0]!.seq;
    end = page.end;
  }
  expect(found).toEqual(said);
  const ahead: number[] = [];
  for (let after = said[9]!, end = false; !end; ) {
    const page = await ada.history('lobby', { after, limit: 50 });
    ahead.push(...page.entries.map(({ seq }) => seq));
    after = page.entries.at(-1)!.seq;
    end = page.end;
  }
  expect(ahead).toEqual(said.slice(10));
});

it('a room that was forgotten while it was empty begins with what was said there', async () => {
  const server = await start(dataFolder(), { emptyRoomTtlMs: 1 });
  const ada = connect(server);
  await ada.enter({ name: 'ada' });
  const { handle } = await ada.join('lobby');
  const first = await ada.say(handle, 'one');
  await ada.say(handle, 'two');
  await ada.request({ op: 'leave', room: 'lobby' });
  await until(() => server.stats().rooms === 0);
  const again = await ada.join('lobby', { after: first });
  expect(again.handle).toBeGreaterThan(handle);
  expect(again.gap).toBeUndefined();
  await until(() => ada.texts(again.handle).length === 1);
  expect(ada.texts(again.handle)).toEqual(['two']);
});

it('goes on where the clock was set back between two runs: dates are what the clock says, and nothing else is changed', async () => {
  const YEAR = 31_536_000_000;
  const clock = new ManualClock(2_000_000_000_000);
  const directory = dataFolder();
  const before = await start(directory, { ...MANY_BEHIND_ONE, clock });
  const [ada, bob] = [connect(before), connect(before)];
  await ada.enter({ name: 'ada' });
  await bob.enter({ name: 'bob' });
  const { handle } = await ada.join('lobby');
  const first = await ada.say(handle, 'one');
  before.kick('bob');
  const second = await ada.say(handle, 'two');

  const earlier = new ManualClock(2_000_000_000_000 - YEAR);
  const after = await start(killed(directory), { ...MANY_BEHIND_ONE, clock: earlier });
  expect(after.epoch).toBe(before.epoch);
  const again = connect(after);
  expect((await again.enter(resume(ada, first))).resumed).toBe(true);
  const third = await again.say(handle, 'three');
  expect(third).toBeGreaterThan(second);
  const { entries } = await after.history('lobby');
  const said = entries.flatMap((entry) => (entry.type === 'message' ? [[entry.value, entry.at]] : []));
  expect(said).toEqual([
    ['one', 2_000_000_000_000],
    ['two', 2_000_000_000_000],
    ['three', 2_000_000_000_000 - YEAR],
  ]);
  // A kick lasts no longer than it was meant to.
  const refused = connect(after);
  refused.greet(bob.resumption());
  expect(await refused.closed).toMatchObject({ code: CloseCode.Kicked });
  earlier.advance(31_000);
  expect((await connect(after).enter(bob.resumption())).resumed).toBe(false);
});

it('takes a text of any number of lines from a program that knows of no window', async () => {
  const server = await start(dataFolder(), { maxInFlight: 4 });
  const { port } = server.address as TcpAddress;
  const reader = connect(server);
  await reader.enter({ name: 'reader' });
  await reader.join('lobby');
  const nc = connectSocket({ port, host: '127.0.0.1' });
  let heard = '';
  nc.on('data', (chunk) => {
    heard += chunk.toString();
  });
  const lines = Array.from({ length: 50 }, (_, n) => `line ${n}`);
  nc.write(`nc\n${lines.join('\n')}\n`);
  const said: string[] = [];
  while (said.length < lines.length) {
    const entry = await reader.take(FrameType.Message);
    said.push(new TextDecoder().decode(entry.body));
  }
  nc.end();
  expect(said).toEqual(lines);
  expect(heard).not.toContain('not sent');
});
