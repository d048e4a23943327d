/** Several servers that share a log are one chat: the same people, rooms, order and promises at each of them. */
import { CloseCode } from '@chat/protocol';
import { type Entry, FrameType, NoticeKind } from '@chat/protocol/frames';
import { describe, expect, it } from 'vitest';
import type { ChatServerOptions } from '../src/options/options.js';
import { forget } from '../src/server/program/forget.js';
import { moderate, setRole } from '../src/server/program/moderate.js';
import { comeBackAt, helloOf, lastSeq, ManyServers } from './support/many-servers.js';
import type { MemoryClient } from './support/memory-chat.js';
import { turn, until } from './support/turn.js';
import { followChain } from './support/wire-client.js';

const seenBy = (client: MemoryClient, handle: number): string[] =>
  client.entries(handle).map(({ seq, name, body, type }) => `${seq} ${type} ${name} ${Buffer.from(body)}`);

const noticesOf = (client: MemoryClient, handle: number): string[] =>
  client
    .entries(handle)
    .filter(
      (entry): entry is Extract<Entry, { type: typeof FrameType.Notice }> => entry.type === FrameType.Notice,
    )
    .map(({ kind, name }) => `${Object.entries(NoticeKind).find(([, one]) => one === kind)![0]} ${name}`);

async function threePeople(options: ChatServerOptions = {}) {
  const many = await ManyServers.open(3, options);
  const people = [];
  for (const [i, name] of ['ada', 'bob', 'carl'].entries())
    people.push(await many.all[i]!.memory.enter(name));
  const [ada, bob, carl] = people as [MemoryClient, MemoryClient, MemoryClient];
  const { handle } = await ada.join('lobby');
  await bob.join('lobby');
  await carl.join('lobby');
  return { many, ada, bob, carl, handle };
}

describe('people at several servers', () => {
  it('have ids and names of their own, and see one order', async () => {
    const { ada, bob, carl, handle } = await threePeople();
    expect(new Set([ada, bob, carl].map(({ welcome }) => welcome!.member.id)).size).toBe(3);
    expect(new Set([ada, bob, carl].map(({ welcome }) => welcome!.epoch)).size).toBe(1);
    for (let i = 0; i < 20; i++) for (const one of [ada, bob, carl]) one.publish(handle, `${i}`);
    await until(() => [ada, bob, carl].every((one) => one.texts(handle).length === 60));
    const orders = [ada, bob, carl].map((one) => seenBy(one, handle).slice(-60));
    expect(orders[1]).toEqual(orders[0]);
    expect(orders[2]).toEqual(orders[0]);
  });

  it('cannot have the same name, wherever they come in', async () => {
    const many = await ManyServers.open(3);
    const clients = many.all.map(({ memory }) => memory.connect());
    for (const client of clients) client.greet({ name: 'ada' });
    await until(() => clients.every(({ frames }) => frames.length > 0));
    const types = clients.map(({ frames }) => frames[0]!.type);
    expect(types.filter((type) => type === FrameType.Welcome)).toHaveLength(1);
    const closes = clients.flatMap(({ frames }) => frames.filter(({ type }) => type === FrameType.Close));
    expect(closes.map((close) => 'code' in close && close.code)).toEqual([
      CloseCode.NameTaken,
      CloseCode.NameTaken,
    ]);
  });

  it('make a room once, and know all of its members', async () => {
    const many = await ManyServers.open(3);
    const people = await Promise.all(many.all.map(({ memory }, i) => memory.enter(`one ${i}`)));
    const joins = await Promise.all(people.map((one) => one.join('Tea')));
    expect(new Set(joins.map(({ handle }) => handle)).size).toBe(1);
    await until(() => many.all.every(({ memory }) => memory.chat.rooms.find('tea')!.everybody.size === 3));
    for (const one of people) {
      const page = await one.ask<{ members: { name: string }[]; memberCount: number }>({
        op: 'members',
        room: 'tea',
      });
      expect(page.members.map(({ name }) => name).sort()).toEqual(['one 0', 'one 1', 'one 2']);
      expect(page.memberCount).toBe(3);
      expect(await one.ask({ op: 'rooms' })).toMatchObject({
        rooms: [{ room: joins[0]!.room, memberCount: 3 }],
      });
    }
  });

  it('hear of each other coming, going and being renamed', async () => {
    const { ada, bob, carl, handle } = await threePeople();
    await carl.ask({ op: 'rename', name: 'carla' });
    await bob.ask({ op: 'leave', room: 'lobby' });
    await until(() => noticesOf(ada, handle).length === 5);
    expect(noticesOf(ada, handle)).toEqual([
      'Joined ada',
      'Joined bob',
      'Joined carl',
      'Renamed carl',
      'Left bob',
    ]);
  });

  it('write to each other, and a message goes where its reader is connected', async () => {
    const { ada, carl } = await threePeople();
    ada.send({ type: FrameType.Direct, publishId: 1, to: 'Carl', codec: 1, body: Buffer.from('psst') });
    await ada.take(FrameType.Ack);
    const { inbox } = carl.welcome!;
    await until(() => carl.texts(inbox.handle).length === 1);
    expect(carl.texts(inbox.handle)).toEqual(['psst']);
    ada.send({ type: FrameType.Direct, publishId: 2, to: 'nobody', codec: 1, body: Buffer.from('x') });
    expect(await ada.take(FrameType.Nack)).toMatchObject({ failure: { code: 'no-such-user' } });
  });

  it('get the signals of those at other servers, but not their own', async () => {
    const { ada, bob, carl, handle } = await threePeople();
    const { member } = ada.welcome!;
    const signal = { type: FrameType.Signal, room: handle, sender: member.id, name: 'ada', codec: 1 };
    ada.send({ ...signal, body: Buffer.from('typing') });
    for (const other of [bob, carl]) {
      expect(await other.take(FrameType.Signal)).toMatchObject({ sender: member.id, name: 'ada' });
    }
    await ada.say(handle, 'done');
    expect(ada.frames.some(({ type }) => type === FrameType.Signal)).toBe(false);
  });
});

