/** What moderators do over the wire, and that it counts at once: roles, mutes, bans, rooms, and the record of it. */
import { CloseCode, type Failure, FailureCode } from '@chat/protocol';
import {
  FrameType,
  type ModerationBody,
  NoticeKind,
  type RequestBody,
  type RoomChanged,
  type RoomInfo,
  type Sanction,
} from '@chat/protocol/frames';
import { describe, expect, it } from 'vitest';
import { claim } from '../src/log/claims.js';
import { ClaimKind } from '../src/log/entry.js';
import type { ChatServerOptions } from '../src/options/options.js';
import { moderate } from '../src/server/program/moderate.js';
import { MemoryChat, type MemoryClient } from './support/memory-chat.js';
import { turn } from './support/turn.js';

const MINUTE = 60_000;

/** Everybody whose name begins with a capital has an account. */
const ACCOUNTS: ChatServerOptions = {
  idleTimeoutMs: 60 * MINUTE,
  hooks: {
    authenticate: (_credentials, { name }) => ({ ok: true, ...(/^[A-Z]/.test(name) ? { name } : {}) }),
  },
};

async function failureOf(client: MemoryClient, request: RequestBody): Promise<Failure> {
  const answer = await client.request(request);
  if (answer.type !== FrameType.Failed) throw new Error(`not refused: ${JSON.stringify(answer)}`);
  return answer.failure;
}

const codeOf = async (client: MemoryClient, request: RequestBody): Promise<string> =>
  (await failureOf(client, request)).code;

const operate = (memory: MemoryChat, request: ModerationBody): Promise<unknown> =>
  moderate(memory.chat.moderation, request, {});

/** A room of Ada, in which Bob and eve are as well. */
async function roomOfAda(
  options: ChatServerOptions = ACCOUNTS,
): Promise<{ memory: MemoryChat; ada: MemoryClient; bob: MemoryClient; eve: MemoryClient; handle: number }> {
  const memory = await MemoryChat.open(options);
  const ada = await memory.enter('Ada');
  const [bob, eve] = [await memory.enter('Bob'), await memory.enter('eve', { address: '192.0.2.7' })];
  const { handle } = await ada.join('tea');
  await bob.join('tea');
  await eve.join('tea');
  return { memory, ada, bob, eve, handle };
}

function changes(client: MemoryClient, handle: number): RoomChanged[] {
  return client.entries(handle).flatMap((entry) => {
    if (entry.type !== FrameType.Notice || entry.kind !== NoticeKind.Changed) return [];
    return JSON.parse(new TextDecoder().decode(entry.body)) as RoomChanged;
  });
}

describe('a room that was made by a member', () => {
  it('belongs to it, and its roles are known to those who come', async () => {
    const { ada, bob, eve } = await roomOfAda();
    expect((await ada.join('tea')).role).toBe('owner');
    expect([(await bob.join('tea')).role, (await eve.join('tea')).role]).toEqual(['member', 'guest']);
    expect(await eve.ask({ op: 'role', user: 'Ada', room: 'tea' })).toEqual({ role: 'owner' });
    expect(await eve.ask({ op: 'role', user: 'Ada' })).toEqual({ role: 'member' });
  });

  it('does not belong to the first who comes, when it is the lobby', async () => {
    const memory = await MemoryChat.open(ACCOUNTS);
    const ada = await memory.enter('Ada');
    expect((await ada.join('lobby')).role).toBe('member');
  });

  it('belongs to the same account when it is made again, whoever comes first', async () => {
    const { memory, ada, bob, eve } = await roomOfAda({ ...ACCOUNTS, emptyRoomTtlMs: 1000 });
    await ada.ask({ op: 'topic', room: 'tea', topic: 'green' });
    for (const client of [ada, bob, eve]) await client.ask({ op: 'leave', room: 'tea' });
    memory.clock.advance(2000);
    await turn();
    expect(memory.chat.rooms.find('tea')).toBeUndefined();
    expect(await bob.join('tea')).toMatchObject({ role: 'member', settings: { topic: 'green' } });
    expect((await ada.join('tea')).role).toBe('owner');
  });

  it('is nobody’s when the session of a guest has ended that made it', async () => {
    const memory = await MemoryChat.open(ACCOUNTS);
    const [kim, zoe] = [await memory.enter('kim'), await memory.enter('zoe')];
    await kim.join('nook');
    await zoe.join('nook');
    kim.send({ type: FrameType.Close, code: 1000, retryAfterMs: 0, reason: '' });
    await turn();
    const again = await memory.enter('kim');
    expect((await again.join('nook')).role).toBe('guest');
    expect([...memory.chat.state.rules]).toEqual([]);
  });
});

