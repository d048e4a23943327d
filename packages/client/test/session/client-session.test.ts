/** The life of a client: connecting, coming back, ending. The server is a script, and time stands still. */
import { CloseCode } from '@chat/protocol';
import { encodeFrame, FrameType } from '@chat/protocol/frames';
import { describe, expect, it } from 'vitest';
import { Client } from '../../src/client.js';
import * as cutter from '../../src/connection/cutter.js';
import { type ClientState, connect, createChatClient } from '../../src/index.js';
import * as onDemand from '../../src/rooms/on-demand.js';
import {
  closedAfterwards,
  comeBack,
  connected,
  join as joinRoom,
  open,
  type Scene,
  scene,
} from '../support/connected.js';
import { FakeClock, turns } from '../support/fake-clock.js';
import { joined, ScriptedServer } from '../support/scripted-server.js';

function statesOf({ client }: Scene): ClientState[] {
  const states: ClientState[] = [];
  client.on('state', (state) => states.push(state));
  return states;
}

describe('connect', () => {
  it('is resolved after the welcome, with the identity and limits that the server gave', async () => {
    const { client, server } = await open();
    expect(client).toMatchObject({ id: 1, name: 'ada', epoch: 'e1', sessionId: 's1', url: 'tcp://test' });
    expect(client.limits?.maxInFlight).toBe(4);
    expect(client.state).toEqual({ status: 'open', resumed: false });
    expect(server.end.frames[0]).toMatchObject({ hello: { name: 'ada', maxFrameBytes: 65_536 } });
  });

  it('sends preface and hello in one write', async () => {
    const { server } = await open();
    expect(server.end.writes).toHaveLength(1);
  });

  it('sends no preface where the transport names the dialect', async () => {
    const made = scene();
    made.server.framed = true;
    const opened = made.client.connect();
    await turns();
    await made.server.end.welcome();
    await opened;
    expect(made.server.end.all(FrameType.Hello)).toHaveLength(1);
    await made.client.close();
  });

  it('gives one promise to all who connect one client, and begins anew after close', async () => {
    const { client, server } = scene();
    const first = client.connect();
    expect(client.connect()).toBe(first);
    await turns();
    await server.end.welcome();
    expect(client.connect()).toBe(first);
    await first;
    await client.close();
    const second = client.connect();
    expect(second).not.toBe(first);
    await turns();
    expect(server.end.last(FrameType.Hello).hello.resume).toBeUndefined();
    await server.end.welcome();
    await second;
    expect(client.state.status).toBe('open');
    await client.close();
  });

  it.each([
    [CloseCode.NameTaken, 'ERR_CLIENT_NAME_TAKEN'],
    [CloseCode.NameInvalid, 'ERR_CLIENT_NAME_INVALID'],
    [CloseCode.Unauthorized, 'ERR_CLIENT_UNAUTHORIZED'],
    [CloseCode.UnsupportedVersion, 'ERR_CLIENT_VERSION_UNSUPPORTED'],
    [CloseCode.Overloaded, 'ERR_CLIENT_OVERLOADED'],
    [4999, 'ERR_CLIENT_SERVER_CLOSED'],
  ])('rejects a hello that is refused with close code %s as %s', async (closeCode, code) => {
    const { client, server, clock } = scene();
    const opened = client.connect();
    await turns();
    await server.end.close(closeCode as CloseCode, 1500, 'no');
    await expect(opened).rejects.toMatchObject({ code, closeCode, retryAfterMs: 1500 });
    expect(client.state).toMatchObject({ status: 'closed', reason: { code } });
    expect(clock.timers).toBe(0);
  });

  it('rejects when the connection cannot be made, with the cause', async () => {
    const { client, server } = scene();
    server.refusal = new Error('nobody there');
    await expect(client.connect()).rejects.toMatchObject({
      code: 'ERR_CLIENT_CONNECT_FAILED',
      message: 'cannot connect to tcp://test: nobody there',
      cause: server.refusal,
    });
  });

  it('rejects when the connection ends before the welcome', async () => {
    const { client, server } = scene();
    const opened = client.connect();
    await turns();
    await server.end.cut();
    await expect(opened).rejects.toMatchObject({ code: 'ERR_CLIENT_CONNECT_FAILED' });
  });

  it('gives up after connectTimeoutMs while the transport opens', async () => {
    const { client, server, clock } = scene({ connectTimeoutMs: 3000 });
    server.silent = true;
    const opened = client.connect();
    opened.catch(() => {});
    await clock.advance(2999);
    expect(client.state.status).toBe('connecting');
    await clock.advance(1);
    await expect(opened).rejects.toMatchObject({ code: 'ERR_CLIENT_CONNECT_TIMEOUT' });
    expect(clock.timers).toBe(0);
  });

  it('gives up after connectTimeoutMs while the server does not welcome, and drops the connection', async () => {
    const { client, server, clock } = scene();
    const opened = client.connect();
    opened.catch(() => {});
    await clock.advance(10_000);
    await expect(opened).rejects.toMatchObject({ code: 'ERR_CLIENT_CONNECT_TIMEOUT' });
    expect(server.end.ended).toBe('destroy');
  });

  it('rejects with the reason of its signal, closes the socket and clears each timer', async () => {
    const controller = new AbortController();
    const { client, server, clock } = scene({ signal: controller.signal });
    const opened = client.connect();
    opened.catch(() => {});
    await turns();
    controller.abort(new Error('changed my mind'));
    await expect(opened).rejects.toThrow('changed my mind');
    expect(server.end.ended).toBe('destroy');
    expect(clock.timers).toBe(0);
    expect(client.state.status).toBe('closed');
  });

  it('does not begin when its signal is aborted already', async () => {
    const { client, server } = scene({ signal: AbortSignal.abort(new Error('before')) });
    await expect(client.connect()).rejects.toThrow('before');
    expect(server.ends).toHaveLength(0);
  });

  it('does not care about its signal once it is open', async () => {
    const controller = new AbortController();
    const { client } = await open({ signal: controller.signal });
    controller.abort();
    await turns();
    expect(client.state.status).toBe('open');
  });

  it('sends credentials, and asks a function for new ones at each attempt', async () => {
    let count = 0;
    const made = await open({ credentials: async () => ({ token: ++count }) });
    expect(made.server.end.last(FrameType.Hello).hello.credentials).toEqual({ token: 1 });
    await made.server.end.cut();
    await comeBack(made);
    expect(made.server.end.last(FrameType.Hello).hello.credentials).toEqual({ token: 2 });
  });

  it('rejects when the credentials cannot be had', async () => {
    const { client } = scene({ credentials: () => Promise.reject(new Error('no token')) });
    await expect(client.connect()).rejects.toMatchObject({
      code: 'ERR_CLIENT_CONNECT_FAILED',
      cause: new Error('no token'),
    });
  });

  it.each(['gopher://host', 'localhost:12345', 'tcp://', 'not a url', ''])(
    'refuses the URL %j',
    async (url) => {
      await expect(connect(url, { name: 'ada' })).rejects.toMatchObject({
        code: 'ERR_CLIENT_URL_UNSUPPORTED',
      });
    },
  );

  it.each([
    { connectTimeoutMs: 0 },
    { requestTimeoutMs: -1 },
    { maxFrameBytes: 10 },
    { outbox: { maxCount: Number.NaN } },
    { reconnect: { baseDelayMs: 0 } },
    { heartbeat: { timeoutMs: 0 } },
  ])('refuses the options %j', (options) => {
    expect(() => createChatClient('tcp://test', { name: 'ada', ...options })).toThrow(RangeError);
  });

  it('refuses to connect without a name', () => {
    expect(() => createChatClient('tcp://test', {} as never)).toThrow(TypeError);
  });

  it('tells a server that speaks something else apart from a lost connection', async () => {
    const { client, server } = scene();
    const opened = client.connect();
    opened.catch(() => {});
    await turns();
    await server.end.sendBytes(new TextEncoder().encode('HTTP/1.1 400 Bad Request\r\n\r\n'));
    await expect(opened).rejects.toMatchObject({
      code: 'ERR_CLIENT_PROTOCOL',
      message: expect.stringMatching(/^not a chat server: frame of /),
      cause: { code: 'ERR_PROTOCOL_FRAME_TOO_LARGE' },
    });
  });

  it('drops a connection to something else, also when the other side never ends it', async () => {
    const { client, server } = scene();
    const opened = client.connect();
    opened.catch(() => {});
    await turns();
    await server.end.sendBytes(new TextEncoder().encode('SSH-2.0-OpenSSH_9.6\r\n'));
    await expect(opened).rejects.toMatchObject({ code: 'ERR_CLIENT_PROTOCOL' });
    expect(server.end.ended).toBe('destroy');
  });

  it.each([
    ['a welcome without limits', { limits: undefined }],
    ['a welcome without member', { member: { id: 'one', name: 'ada' } }],
    ['a welcome with a room that is none', { rooms: [{ room: 'lobby' }] }],
  ])('refuses %s', async (_what, changes) => {
    const { client, server } = scene();
    const opened = client.connect();
    opened.catch(() => {});
    await turns();
    await server.end.welcome(changes as never);
    await expect(opened).rejects.toMatchObject({ code: 'ERR_CLIENT_PROTOCOL' });
  });
});