describe('a session that moves', () => {
  it('goes on at another server, in the same rooms, with nothing lost or doubled', async () => {
    const { many, ada, bob, handle } = await threePeople();
    await bob.say(handle, 'before');
    await until(() => ada.texts(handle).length === 1);
    const after = lastSeq(ada, handle);
    ada.pipe.destroy();
    await bob.say(handle, 'meanwhile');
    const again = await comeBackAt(many.all[2]!, ada, [{ room: 'lobby', after }]);
    expect(again.welcome).toMatchObject({
      resumed: true,
      member: ada.welcome!.member,
      rooms: [{ memberCount: 3 }],
    });
    await bob.say(handle, 'behind');
    await again.say(handle, 'here I am');
    await until(() => bob.texts(handle).length === 4 && again.texts(handle).length === 3);
    expect(again.texts(handle)).toEqual(['meanwhile', 'behind', 'here I am']);
    followChain(again.frames, handle, after);
    expect(noticesOf(bob, handle)).not.toContain('Gone ada');
    expect(many.all.map(({ memory }) => memory.chat.sessions.count)).toEqual([0, 1, 2]);
  });

  it('takes it from a connection that still stands, which is told so', async () => {
    const { many, ada, handle } = await threePeople();
    const again = await comeBackAt(many.all[1]!, ada, [{ room: 'lobby', after: lastSeq(ada, handle) }]);
    expect(await ada.closed).toMatchObject({ code: CloseCode.SessionReplaced });
    await again.say(handle, 'alive');
    // It is back at the first one.
    const third = await comeBackAt(many.all[0]!, again, [{ room: 'lobby', after: lastSeq(again, handle) }]);
    expect(third.welcome).toMatchObject({ resumed: true, lastPublishId: 1 });
    await third.say(handle, 'again');
    await until(() => third.texts(handle).length === 1);
    expect(third.texts(handle)).toEqual(['again']);
  });

  it('answers a publish again whose answer was lost, and does not post it twice', async () => {
    const { many, ada, bob, handle } = await threePeople();
    const seq = await ada.say(handle, 'once');
    const again = await comeBackAt(many.all[1]!, ada, [{ room: 'lobby', after: lastSeq(ada, handle) }]);
    again.publishId = 0;
    expect(await again.say(handle, 'once')).toBe(seq);
    expect(await again.say(handle, 'twice')).toBeGreaterThan(seq);
    await until(() => bob.texts(handle).length === 2);
    expect(bob.texts(handle)).toEqual(['once', 'twice']);
  });

  it('does not let the former server say anything more for it', async () => {
    const { many, ada, bob, handle } = await threePeople();
    // The first server has taken the publish, and is stopped before it can tell the others.
    many.all[0]!.transport.stop();
    ada.publish(handle, 'in flight');
    await turn(3);
    const again = await comeBackAt(many.all[1]!, ada, [{ room: 'lobby', after: lastSeq(ada, handle) }]);
    await again.say(handle, 'in flight');
    many.all[0]!.transport.goOn();
    await bob.say(handle, 'end');
    await ada.closed;
    expect(bob.texts(handle)).toEqual(['in flight', 'end']);
    expect(ada.frames.some(({ type }) => type === FrameType.Ack)).toBe(false);
  });

  it('is not ended by the former server, whose resume window was over before it knew', async () => {
    const { many, ada, bob, handle } = await threePeople({ resumeWindowMs: 1000 });
    ada.pipe.destroy();
    await turn();
    many.all[0]!.transport.stop();
    many.clock.advance(2000);
    expect(many.all[0]!.memory.chat.sessions.count).toBe(0);
    const again = await comeBackAt(many.all[1]!, ada, [{ room: 'lobby', after: lastSeq(ada, handle) }]);
    many.all[0]!.transport.goOn();
    await again.say(handle, 'still here');
    await until(() => many.all[0]!.log.position === many.all[1]!.log.position);
    await again.say(handle, 'and here');
    expect(noticesOf(bob, handle)).not.toContain('Gone ada');
    expect(bob.texts(handle)).toEqual(['still here', 'and here']);
  });

  it('is refused where a later connection of its client was there before', async () => {
    const many = await ManyServers.open(2);
    const hello = { name: 'ada', clientSecret: 'c'.repeat(24) };
    const ada = await many.all[0]!.memory.enter({ ...hello, attempt: 1 });
    await comeBackAt(many.all[1]!, ada, [], { ...hello, attempt: 3 });
    const late = many.all[0]!.memory.connect();
    late.greet(helloOf(ada, [], { ...hello, attempt: 2 }));
    expect(await late.closed).toMatchObject({ code: CloseCode.SessionReplaced });
  });

  it('keeps direct messages for it wherever it comes back', async () => {
    const { many, ada, bob, handle } = await threePeople();
    ada.pipe.destroy();
    await turn();
    bob.send({ type: FrameType.Direct, publishId: 1, to: 'ada', codec: 1, body: Buffer.from('psst') });
    await bob.take(FrameType.Ack);
    many.kill(0, 1);
    const again = await comeBackAt(many.all[2]!, ada, [{ room: 'lobby', after: lastSeq(ada, handle) }]);
    await until(() => again.texts(again.welcome.inbox.handle).length === 1);
    expect(again.texts(again.welcome.inbox.handle)).toEqual(['psst']);
  });

  it('has to show its credentials there, since these are not in the log', async () => {
    const shown: unknown[] = [];
    const authenticate = (credentials: unknown) => {
      shown.push(credentials);
      return credentials === 'good' ? { ok: true as const } : { ok: false as const };
    };
    const many = await ManyServers.open(2, { hooks: { authenticate } });
    const ada = await many.all[0]!.memory.enter({ name: 'ada', credentials: 'good' });
    const bad = many.all[1]!.memory.connect();
    bad.greet(helloOf(ada, [], { credentials: 'bad' }));
    expect(await bad.closed).toMatchObject({ code: CloseCode.Unauthorized });
    const again = await comeBackAt(many.all[1]!, ada, [], { credentials: 'good' });
    expect(again.welcome.resumed).toBe(true);
    expect(shown).toEqual(['good', 'bad', 'good']);
  });
});