describe('a role', () => {
  it('counts at once, and is told to the room', async () => {
    const { ada, bob, eve, handle } = await roomOfAda();
    const mute = { op: 'mute', user: 'eve', room: 'tea' } as const;
    expect(await codeOf(bob, mute)).toBe(FailureCode.Forbidden);
    expect(await ada.ask({ op: 'role', user: 'Bob', room: 'tea', role: 'moderator' })).toEqual({
      role: 'moderator',
    });
    await bob.ask(mute);
    await turn();
    expect(changes(eve, handle)).toEqual([{ role: { name: 'Bob', role: 'moderator' } }]);
    await ada.ask({ op: 'role', user: 'Bob', room: 'tea', role: 'none' });
    expect(await codeOf(bob, { op: 'unmute', user: 'eve', room: 'tea' })).toBe(FailureCode.Forbidden);
  });

  it('of a moderator that is taken away before its word is in the log counts for nothing', async () => {
    const { memory, ada, bob } = await roomOfAda();
    await ada.ask({ op: 'role', user: 'Bob', room: 'tea', role: 'moderator' });
    // Both were asked while Bob was a moderator; the log has them in this order.
    const { log, state, options } = memory.chat;
    const bobId = bob.welcome!.member.id;
    const decide = (sender: number, decision: Parameters<typeof claim<15>>[2]): void =>
      log.append(claim(ClaimKind.Moderated, { sender, room: 'tea', at: options.clock.now() }, decision));
    decide(0, { action: 'role', by: 'x', change: { what: 'role', person: 'account:Bob', role: undefined } });
    decide(bobId, { action: 'topic', by: 'Bob', change: { what: 'settings', settings: { topic: 'mine' } } });
    await turn();
    expect(state.rules.settings('tea')).toEqual({});
  });

  it('is not given by those who have not got it, and not taken from one who has the same', async () => {
    const { memory, ada, bob, eve } = await roomOfAda();
    await ada.ask({ op: 'role', user: 'Bob', room: 'tea', role: 'moderator' });
    const give = { op: 'role', user: 'eve', room: 'tea', role: 'moderator' } as const;
    expect(await codeOf(bob, give)).toBe(FailureCode.Forbidden);
    for (const op of ['mute', 'ban', 'kick'] as const)
      expect(await codeOf(bob, { op, user: 'Ada', room: 'tea' })).toBe(FailureCode.Forbidden);
    expect(await codeOf(ada, { op: 'mute', user: 'eve' })).toBe(FailureCode.Forbidden);
    await operate(memory, { op: 'role', user: 'eve', role: 'moderator' });
    await eve.ask({ op: 'mute', user: 'Bob' });
    // Of the whole server it is one in every room, and stands beside the owner of a room.
    expect(await codeOf(bob, { op: 'mute', user: 'eve', room: 'tea' })).toBe(FailureCode.Forbidden);
  });

  it('cannot be given to one who is not here, unless there are accounts', async () => {
    const memory = await MemoryChat.open();
    const guest = operate(memory, { op: 'role', user: 'ada', role: 'owner' });
    await expect(guest).rejects.toMatchObject({ code: 'ERR_SERVER_NO_SUCH_USER' });
    const { memory: other } = await roomOfAda();
    expect(await operate(other, { op: 'role', user: 'Zoe', role: 'owner' })).toEqual({ role: 'owner' });
    const zoe = await other.enter('Zoe');
    expect((await zoe.join('tea')).role).toBe('owner');
  });
});

