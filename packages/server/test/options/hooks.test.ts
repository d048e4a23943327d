/** Decisions of the program around the server: late, wrong, thrown, or never made. */
import { CloseCode, FailureCode } from '@chat/protocol';
import { FrameType } from '@chat/protocol/frames';
import { describe, expect, it } from 'vitest';
import type { AuthenticateResult } from '../../src/options/hooks.js';
import { MemoryChat } from '../support/memory-chat.js';
import { turn } from '../support/turn.js';

/** A promise and its ends. */
function pending<T>(): { promise: Promise<T>; resolve: (value: T) => void; reject: (error: Error) => void } {
  let resolve!: (value: T) => void;
  let reject!: (error: Error) => void;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

describe('authenticate', () => {
  it('sees who knocks, and may choose the name and give claims', async () => {
    const seen: unknown[] = [];
    const memory = await MemoryChat.open({
      hooks: {
        authenticate: (credentials, session) => {
          seen.push(credentials, session);
          return { ok: true, name: 'grace', claims: { admin: true } };
        },
        authorize: ({ name, claims }) => {
          seen.push(name, claims);
          return true;
        },
      },
    });
    const client = await memory.enter({ name: 'whatever', credentials: { token: 'x' } });
    expect(client.welcome!.member.name).toBe('grace');
    await client.join('lobby');
    expect(seen).toEqual([
      { token: 'x' },
      expect.objectContaining({ memberId: 0, name: 'whatever', address: '192.0.2.1', dialect: 'binary' }),
      'grace',
      { admin: true },
    ]);
  });

  it.each<[string, () => unknown, number]>([
    ['says no', () => ({ ok: false }), 4010],
    ['says why not', () => ({ ok: false, reason: 'expired' }), 4010],
    ['chooses a bad name', () => ({ ok: true, name: 'a\nb' }), 4013],
    [
      'throws',
      () => {
        throw new Error('database down');
      },
      4030,
    ],
    ['rejects', () => Promise.reject(new Error('database down')), 4030],
    ['answers nothing', () => undefined, 4030],
  ])('that %s closes with a code and leaves nothing', async (_what, decide, code) => {
    const memory = await MemoryChat.open({ hooks: { authenticate: decide as () => AuthenticateResult } });
    const client = memory.connect();
    client.greet({ name: 'ada' });
    const close = await client.closed;
    expect(close!.code).toBe(code);
    expect(close!.reason).not.toContain('database');
    expect(memory.chat.sessions.count).toBe(0);
    expect(memory.log.at('error')).toHaveLength(code === 4030 ? 1 : 0);
    const line = memory.connectLine();
    line.send('ada\n');
    await turn(2);
    expect(line.link.closed).toBe(true);
    expect(line.text()).toMatch(/^\*\*\* .+ \([a-z-]+\)\n$/);
  });

  it.each([
    ['unauthorized', 4010, 0],
    ['forbidden', 4011, 0],
    ['name-taken', 4012, 0],
    ['rate-limited', 4021, 1500],
    ['overloaded', 4023, 1500],
  ] as const)('may refuse as %s, and say when to come back', async (code, number, retryAfterMs) => {
    const decision = { ok: false, code, reason: 'for a reason', retryAfterMs } as const;
    const memory = await MemoryChat.open({ hooks: { authenticate: () => decision } });
    const client = memory.connect();
    client.greet({ name: 'ada' });
    expect(await client.closed).toMatchObject({ code: number, reason: 'for a reason', retryAfterMs });
  });

  it('may let somebody take a name over, or keep it for the one who has it, whatever the policy is', async () => {
    const authenticate = (credentials: unknown): AuthenticateResult =>
      credentials === 'the owner'
        ? { ok: true, name: 'ada', takesOver: true }
        : { ok: true, takesOver: false };
    for (const duplicateNames of ['refuse', 'takeover', 'suffix'] as const) {
      const memory = await MemoryChat.open({
        maxSessionsPerUser: 1,
        duplicateNames,
        hooks: { authenticate },
      });
      const first = await memory.enter({ name: 'ada', credentials: 'the owner' });
      const guest = memory.connect();
      guest.greet({ name: 'ada' });
      if (duplicateNames === 'suffix')
        expect((await guest.take(FrameType.Welcome)).welcome.member.name).toBe('ada-2');
      else expect((await guest.closed)!.code).toBe(CloseCode.NameTaken);
      expect(first.gone).toBe(false);
      const owner = await memory.enter({ name: 'ada', credentials: 'the owner' });
      expect(owner.welcome!.member.name).toBe('ada');
      expect((await first.closed)!.code).toBe(CloseCode.SessionReplaced);
    }
  });

  it('takes nothing over from somebody who only looks alike', async () => {
    const names: Readonly<Record<string, string>> = { one: 'paypal', two: 'paypaI' };
    const authenticate = (credentials: unknown): AuthenticateResult => ({
      ok: true,
      name: names[String(credentials)]!,
      takesOver: true,
    });
    const memory = await MemoryChat.open({ hooks: { authenticate } });
    const one = await memory.enter({ name: '', credentials: 'one' });
    const two = memory.connect();
    two.greet({ name: '', credentials: 'two' });
    expect((await two.closed)!.code).toBe(CloseCode.NameTaken);
    expect(one.gone).toBe(false);
  });

  it('that never decides is given up at the handshake timeout, and its place is free', async () => {
    let aborted = 0;
    let hang = true;
    const memory = await MemoryChat.open({
      maxSessions: 2,
      handshakeTimeoutMs: 1000,
      hooks: {
        authenticate: (_credentials, _session, signal) => {
          if (!hang) return { ok: true };
          signal.addEventListener('abort', () => aborted++);
          return new Promise(() => {});
        },
      },
    });
    for (let i = 0; i < 5; i++) {
      const clients = [memory.connect(), memory.connect(), memory.connect()];
      for (const [j, client] of clients.entries()) client.greet({ name: `m${j}` });
      await turn();
      expect((await clients[2]!.closed)!.code).toBe(4023);
      memory.clock.advance(1500);
      expect((await clients[0]!.closed)!.code).toBe(4002);
      await turn();
    }
    expect(aborted).toBe(10);
    hang = false;
    expect((await memory.enter('ada')).welcome!.resumed).toBe(false);
  });

  it('that decides after the client has gone has no effect', async () => {
    const decisions = [
      pending<AuthenticateResult>(),
      pending<AuthenticateResult>(),
      pending<AuthenticateResult>(),
    ];
    let calls = 0;
    const memory = await MemoryChat.open({ hooks: { authenticate: () => decisions[calls++]!.promise } });
    const gone = memory.connect();
    gone.greet({ name: 'ada' });
    gone.pipe.destroy();
    decisions[0]!.resolve({ ok: true });
    const failed = memory.connect();
    failed.greet({ name: 'ada' });
    failed.pipe.destroy();
    decisions[1]!.reject(new Error('too late'));
    await turn(2);
    expect(memory.chat.sessions.count).toBe(0);
    const here = memory.connect();
    here.greet({ name: 'ada' });
    decisions[2]!.resolve({ ok: true });
    await here.take(FrameType.Welcome);
  });

  it('that decides while the server goes away is too late', async () => {
    const decision = pending<AuthenticateResult>();
    const memory = await MemoryChat.open({ hooks: { authenticate: () => decision.promise } });
    const client = memory.connect();
    client.greet({ name: 'ada' });
    memory.chat.admission.close();
    decision.resolve({ ok: true });
    expect((await client.closed)!.code).toBe(1001);
    expect(memory.chat.sessions.count).toBe(0);
  });

  it('lets one of two have a name that both want, and tells the other', async () => {
    const decisions: ReturnType<typeof pending<AuthenticateResult>>[] = [];
    const memory = await MemoryChat.open({
      hooks: {
        authenticate: () => {
          const decision = pending<AuthenticateResult>();
          decisions.push(decision);
          return decision.promise;
        },
      },
    });
    const [first, second] = [memory.connect(), memory.connect()];
    first.greet({ name: 'ada' });
    second.greet({ name: 'ADA' });
    await turn();
    decisions[1]!.resolve({ ok: true });
    decisions[0]!.resolve({ ok: true });
    await second.take(FrameType.Welcome);
    expect((await first.closed)!.code).toBe(4012);
  });
});

describe('isReserved', () => {
  const hooks = {
    authenticate: (credentials: unknown): AuthenticateResult =>
      credentials === 'good' ? { ok: true, name: 'ada' } : { ok: true },
    isReserved: (name: string) => name === 'ada' || name === 'bob-2',
  };

  it('keeps a name for the one whom authenticate gives it', async () => {
    const memory = await MemoryChat.open({ hooks });
    const guest = memory.connect();
    guest.greet({ name: 'ada' });
    expect((await guest.closed)!.code).toBe(CloseCode.NameTaken);
    const ada = await memory.enter({ name: 'ada', credentials: 'good' });
    expect(ada.welcome!.member.name).toBe('ada');
  });

  it('lets nobody have it by a rename, nor by a suffix', async () => {
    const memory = await MemoryChat.open({ hooks, duplicateNames: 'suffix' });
    const bob = await memory.enter({ name: 'bob' });
    expect((await memory.enter({ name: 'bob' })).welcome!.member.name).toBe('bob-3');
    const refused = await bob.request({ op: 'rename', name: 'ada' });
    expect(refused).toMatchObject({ type: FrameType.Failed, failure: { code: FailureCode.NameTaken } });
    expect(await bob.ask({ op: 'rename', name: 'rob' })).toEqual({ name: 'rob' });
  });
});

describe('authorize', () => {
  it('decides about joining and writing, room by room', async () => {
    const asked: string[] = [];
    const memory = await MemoryChat.open({
      hooks: {
        authorize: (_session, action, room) => {
          asked.push(`${action} ${room}`);
          return !(action === 'join' ? room === 'secret' : room === 'news');
        },
      },
    });
    const ada = await memory.enter('ada');
    expect(await ada.request({ op: 'join', room: 'secret' })).toMatchObject({
      failure: { code: FailureCode.Forbidden },
    });
    expect(memory.chat.rooms.size).toBe(0);
    const news = await ada.join('news');
    const lobby = await ada.join('lobby');
    ada.publish(news.handle, 'no');
    expect(await ada.take(FrameType.Nack)).toMatchObject({ failure: { code: FailureCode.Forbidden } });
    await ada.say(lobby.handle, 'yes');
    expect(asked).toEqual(['join secret', 'join news', 'join lobby', 'write news', 'write lobby']);
    const line = await MemoryChat.open({ hooks: { authorize: () => false } });
    const nc = line.connectLine();
    nc.send('ada\n');
    await turn(2);
    expect(nc.text()).toBe('*** not allowed to join lobby (forbidden)\n');
  });

  it('that throws refuses one request or message, not the connection', async () => {
    const memory = await MemoryChat.open({
      hooks: {
        authorize: (_session, action, room) => {
          if (room === 'broken' || action === 'write') throw new Error('database down');
          return true;
        },
      },
    });
    const ada = await memory.enter('ada');
    expect(await ada.request({ op: 'join', room: 'broken' })).toMatchObject({
      failure: { code: FailureCode.Internal, message: 'the server failed' },
    });
    const { handle } = await ada.join('lobby');
    ada.publish(handle, 'text');
    expect(await ada.take(FrameType.Nack)).toMatchObject({ failure: { code: FailureCode.Internal } });
    expect(memory.log.at('error')).toHaveLength(2);
  });
});

describe('onMessage', () => {
  it('lets pass, replaces, refuses; one after the other, in order', async () => {
    const memory = await MemoryChat.open({
      hooks: {
        onMessage: async ({ room, body }) => {
          const text = new TextDecoder().decode(body);
          for (let i = 0; i < text.length % 4; i++) await turn();
          expect(room).toBe('lobby');
          if (text.startsWith('bad')) return { reject: 'mind your words' };
          if (text.startsWith('loud')) return { body: new TextEncoder().encode(text.toUpperCase()) };
          return undefined;
        },
      },
    });
    const ada = await memory.enter('ada');
    const { handle } = await ada.join('lobby');
    for (const text of ['one', 'loud!', 'bad', 'three', 'two']) ada.publish(handle, text);
    await ada.take(FrameType.Ack, ({ publishId }) => publishId === 5);
    await turn();
    expect(ada.texts(handle)).toEqual(['one', 'LOUD!', 'three', 'two']);
    expect(await ada.take(FrameType.Nack)).toMatchObject({
      publishId: 3,
      failure: { code: FailureCode.Rejected, message: 'mind your words' },
    });
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('oops');
      },
    ],
    ['gives a body that is too large', () => ({ body: new Uint8Array(65_536) })],
    ['gives a body that is none', () => ({ body: 'text' })],
  ] as const)('that %s refuses the message and is logged', async (_what, decide) => {
    const memory = await MemoryChat.open({ hooks: { onMessage: decide as () => undefined } });
    const ada = await memory.enter('ada');
    const { handle } = await ada.join('lobby');
    ada.publish(handle, 'text');
    expect(await ada.take(FrameType.Nack)).toMatchObject({ failure: { code: FailureCode.Internal } });
    expect(memory.log.at('error')).toHaveLength(1);
    expect(await ada.history('lobby')).toMatchObject({ entries: { length: 1 }, end: true });
  });

  it('is told whom a direct message is for, who may have gone when it has decided', async () => {
    const decision = pending<undefined>();
    const seen: unknown[] = [];
    const memory = await MemoryChat.open({
      hooks: {
        onMessage: ({ room, to }) => {
          seen.push([room, to]);
          return room === '' ? decision.promise : undefined;
        },
      },
    });
    const [ada, bob] = [await memory.enter('ada'), await memory.enter('bob')];
    const { handle } = await ada.join('lobby');
    await ada.say(handle, 'to all');
    ada.send({ type: FrameType.Direct, publishId: 2, codec: 1, to: 'BOB', body: Uint8Array.of(1) });
    await turn();
    bob.send({ type: FrameType.Close, code: 1000, retryAfterMs: 0, reason: '' });
    decision.resolve(undefined);
    expect(await ada.take(FrameType.Nack)).toMatchObject({
      publishId: 2,
      failure: { code: FailureCode.NoSuchUser },
    });
    expect(seen).toEqual([
      ['lobby', undefined],
      ['', 'bob'],
    ]);
  });

  it('that decides in the moment of a resume is not answered before the welcome', async () => {
    const decision = pending<undefined>();
    const memory = await MemoryChat.open({ hooks: { onMessage: () => decision.promise } });
    const ada = await memory.enter('ada');
    const { handle } = await ada.join('lobby');
    ada.publish(handle, 'one');
    await turn();
    ada.pipe.destroy();
    await turn();
    const { session, secret, epoch } = ada.welcome!;
    const again = memory.connect();
    const resume = { session, secret, epoch, rooms: [{ room: 'lobby', after: 1 }], inbox: 0 };
    decision.resolve(undefined);
    again.greet({ name: 'ada', resume });
    await turn();
    expect(again.frames[0]).toMatchObject({ type: FrameType.Welcome, welcome: { resumed: true } });
    expect(again.texts(handle)).toEqual(['one']);
    // The answer that came too early is given when it is asked for.
    again.publish(handle, 'one');
    expect(await again.take(FrameType.Ack)).toMatchObject({ publishId: 1 });
    expect(again.texts(handle)).toEqual(['one']);
  });

  it('that hangs holds up its own session only', async () => {
    const memory = await MemoryChat.open({
      hooks: {
        onMessage: (_message, { name }) => (name === 'ada' ? new Promise<undefined>(() => {}) : undefined),
      },
    });
    const [ada, bob] = [await memory.enter('ada'), await memory.enter('bob')];
    const { handle } = await ada.join('lobby');
    await bob.join('lobby');
    ada.publish(handle, 'stuck');
    ada.send({ type: FrameType.Ping, nonce: 1 });
    await bob.say(handle, 'free');
    await turn();
    expect(ada.link.paused).toBe(true);
    expect(ada.frames.some(({ type }) => type === FrameType.Pong)).toBe(false);
    // It goes on receiving.
    expect(ada.texts(handle)).toEqual(['free']);
  });

  it('that decides after its sender was shown out publishes nothing', async () => {
    const decision = pending<undefined>();
    const memory = await MemoryChat.open({ hooks: { onMessage: () => decision.promise } });
    const [ada, bob] = [await memory.enter('ada'), await memory.enter('bob')];
    const { handle } = await ada.join('lobby');
    await bob.join('lobby');
    ada.publish(handle, 'last words');
    memory.chat.operator.kick('ada', '');
    decision.resolve(undefined);
    await turn(2);
    expect(bob.texts(handle)).toEqual([]);
  });

  it('that is still deciding when the session is resumed is not overtaken by what comes behind', async () => {
    const decision = pending<undefined>();
    let calls = 0;
    const memory = await MemoryChat.open({
      hooks: { onMessage: () => (calls++ === 0 ? decision.promise : undefined) },
    });
    const ada = await memory.enter('ada');
    const { handle, head } = await ada.join('lobby');
    ada.publish(handle, 'one');
    ada.pipe.destroy();
    const { session, secret, epoch } = ada.welcome!;
    const rooms = [{ room: 'lobby', after: head }];
    const again = await memory.enter({ name: 'ada', resume: { session, secret, epoch, rooms, inbox: 0 } });
    again.publishId = 0;
    again.publish(handle, 'one');
    again.publish(handle, 'two');
    await turn(2);
    expect(calls).toBe(1);
    decision.resolve(undefined);
    await turn(3);
    expect(again.texts(handle)).toEqual(['one', 'two']);
    const acks = again.frames.flatMap((frame) => (frame.type === FrameType.Ack ? frame.publishId : []));
    expect(acks).toEqual([1, 2]);
  });
});