describe('a server that is gone', () => {
  it('leaves its sessions to the others, names and rooms included', async () => {
    const { many, ada, bob, handle } = await threePeople();
    many.kill(0, 1);
    await bob.say(handle, 'meanwhile');
    const taken = many.all[1]!.memory.connect();
    taken.greet({ name: 'ada' });
    expect(await taken.closed).toMatchObject({ code: CloseCode.NameTaken });
    const again = await comeBackAt(many.all[1]!, ada, [{ room: 'lobby', after: lastSeq(ada, handle) }]);
    await until(() => again.texts(handle).length === 1);
    expect(again.texts(handle)).toEqual(['meanwhile']);
  });

  it('has those ended who do not come back, once, by one of the others', async () => {
    const { many, bob, carl, handle } = await threePeople();
    many.kill(0, 1);
    await bob.say(handle, 'x');
    many.clock.advance(many.all[1]!.memory.chat.options.resumeWindowMs - 2000);
    await bob.say(handle, 'y');
    expect(noticesOf(bob, handle)).not.toContain('Gone ada');
    many.clock.advance(3000);
    await until(() => noticesOf(carl, handle).includes('Gone ada'));
    await bob.say(handle, 'z');
    expect(noticesOf(carl, handle).filter((notice) => notice === 'Gone ada')).toHaveLength(1);
    const anew = await many.all[2]!.memory.enter('ada');
    expect(anew.welcome!.resumed).toBe(false);
  });

  it('ends those at once who have no way to come back', async () => {
    const { many, bob, handle } = await threePeople();
    const line = many.all[0]!.memory.connectLine();
    line.send('dave\n');
    await until(() => noticesOf(bob, handle).includes('Joined dave'));
    many.kill(0, 1);
    await until(() => noticesOf(bob, handle).includes('Gone dave'));
  });

  it('sends its clients away when it is not, and learns what the others said of it', async () => {
    const { many, ada, bob, handle } = await threePeople();
    const reasons: string[] = [];
    many.all[0]!.log.onFailed = (reason) => reasons.push(reason);
    many.all[0]!.transport.stop();
    ada.publish(handle, 'nobody gets this');
    await turn(3);
    many.all[1]!.log.declareGone(many.all[0]!.log.process);
    await bob.say(handle, 'on');
    many.all[0]!.transport.goOn();
    expect(await ada.closed).toMatchObject({ code: CloseCode.GoingAway });
    const refused = many.all[0]!.memory.connect();
    refused.greet({ name: 'eve' });
    expect(await refused.closed).toMatchObject({ code: CloseCode.GoingAway });
    expect(reasons).toEqual(['the others have declared this process gone']);
    const again = await comeBackAt(many.all[2]!, ada, [{ room: 'lobby', after: lastSeq(ada, handle) }]);
    again.publishId = 0;
    await again.say(handle, 'nobody gets this');
    await bob.say(handle, 'end');
    expect(bob.texts(handle)).toEqual(['on', 'nobody gets this', 'end']);
  });

  it('that closes says so itself, and ends nobody', async () => {
    const { many, ada, bob, handle } = await threePeople();
    await many.all[0]!.memory.chat.close();
    await bob.say(handle, 'on');
    expect(noticesOf(bob, handle)).not.toContain('Gone ada');
    const again = await comeBackAt(many.all[1]!, ada, [{ room: 'lobby', after: lastSeq(ada, handle) }]);
    expect(again.welcome.resumed).toBe(true);
  });
});