describe('the authorize hook', () => {
  it('can allow what the role does not, and refuse what it does; true leaves it to the role', async () => {
    const asked: unknown[] = [];
    const { ada, bob, eve } = await roomOfAda({
      hooks: {
        ...ACCOUNTS.hooks,
        authorize: ({ name }, action, room, question) => {
          if (question) asked.push([name, action, room, question]);
          if (name === 'Bob' && action === 'topic') return 'allow';
          return !(name === 'Ada' && action === 'topic');
        },
      },
    });
    const topic = { op: 'topic', room: 'tea', topic: 'x' } as const;
    await bob.ask(topic);
    expect(await codeOf(ada, topic)).toBe(FailureCode.Forbidden);
    expect(await codeOf(eve, topic)).toBe(FailureCode.Forbidden);
    expect(await codeOf(eve, { op: 'kick', user: 'Ada', room: 'tea' })).toBe(FailureCode.Forbidden);
    expect(asked).toEqual([
      ['Bob', 'topic', 'tea', { role: 'member' }],
      ['Ada', 'topic', 'tea', { role: 'owner' }],
      ['eve', 'topic', 'tea', { role: 'guest' }],
      ['eve', 'kick', 'tea', { role: 'guest', user: 'Ada' }],
    ]);
  });
});

describe('a mute', () => {
  it('refuses what is said with how long, whatever the name, until it is over or ended', async () => {
    const { memory, ada, eve, handle } = await roomOfAda();
    const mute = { op: 'mute', user: 'eve', room: 'tea', durationMs: 10 * MINUTE, reason: 'spam' } as const;
    await ada.ask(mute);
    const refused = async (): Promise<unknown> => {
      const answer = await eve.answerTo(eve.publish(handle, 'x'));
      return answer.type === FrameType.Nack ? answer.failure : 'said';
    };
    expect(await refused()).toEqual({
      code: 'muted',
      message: 'muted for 10 minutes: spam',
      retryAfterMs: 10 * MINUTE,
    });
    memory.clock.advance(MINUTE);
    await eve.ask({ op: 'rename', name: 'mallory' });
    expect(await refused()).toMatchObject({ code: 'muted', retryAfterMs: 9 * MINUTE });
    // Only there: elsewhere, and to others, it speaks.
    const elsewhere = await eve.join('lobby');
    expect((await eve.answerTo(eve.publish(elsewhere.handle, 'x'))).type).toBe(FrameType.Ack);
    expect((await eve.answerTo(eve.whisper('Ada', 'x'))).type).toBe(FrameType.Ack);
    memory.clock.advance(9 * MINUTE);
    expect(await refused()).toBe('said');
    await ada.ask({ ...mute, user: 'mallory' });
    expect(await refused()).toMatchObject({ code: 'muted' });
    await ada.ask({ op: 'unmute', user: 'mallory', room: 'tea' });
    expect(await refused()).toBe('said');
  });

  it('of the whole server is of direct messages and signals as well', async () => {
    const { memory, ada, eve, handle } = await roomOfAda();
    await operate(memory, { op: 'mute', user: 'eve' });
    expect(await eve.answerTo(eve.whisper('Ada', 'x'))).toMatchObject({ failure: { code: 'muted' } });
    const body = new TextEncoder().encode('typing');
    eve.send({ type: FrameType.Signal, room: handle, sender: 0, name: '', codec: 1, body });
    await turn();
    expect(ada.frames.some(({ type }) => type === FrameType.Signal)).toBe(false);
  });

  it('takes the word from what was under way already: the log decides', async () => {
    const { memory, eve, handle } = await roomOfAda();
    const { log, options } = memory.chat;
    const at = options.clock.now();
    const sanction = { kind: 'mute', target: 'eve', by: 'x' } as const;
    const change = { what: 'impose', sanction, keys: ['look:eve'] } as const;
    const mute = claim(ClaimKind.Moderated, { room: 'tea', at }, { action: 'mute', by: 'x', change });
    // The mute is in the log before the message is, though that was let through before.
    const append = log.append.bind(log);
    log.append = (draft) => {
      log.append = append;
      append(mute);
      append(draft);
    };
    const answer = await eve.answerTo(eve.publish(handle, 'late'));
    expect(answer).toMatchObject({ failure: { code: 'muted' } });
    expect(eve.texts(handle)).toEqual([]);
  });
});