describe('state', () => {
  it('goes through idle, connecting, open, reconnecting, open and closed, each told once', async () => {
    const made = scene();
    const { client, server, clock } = made;
    expect(client.state).toEqual({ status: 'idle' });
    const states = statesOf(made);
    const opened = client.connect();
    await turns();
    await server.end.welcome();
    await opened;
    const lostAt = clock.now();
    await server.end.cut();
    await clock.advance(250);
    await server.end.welcome({ resumed: true });
    await client.close();
    expect(states).toEqual([
      { status: 'connecting' },
      { status: 'open', resumed: false },
      {
        status: 'reconnecting',
        attempt: 1,
        nextAt: lostAt + 250,
        error: expect.objectContaining({ code: 'ERR_CLIENT_CONNECTION_LOST' }),
      },
      { status: 'open', resumed: true },
      { status: 'closed', reason: expect.objectContaining({ code: 'ERR_CLIENT_CLOSED' }) },
    ]);
  });

  it('can be followed with an iterator that begins with the present state and ends with closed', async () => {
    const { client, server } = scene();
    const seen: string[] = [];
    const following = (async () => {
      for await (const { status } of client.status()) seen.push(status);
    })();
    const opened = client.connect();
    await turns();
    await server.end.welcome();
    await opened;
    await client.close();
    await following;
    expect(seen).toEqual(['idle', 'connecting', 'open', 'closed']);
  });
});