describe('an operator at one server', () => {
  it('kicks who is connected at another, and the client is told wherever it comes back', async () => {
    const { many, ada, bob, handle } = await threePeople();
    expect(many.all[2]!.memory.chat.operator.kick('ADA', 'enough')).toBe(true);
    expect(await ada.closed).toMatchObject({ code: CloseCode.Kicked, reason: 'enough' });
    await until(() => noticesOf(bob, handle).includes('Left ada'));
    const back = many.all[1]!.memory.connect();
    back.greet(helloOf(ada, []));
    expect(await back.closed).toMatchObject({ code: CloseCode.Kicked, reason: 'enough' });
    expect(many.all[2]!.memory.chat.operator.kick('ada', '')).toBe(false);
  });

  it('bans a name and an address everywhere, and ends the ban everywhere', async () => {
    const many = await ManyServers.open(3);
    const from = { address: '192.0.2.7' };
    const ada = await many.all[0]!.memory.enter('ada', from);
    await many.all[1]!.memory.enter('bob', { address: '192.0.2.8' });
    const { operator } = many.all[2]!.memory.chat;
    expect(operator.ban('ada', 60_000, 'no')).toBe(true);
    expect(await ada.closed).toMatchObject({ code: CloseCode.Banned, reason: 'no' });
    await until(() => many.all[1]!.memory.chat.sessions.total === 1);
    for (const [name, address] of [
      ['ada', '192.0.2.9'],
      ['eve', from.address],
    ] as const) {
      const back = many.all[1]!.memory.connect({ address });
      back.greet({ name });
      expect(await back.closed).toMatchObject({ code: CloseCode.Banned });
    }
    operator.unban('ada');
    operator.unban(from.address);
    await until(
      () => many.all[1]!.memory.chat.bans.remainingMs('ada', from.address, many.clock.monotonic()) === 0,
    );
    await many.all[1]!.memory.enter('ada', from);
  });

  it('evicts from a room who is connected at another, or nowhere', async () => {
    const { many, ada, bob, handle } = await threePeople();
    const { operator } = many.all[2]!.memory.chat;
    expect(operator.evict('ada', 'nowhere')).toBe(false);
    expect(operator.evict('ada', 'lobby')).toBe(true);
    await until(() => noticesOf(ada, handle).includes('Left ada'));
    many.kill(1, 2);
    await until(() => many.all[2]!.memory.chat.sessions.holderOf('bob')?.holder === undefined);
    expect(operator.evict('bob', 'lobby')).toBe(true);
    await until(() => many.all[0]!.memory.chat.rooms.find('lobby')!.everybody.size === 1);
    const again = await comeBackAt(many.all[0]!, bob, [{ room: 'lobby', after: lastSeq(bob, handle) }]);
    expect(again.welcome.rooms).toEqual([]);
  });

  it('gives roles and mutes who is connected at another, and the role moderates a third', async () => {
    const { many, ada, bob, carl, handle } = await threePeople();
    const { moderation } = many.all[2]!.memory.chat;
    await setRole(moderation, 'ada', 'moderator', {});
    await until(
      () => many.all[0]!.memory.chat.rules.roleOf('', `member:${ada.welcome!.member.id}`) === 'moderator',
    );
    expect(await ada.ask({ op: 'mute', user: 'bob', reason: 'loud' })).toEqual({});
    const answer = async (): Promise<unknown> => {
      const told = await bob.answerTo(bob.publish(handle, 'x'));
      return told.type === FrameType.Nack ? told.failure : 'said';
    };
    await until(() => [...many.all[1]!.memory.chat.rules.sanctions('', many.clock.now())].length === 1);
    expect(await answer()).toMatchObject({ code: 'muted' });
    await moderate(moderation, { op: 'unmute', user: 'bob' }, {});
    await until(() => [...many.all[1]!.memory.chat.rules.sanctions('', many.clock.now())].length === 0);
    expect(await answer()).toBe('said');
    await expect(carl.ask({ op: 'mute', user: 'bob' })).rejects.toThrow();
  });

  it('takes back, for all, what was said at another, and its sender edits it at a third', async () => {
    const { many, ada, bob, carl, handle } = await threePeople();
    const [one, two] = [await ada.say(handle, 'secret'), await ada.say(handle, 'teh')];
    await until(() => carl.texts(handle).length === 2);
    const request = { op: 'take-back', room: 'lobby', seq: one } as const;
    await moderate(many.all[2]!.memory.chat.moderation, request, {});
    const again = await comeBackAt(many.all[1]!, ada, [{ room: 'lobby', after: two }]);
    await again.ask({ op: 'edit', room: 'lobby', seq: two, text: 'the' });
    for (const reader of [bob, carl, again]) {
      await until(() => noticesOf(reader, handle).includes('Edited ada'));
      const said = (await reader.history('lobby')).entries.filter(({ type }) => type === FrameType.Message);
      expect(said.map(({ body }) => Buffer.from(body).toString())).toEqual(['{"by":"operator"}', 'the']);
    }
  });

  it('forgets what is here, and is told who keeps it', async () => {
    const { many, ada, carl, handle } = await threePeople();
    await ada.say(handle, 'secret');
    await until(() => carl.texts(handle).length === 1);
    const { chat, log } = many.all[0]!.memory;
    expect(await forget(chat, { user: 'ada' })).toBeGreaterThan(0);
    const kept = async (client: MemoryClient): Promise<boolean> =>
      (await client.history('lobby')).entries.some(({ body }) => Buffer.from(body).toString() === 'secret');
    expect([await kept(ada), await kept(carl)]).toEqual([false, true]);
    expect(log.at('warn').map(({ message }) => message)).toEqual([
      expect.stringContaining('gone from this server only'),
    ]);
  });

  it('asks for new credentials at another', async () => {
    const { many, ada } = await threePeople();
    expect(many.all[1]!.memory.chat.operator.reauthenticate('ada')).toBe(true);
    expect(await ada.closed).toMatchObject({ code: CloseCode.CredentialsExpired });
  });
});