describe('a ban', () => {
  it('of a room shows out and lets nobody in again, until it is lifted', async () => {
    const { ada, eve, handle } = await roomOfAda();
    await ada.ask({ op: 'ban', user: 'eve', room: 'tea', reason: 'rude' });
    await turn();
    expect(eve.entries(handle).at(-1)).toMatchObject({ kind: NoticeKind.Left, name: 'eve' });
    expect(await failureOf(eve, { op: 'join', room: 'tea' })).toEqual({
      code: FailureCode.Forbidden,
      message: 'banned from tea: rude',
    });
    const { bans } = await ada.ask<{ bans: Sanction[] }>({ op: 'bans', room: 'tea' });
    expect(bans).toMatchObject([{ kind: 'ban', target: 'eve', by: 'Ada', reason: 'rude' }]);
    await ada.ask({ op: 'unban', banned: 'eve', room: 'tea' });
    expect((await eve.join('tea')).memberCount).toBe(3);
    expect(await ada.ask({ op: 'bans', room: 'tea' })).toEqual({ bans: [] });
  });

  it('of the server is listed with who, why and until when, and ended', async () => {
    const { memory, ada, eve } = await roomOfAda();
    await operate(memory, { op: 'role', user: 'Ada', role: 'moderator' });
    await ada.ask({ op: 'ban', user: 'eve', durationMs: MINUTE, reason: 'spam' });
    await ada.ask({ op: 'ban', address: '198.51.100.0/24' });
    expect(await eve.take(FrameType.Close)).toMatchObject({ code: CloseCode.Banned, reason: 'spam' });
    const at = memory.chat.options.clock.now();
    expect(await ada.ask({ op: 'bans' })).toEqual({
      bans: [
        { kind: 'ban', target: 'eve', by: 'Ada', at, until: at + MINUTE, reason: 'spam' },
        { kind: 'ban', target: '198.51.100.0/24', by: 'Ada', at, reason: 'banned' },
      ],
    });
    expect(await ada.ask({ op: 'bans', limit: 1 })).toMatchObject({
      bans: [{ target: 'eve' }],
      cursor: expect.any(Number),
    });
    const refused = memory.connect({ address: '198.51.100.9' });
    refused.greet({ name: 'zoe' });
    expect(await refused.take(FrameType.Close)).toMatchObject({ code: CloseCode.Banned });
    await ada.ask({ op: 'unban', banned: '198.51.100.0/24' });
    expect((await memory.enter('zoe', { address: '198.51.100.9' })).welcome).toBeDefined();
    memory.clock.advance(MINUTE);
    expect(await ada.ask({ op: 'bans' })).toEqual({ bans: [] });
    expect(await codeOf(ada, { op: 'unban', banned: 'nobody' })).toBe(FailureCode.NoSuchUser);
  });

  it.each([
    [{ op: 'ban', address: '1.2.3' }, FailureCode.BadRequest],
    [{ op: 'ban', address: '1.2.3.4', user: 'eve' }, FailureCode.BadRequest],
    [{ op: 'ban' }, FailureCode.BadRequest],
    [{ op: 'ban', user: 'eve', durationMs: 0 }, FailureCode.BadRequest],
    [{ op: 'ban', user: 'eve', reason: 'a\nb' }, FailureCode.BadRequest],
    [{ op: 'ban', user: '\u202e', room: 'tea' }, FailureCode.NameInvalid],
    [{ op: 'kick', user: 'nobody' }, FailureCode.NoSuchUser],
    [{ op: 'kick', user: 'eve', room: 'lobby' }, FailureCode.NoSuchRoom],
    [{ op: 'kick', user: 'eve', room: 'a b' }, FailureCode.RoomInvalid],
    [{ op: 'role', user: 'eve', role: 'king' }, FailureCode.BadRequest],
    [{ op: 'topic', room: 'tea', topic: 'a\u0007' }, FailureCode.BadRequest],
    [{ op: 'topic', room: 'tea', topic: 'x'.repeat(401) }, FailureCode.TooLarge],
    [{ op: 'mode', room: 'tea' }, FailureCode.BadRequest],
    [{ op: 'mode', room: 'tea', slowMs: -1 }, FailureCode.BadRequest],
    [{ op: 'mode', room: '__proto__', hidden: true }, FailureCode.NoSuchRoom],
  ])('or another request that makes no sense is refused: %j', async (request, code) => {
    const { memory, ada } = await roomOfAda();
    await operate(memory, { op: 'role', user: 'Ada', role: 'owner' });
    const answer = await ada.request(request);
    expect(answer).toMatchObject({ failure: { code } });
  });
});