describe('reconnecting', () => {
  it('backs off with jitter, without an end, and begins anew after a connection that lasted', async () => {
    const made = await open({ random: () => 1 });
    const states = statesOf(made);
    const { server, clock } = made;
    await clock.advance(5000);
    await server.end.cut();
    for (let i = 0; i < 8; i++) {
      server.refusal = new Error('still down');
      await clock.advance(30_000);
    }
    const delays = states.flatMap((state) => (state.status === 'reconnecting' ? [state.attempt] : []));
    expect(delays).toEqual(delays.map((_, i) => i + 1));
    expect(delays.length).toBeGreaterThan(8);
    server.refusal = undefined;
    await comeBack(made);
    await server.end.welcome({ resumed: true });
    await clock.advance(5000);
    await server.end.cut();
    expect(made.client.state).toMatchObject({ status: 'reconnecting', attempt: 1 });
  });

  it('counts on when the connection does not last', async () => {
    const made = await open();
    for (let attempt = 1; attempt <= 3; attempt++) {
      await made.server.end.cut();
      expect(made.client.state).toMatchObject({ status: 'reconnecting', attempt });
      await comeBack(made);
      await made.server.end.welcome({ resumed: true });
    }
  });

  it('waits as long as the server asks for', async () => {
    const made = await open();
    const { server, clock, client } = made;
    await server.end.close(CloseCode.GoingAway, 7000);
    expect(client.state).toMatchObject({ status: 'reconnecting', nextAt: clock.now() + 7000 });
    await clock.advance(6999);
    expect(server.ends).toHaveLength(1);
    await clock.advance(1);
    expect(server.ends).toHaveLength(2);
  });

  it('waits as long as a draining server asked for although its connection just broke', async () => {
    const { server, clock, client } = await open();
    const told: unknown[] = [];
    client.on('going-away', (event) => told.push(event));
    await server.end.send({
      type: FrameType.GoAway,
      code: CloseCode.GoingAway,
      retryAfterMs: 4000,
      reason: 'restart',
    });
    await server.end.cut();
    expect(client.state).toMatchObject({ status: 'reconnecting', nextAt: clock.now() + 4000 });
    expect(told).toEqual([{ reason: 'restart', retryAfterMs: 4000 }]);
  });

  it('waits for the longer of what a going-away and the close after it asked for', async () => {
    const { server, clock, client } = await open();
    const code = CloseCode.GoingAway;
    await server.end.send({ type: FrameType.GoAway, code, retryAfterMs: 4000, reason: 'restart' });
    await server.end.close(code, 0);
    expect(client.state).toMatchObject({ status: 'reconnecting', nextAt: clock.now() + 4000 });
  });

  it('can be told not to wait', async () => {
    const made = await open();
    await made.server.end.cut();
    expect(made.server.ends).toHaveLength(1);
    made.client.reconnectNow();
    made.client.reconnectNow();
    await turns();
    expect(made.server.ends).toHaveLength(2);
    await made.server.end.welcome({ resumed: true });
    expect(made.client.state.status).toBe('open');
    made.client.reconnectNow();
    await turns();
    expect(made.server.ends).toHaveLength(2);
  });

  it.each([
    [CloseCode.Kicked, 'ERR_CLIENT_KICKED'],
    [CloseCode.Banned, 'ERR_CLIENT_BANNED'],
    [CloseCode.SessionReplaced, 'ERR_CLIENT_SESSION_REPLACED'],
    [CloseCode.Normal, 'ERR_CLIENT_SERVER_CLOSED'],
    [CloseCode.MalformedFrame, 'ERR_CLIENT_PROTOCOL'],
  ])('stops at close code %s', async (closeCode, code) => {
    const made = await open();
    await made.server.end.close(closeCode);
    expect(made.client.state).toMatchObject({ status: 'closed', reason: { code, closeCode } });
    expect(made.clock.timers).toBe(0);
  });

  it('stops when its name was taken meanwhile', async () => {
    const made = await open();
    await made.server.end.cut();
    await comeBack(made);
    await made.server.end.close(CloseCode.NameTaken);
    expect(made.client.state).toMatchObject({ status: 'closed', reason: { code: 'ERR_CLIENT_NAME_TAKEN' } });
  });

  it('says in each hello that it is the same client, in which order, and that no other is', async () => {
    const made = await open();
    const hellos = [made.server.end.last(FrameType.Hello).hello];
    await made.server.end.cut();
    await comeBack(made);
    hellos.push(made.server.end.last(FrameType.Hello).hello);
    await made.client.close();
    void made.client.connect();
    await turns();
    hellos.push(made.server.end.last(FrameType.Hello).hello);
    expect(hellos.map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
    const [first, ...others] = hellos.map(({ clientSecret }) => clientSecret);
    expect(others).toEqual([first, first]);
    expect(first).toMatch(/^[0-9a-z]{16,32}$/);
    const other = await open();
    expect(other.server.end.last(FrameType.Hello).hello.clientSecret).not.toBe(first);
  });

  it('does not happen when it is turned off', async () => {
    const made = await open({ reconnect: { enabled: false } });
    await made.server.end.cut(new Error('reset'));
    expect(made.client.state).toMatchObject({
      status: 'closed',
      reason: { code: 'ERR_CLIENT_CONNECTION_LOST', cause: new Error('reset') },
    });
  });

  it('gives up after maxAttempts', async () => {
    const made = await open({ reconnect: { maxAttempts: 2 } });
    await made.server.end.cut();
    made.server.refusal = new Error('down');
    await made.clock.advance(100_000);
    expect(made.client.state).toMatchObject({
      status: 'closed',
      reason: { code: 'ERR_CLIENT_CONNECT_FAILED' },
    });
  });

  it('waits for a server that is not up yet, when told so', async () => {
    const made = scene({ reconnect: { initial: true } });
    closedAfterwards(made);
    made.server.refusal = new Error('not yet');
    const opened = made.client.connect();
    await made.clock.advance(10_000);
    expect(made.client.state.status).toBe('reconnecting');
    made.server.refusal = undefined;
    await comeBack(made);
    await made.server.end.welcome();
    await opened;
    expect(made.client.state).toEqual({ status: 'open', resumed: false });
  });

  it('does not wait for a server that refuses for good, even when told to wait', async () => {
    const { client, server } = scene({ reconnect: { initial: true } });
    const opened = client.connect();
    opened.catch(() => {});
    await turns();
    await server.end.close(CloseCode.NameInvalid);
    await expect(opened).rejects.toMatchObject({ code: 'ERR_CLIENT_NAME_INVALID' });
  });

  it('waits for a name that an earlier run may still have, when told to wait, and not for ever', async () => {
    const made = scene({ reconnect: { initial: true, nameTakenTimeoutMs: 20_000 } });
    const { client, server, clock } = made;
    const opened = client.connect();
    const rejected = expect(opened).rejects.toMatchObject({ code: 'ERR_CLIENT_NAME_TAKEN' });
    const startedAt = clock.now();
    await turns();
    for (let closed = 0; client.state.status !== 'closed'; ) {
      while (closed < server.ends.length) await server.ends[closed++]!.close(CloseCode.NameTaken);
      if (client.state.status !== 'reconnecting') continue;
      expect(client.state.error.code).toBe('ERR_CLIENT_NAME_TAKEN');
      await clock.advance(client.state.nextAt - clock.now());
    }
    await rejected;
    // The last attempt is made when the time is over, and not before.
    expect(clock.now() - startedAt).toBe(20_000);
    expect(server.ends.length).toBeGreaterThan(4);

    const again = client.connect();
    await turns();
    await server.end.close(CloseCode.NameTaken);
    await comeBack(made);
    await server.end.welcome();
    await again;
  });

  it('does not wait for a name when it was not told to, or has been in already', async () => {
    for (const reconnect of [{}, { initial: true, nameTakenTimeoutMs: 0 }]) {
      const { client, server } = scene({ reconnect });
      const opened = client.connect();
      opened.catch(() => {});
      await turns();
      await server.end.close(CloseCode.NameTaken);
      await expect(opened).rejects.toMatchObject({ code: 'ERR_CLIENT_NAME_TAKEN' });
    }
    const made = await connected({ reconnect: { initial: true } });
    await made.server.end.cut();
    await comeBack(made);
    await made.server.end.close(CloseCode.NameTaken);
    expect(made.client.state.status).toBe('closed');
  });

  it('asks to resume its session, under its present name', async () => {
    const made = await open();
    const renaming = made.client.rename('lovelace');
    await turns();
    await made.server.end.respond({ name: 'lovelace' });
    expect(await renaming).toBe('lovelace');
    await made.server.end.cut();
    await comeBack(made);
    expect(made.server.end.last(FrameType.Hello).hello).toMatchObject({
      name: 'lovelace',
      resume: { session: 's1', secret: 'secret', epoch: 'e1', rooms: [], inbox: 0 },
    });
  });

  it('ends the connection for good when the server breaks the protocol, and says how', async () => {
    const made = await open();
    await made.server.end.sendBytes(Uint8Array.of(9, 0, 0, 0, 0x77, 0, 0, 0, 0));
    expect(made.client.state).toMatchObject({
      status: 'closed',
      reason: { code: 'ERR_CLIENT_PROTOCOL', cause: { code: 'ERR_PROTOCOL_FRAME_UNKNOWN' } },
    });
    expect(made.server.end.last(FrameType.Close).code).toBe(CloseCode.UnknownFrame);
    expect(made.server.end.ended).toBe('end');
  });

  it('takes a frame that only a client may send for a breach', async () => {
    const made = await open();
    await made.server.end.sendBytes(
      encodeFrame({ type: FrameType.Request, id: 1, request: { op: 'leave', room: 'x' } }),
    );
    expect(made.client.state).toMatchObject({ status: 'closed', reason: { code: 'ERR_CLIENT_PROTOCOL' } });
  });
});

describe('close', () => {
  it('says goodbye after everything that was sent, and is done when the transport is', async () => {
    const { client, server } = await connected();
    const requested = client.rooms();
    requested.catch(() => {});
    const closing = client.close();
    expect(client.state.status).toBe('closed');
    await closing;
    const types = server.end.frames.map(({ type }) => type);
    expect(types.slice(-2)).toEqual([FrameType.Request, FrameType.Close]);
    expect(server.end.last(FrameType.Close).code).toBe(CloseCode.Normal);
    expect(server.end.ended).toBe('end');
    await expect(requested).rejects.toMatchObject({ code: 'ERR_CLIENT_CLOSED' });
  });

  it('may be called twice, before connecting, and while reconnecting', async () => {
    const { client, clock } = await connected();
    await Promise.all([client.close(), client.close()]);
    expect(clock.timers).toBe(0);

    const idle = scene();
    await idle.client.close();
    expect(idle.client.state.status).toBe('closed');

    const lost = await connected();
    await lost.server.end.cut();
    await lost.client.close();
    expect(lost.clock.timers).toBe(0);
    await lost.clock.advance(100_000);
    expect(lost.server.ends).toHaveLength(1);
  });

  it('rejects whoever was still connecting', async () => {
    const { client } = scene();
    const opened = client.connect();
    opened.catch(() => {});
    await client.close();
    await expect(opened).rejects.toMatchObject({ code: 'ERR_CLIENT_CLOSED' });
  });

  it('drops a connection whose other side does not close', async () => {
    const { client, server, clock } = await connected();
    server.end.confirmEnd = () => {};
    const closing = client.close();
    await clock.advance(1000);
    await closing;
    expect(clock.timers).toBe(0);
  });

  it('happens at the end of a block', async () => {
    const { client } = await connected();
    await client[Symbol.asyncDispose]();
    expect(client.state.status).toBe('closed');
  });

  it('makes every later call reject', async () => {
    const { client, server } = await connected();
    const joining = client.join('lobby');
    await turns();
    await server.end.respond(joined('lobby'));
    const room = await joining;
    await client.close();
    const closed = { code: 'ERR_CLIENT_CLOSED' };
    await expect(client.join('lobby')).rejects.toMatchObject(closed);
    await expect(client.rename('x')).rejects.toMatchObject(closed);
    await expect(client.rooms()).rejects.toMatchObject(closed);
    await expect(client.direct('bob', 'hi')).rejects.toMatchObject(closed);
    await expect(room.send('hi')).rejects.toMatchObject(closed);
    await expect(room.leave()).resolves.toBeUndefined();
    expect(await client.leave('lobby')).toBe(false);
    expect(room.signal('typing')).toBe(false);
  });
});

describe('a session that has used up its publish numbers', () => {
  it('goes on in another one, once everything is answered, with the same identity and in the same rooms', async () => {
    const server = new ScriptedServer();
    const clock = new FakeClock();
    const platform = { schemes: '', transportFor: () => undefined, cutter, onDemand };
    const options = { name: 'ada', clock, random: () => 0.5, transport: server.transport };
    const client = new Client<string>(platform, 'tcp://test', options, 3);
    const opened = client.connect();
    await turns();
    await server.end.welcome();
    await opened;
    const room = await joinRoom({ client, server, clock });
    const sending = ['a', 'b', 'c', 'd', 'e'].map((text) => room.send(text));
    await turns();
    expect(server.end.texts).toEqual(['a', 'b', 'c']);
    for (const id of [1, 2]) await server.end.ack(id, 10 + id);
    expect(server.ends).toHaveLength(1);
    await server.end.ack(3, 13);
    expect(client.state.status).toBe('reconnecting');
    await clock.advance(500);
    const [before, after] = server.ends.map((end) => end.last(FrameType.Hello).hello);
    expect(after).toMatchObject({ clientSecret: before!.clientSecret, attempt: 2 });
    expect(after!.resume).toBeUndefined();
    await server.end.welcome({ session: 's2' });
    await server.end.respond(joined('lobby', { handle: 8, start: 0 }));
    expect(server.end.all(FrameType.Publish).map(({ room, publishId }) => [room, publishId])).toEqual([
      [8, 1],
      [8, 2],
    ]);
    await server.end.ack(1, 20);
    await server.end.ack(2, 21);
    expect((await Promise.all(sending)).map(({ seq }) => seq)).toEqual([11, 12, 13, 20, 21]);
  });
});