describe('a server that comes later', () => {
  it('knows everybody, and goes on with any session, from a snapshot', async () => {
    const { many, ada, bob, carl, handle } = await threePeople();
    const seq = await ada.say(handle, 'early');
    bob.send({ type: FrameType.Direct, publishId: 1, to: 'ada', codec: 1, body: Buffer.from('psst') });
    await bob.take(FrameType.Ack);
    await until(() => bob.texts(handle).length === 1 && ada.texts(ada.welcome!.inbox.handle).length === 1);
    const late = await many.start({ snapshot: () => many.all[2]!.log.snapshot() });
    expect(late.memory.chat.operator).toBeDefined();
    const again = await comeBackAt(late, ada, [{ room: 'lobby', after: 0 }], {});
    again.publishId = 0;
    expect(await again.say(handle, 'early')).toBe(seq);
    await again.say(handle, 'late');
    await until(() => carl.texts(handle).length === 2 && again.texts(handle).length === 2);
    expect(carl.texts(handle)).toEqual(['early', 'late']);
    expect(again.texts(handle)).toEqual(['early', 'late']);
    followChain(again.frames, handle, 0);
    expect(await late.memory.enter('dave')).toMatchObject({ gone: false });
    const { members } = await again.ask<{ members: { name: string }[] }>({ op: 'members', room: 'lobby' });
    expect(members.map(({ name }) => name)).toEqual(['ada', 'bob', 'carl']);
  });

  it('leaves clients the whole window to come back where all were gone, and ends those that cannot', async () => {
    const many = await ManyServers.open(1, { resumeWindowMs: 60_000 });
    const { memory, transport, log } = many.all[0]!;
    await memory.enter('ada');
    const line = memory.connectLine();
    line.send('dave\n');
    await until(() => memory.chat.sessions.total === 2);
    const { state, ...snapshot } = log.snapshot();
    transport.kill();
    // As a store says it once everybody is gone; and then nobody is there for longer than the window.
    const unheldSince = many.clock.now();
    const sessions = state.sessions.map((session) => ({ ...session, holder: undefined, unheldSince }));
    many.clock.advance(120_000);
    const late = await many.start({
      snapshot: () => ({ ...snapshot, state: { ...state, sessions, processes: [] } }),
    });
    const names = (): string[] => Array.from(late.memory.chat.sessions.everybody, ({ name }) => name);
    await until(() => !names().includes('dave'));
    many.clock.advance(59_000);
    await turn();
    expect(names()).toEqual(['ada']);
    many.clock.advance(2000);
    await until(() => names().length === 0);
  });

  it('says of a process that it is gone when nobody has', async () => {
    const { many, ada, handle } = await threePeople();
    const snapshot = many.all[2]!.log.snapshot();
    for (const { transport } of many.all) transport.kill();
    const gone = many.all.map(({ log }) => log.process);
    const late = await many.start({ snapshot: () => snapshot, gone });
    const again = await comeBackAt(late, ada, [{ room: 'lobby', after: lastSeq(ada, handle) }]);
    expect(again.welcome.resumed).toBe(true);
  });
});

it('limits what one address holds, wherever it is connected', async () => {
  const many = await ManyServers.open(2, { maxSessionsPerAddress: 2 });
  const from = { address: '192.0.2.7' };
  await many.all[0]!.memory.enter('ada', from);
  await many.all[1]!.memory.enter('bob', from);
  await until(() => many.all[0]!.memory.chat.sessions.total === 2);
  const third = many.all[0]!.memory.connect(from);
  third.greet({ name: 'carl' });
  expect(await third.closed).toMatchObject({ code: CloseCode.TooManyConnections });
});

it('an empty room is forgotten by all of them', async () => {
  const { many, ada, bob, carl } = await threePeople({ emptyRoomTtlMs: 1000 });
  await ada.join('tea');
  await ada.ask({ op: 'leave', room: 'tea' });
  await bob.ask({ op: 'rooms' });
  many.clock.advance(2000);
  await until(() => many.all.every(({ memory }) => memory.chat.rooms.find('tea') === undefined));
  const joins = await Promise.all([bob.join('tea'), carl.join('tea')]);
  expect(new Set(joins.map(({ handle }) => handle)).size).toBe(1);
});