describe('a room', () => {
  it('has a topic, which is told to those who are there and to those who come', async () => {
    const { ada, bob, eve, handle } = await roomOfAda();
    expect(await codeOf(bob, { op: 'topic', room: 'tea', topic: 'x' })).toBe(FailureCode.Forbidden);
    await ada.ask({ op: 'topic', room: 'tea', topic: 'all about tea' });
    await turn();
    expect(changes(eve, handle)).toEqual([{ settings: { topic: 'all about tea' } }]);
    expect((await bob.join('tea')).settings).toEqual({ topic: 'all about tea' });
    await ada.ask({ op: 'topic', room: 'tea', topic: '' });
    expect(await bob.join('tea')).not.toHaveProperty('settings');
  });

  it('that is by invitation lets in whom a moderator invites, who is told so', async () => {
    const { memory, ada } = await roomOfAda();
    const zoe = await memory.enter('zoe');
    expect(await ada.ask({ op: 'mode', room: 'tea', byInvitation: true })).toEqual({
      settings: { byInvitation: true },
    });
    expect(await failureOf(zoe, { op: 'join', room: 'tea' })).toEqual({
      code: FailureCode.Forbidden,
      message: 'tea is by invitation',
    });
    expect(await codeOf(zoe, { op: 'invite', room: 'tea', user: 'zoe' })).toBe(FailureCode.Forbidden);
    await ada.ask({ op: 'invite', room: 'tea', user: 'zoe' });
    await turn();
    expect(zoe.texts(zoe.welcome!.inbox.handle)).toEqual(['you are invited to tea: /join tea']);
    await zoe.join('tea');
    // Its role is taken away: it is shown out.
    await ada.ask({ op: 'role', user: 'zoe', room: 'tea', role: 'none' });
    await turn();
    expect(await codeOf(zoe, { op: 'join', room: 'tea' })).toBe(FailureCode.Forbidden);
    expect(memory.chat.rooms.find('tea')!.everybody.has(zoe.welcome!.member.id)).toBe(false);
  });

  it('that is read-only is written by those who have a role in it from member on', async () => {
    const { memory, ada, bob, handle } = await roomOfAda();
    await ada.ask({ op: 'mode', room: 'tea', readOnly: true });
    const say = async (client: MemoryClient): Promise<string> => {
      const answer = await client.answerTo(client.publish(handle, 'x'));
      return answer.type === FrameType.Nack ? answer.failure.code : 'said';
    };
    expect([await say(ada), await say(bob)]).toEqual(['said', FailureCode.Forbidden]);
    await ada.ask({ op: 'invite', room: 'tea', user: 'Bob' });
    expect(await say(bob)).toBe(FailureCode.Forbidden);
    await ada.ask({ op: 'role', user: 'Bob', room: 'tea', role: 'member' });
    expect(await say(bob)).toBe('said');
    expect(memory.chat.counters.messagesRefused).toBe(2);
  });

  it('that is hidden is in the lists of those who are in it, or have a role there or in the server', async () => {
    const { memory, ada, bob } = await roomOfAda();
    await ada.ask({ op: 'mode', room: 'tea', hidden: true });
    const zoe = await memory.enter('zoe');
    const listed = async (client: MemoryClient): Promise<string[]> =>
      (await client.ask<{ rooms: RoomInfo[] }>({ op: 'rooms' })).rooms.map(({ room }) => room);
    expect([await listed(bob), await listed(zoe)]).toEqual([['tea'], []]);
    await ada.ask({ op: 'invite', room: 'tea', user: 'zoe' });
    expect(await listed(zoe)).toEqual(['tea']);
  });

  it('that is slow takes one message of a member in that time, in whatever session of its account', async () => {
    const { memory, ada, bob, handle } = await roomOfAda();
    await ada.ask({ op: 'mode', room: 'tea', slowMs: 10_000 });
    const say = async (client: MemoryClient): Promise<unknown> => {
      const answer = await client.answerTo(client.publish(handle, 'x'));
      return answer.type === FrameType.Nack ? [answer.failure.code, answer.failure.retryAfterMs] : 'said';
    };
    expect([await say(bob), await say(ada), await say(ada)]).toEqual(['said', 'said', 'said']);
    memory.clock.advance(4000);
    expect(await say(bob)).toEqual([FailureCode.RateLimited, 6000]);
    bob.send({ type: FrameType.Close, code: 1000, retryAfterMs: 0, reason: '' });
    await turn();
    const again = await memory.enter('Bob');
    await again.join('tea');
    expect(await say(again)).toEqual([FailureCode.RateLimited, 6000]);
    memory.clock.advance(6000);
    expect(await say(again)).toBe('said');
  });
});

describe('the record', () => {
  it('is a line of the log each, and a room that only moderators of the server read', async () => {
    const { memory, ada, bob, eve } = await roomOfAda();
    await operate(memory, { op: 'role', user: 'Bob', role: 'moderator' });
    await ada.ask({ op: 'mute', user: 'eve', room: 'tea', durationMs: MINUTE, reason: 'spam' });
    await turn();
    const { handle } = await bob.join('moderation-log', { history: 10 });
    await turn();
    expect(bob.texts(handle)).toEqual([
      'operator has made Bob moderator',
      'Ada has muted eve in tea for 60 seconds: spam',
    ]);
    expect(memory.log.lines.filter(({ fields }) => 'moderation' in fields)).toHaveLength(2);
    expect(await codeOf(ada, { op: 'join', room: 'moderation-log' })).toBe(FailureCode.Forbidden);
    const { rooms } = await eve.ask<{ rooms: RoomInfo[] }>({ op: 'rooms' });
    expect(rooms.map(({ room }) => room)).toEqual(['tea']);
    const nack = await bob.answerTo(bob.publish(handle, 'x'));
    expect(nack).toMatchObject({ failure: { code: FailureCode.Forbidden } });
    // A moderator that is one no more reads nothing of it any more.
    await operate(memory, { op: 'role', user: 'Bob', role: 'none' });
    await turn();
    expect(bob.entries(handle).at(-1)).toMatchObject({ kind: NoticeKind.Left, name: 'Bob' });
    expect(await bob.request({ op: 'history', room: 'moderation-log' })).toMatchObject({
      failure: { code: FailureCode.NotMember },
    });
  });
});
