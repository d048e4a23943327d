import { CloseCode } from '@chat/protocol';
import { encodeFrame, encodePing, FrameType, type Hello } from '@chat/protocol/frames';
import { describe, expect, it } from 'vitest';
import { Connection } from '../../src/connection/connection.js';
import { cutter } from '../../src/connection/cutter.js';
import { open } from '../support/connected.js';
import { FakeClock, turns } from '../support/fake-clock.js';
import { message, ServerEnd, welcome } from '../support/scripted-server.js';

describe('liveness', () => {
  it('answers pings', async () => {
    const { server } = await open();
    await server.end.send({ type: FrameType.Ping, nonce: 99 });
    expect(server.end.last(FrameType.Pong).nonce).toBe(99);
  });

  it('gives up a server that is silent for the idle timeout of the server', async () => {
    const made = await open();
    await made.clock.advance(59_000);
    expect(made.client.state.status).toBe('open');
    expect(made.server.end.all(FrameType.Ping).length).toBeGreaterThan(0);
    await made.clock.advance(1000);
    expect(made.client.state).toMatchObject({
      status: 'reconnecting',
      error: { code: 'ERR_CLIENT_CONNECTION_LOST' },
    });
  });

  it('stays when the server answers', async () => {
    const made = await open({ heartbeat: { timeoutMs: 4000 } });
    for (let i = 0; i < 20; i++) {
      await made.clock.advance(1000);
      const ping = made.server.end.all(FrameType.Ping).at(-1);
      if (ping) await made.server.end.send({ type: FrameType.Pong, nonce: ping.nonce });
    }
    expect(made.client.state.status).toBe('open');
  });

  it('comes back by itself in a hidden page, whose timers run once a minute', async () => {
    const made = await open();
    const { client, server, clock } = made;
    clock.grainMs = 60_000;
    server.hospitable = true;
    // The cable is pulled: whatever is said is heard by nobody, and nobody says that the connection is gone.
    await clock.advance(5 * 60_000);
    expect(server.ends).toHaveLength(2);
    expect(client.state.status).toBe('open');
    expect(server.end.last(FrameType.Hello).hello.resume).toMatchObject({ session: 's1' });
  });

  it('asks within its interval after a sleep that no timer counted, and comes back', async () => {
    const { client, server, clock } = await open();
    server.hospitable = true;
    await clock.sleep(8 * 3_600_000, { timersStop: true });
    expect(client.state.status).toBe('open');
    await clock.advance(15_000);
    expect(server.end.all(FrameType.Ping)).toHaveLength(1);
    await clock.advance(6000);
    expect(server.ends).toHaveLength(2);
    expect(client.state.status).toBe('open');
  });

  it('measures the round trip', async () => {
    const { client, server, clock } = await open();
    const measuring = client.ping();
    await clock.advance(40);
    await server.end.send({ type: FrameType.Pong, nonce: server.end.last(FrameType.Ping).nonce });
    expect(await measuring).toBe(40);
  });

  it('rejects a measurement that the connection did not survive, or had no connection for', async () => {
    const { client, server } = await open();
    const measuring = client.ping();
    measuring.catch(() => {});
    await server.end.cut();
    await expect(measuring).rejects.toMatchObject({ code: 'ERR_CLIENT_CONNECTION_LOST' });
    await expect(client.ping()).rejects.toMatchObject({ code: 'ERR_CLIENT_CONNECTION_LOST' });
  });
});

/** A connection by itself: who lives on it writes down what it hears. */
function alone({ framed = false, connectTimeoutMs = 10_000 } = {}) {
  const clock = new FakeClock();
  const log: string[] = [];
  const connection = new Connection(
    {
      onWelcome: (_, { session }) => log.push(`welcome ${session}`),
      onEntry: (type, bytes, offset, length) => log.push(`entry ${type} ${bytes[offset]} ${length}`),
      onFrame: ({ type }) => log.push(`frame ${type}`),
      onEnd: (_, { code }) => log.push(`end ${code}`),
    },
    { clock, connectTimeoutMs, maxFrameBytes: 65_536, heartbeat: { timeoutMs: 0 } },
  );
  connection.cutter = cutter(65_536);
  const end = new ServerEnd('tcp://test', connection, framed);
  const transport = {
    framed,
    bufferedBytes: 0,
    write: (bytes: Uint8Array) => end.receive(bytes),
    end: () => {
      end.ended ??= 'end';
    },
    destroy: () => {
      end.ended ??= 'destroy';
    },
  };
  const hello: Hello = { name: 'ada', maxFrameBytes: 65_536 };
  const start = () => connection.start(transport, hello);
  const open = async () => {
    start();
    await end.send({ type: FrameType.Welcome, welcome: welcome(hello) });
  };
  return { clock, log, connection, end, transport, hello, start, open };
}

describe('Connection', () => {
  it('hands on entries as bytes, however they were cut, and answers decoded', async () => {
    const { open, log, connection } = alone();
    await open();
    const bytes = encodeFrame(message(1, 0, 'hello'));
    for (const byte of bytes) connection.data(Uint8Array.of(byte));
    connection.data(encodeFrame({ type: FrameType.Ack, publishId: 1, seq: 1, at: 1 }));
    expect(log).toEqual([
      'welcome s1',
      `entry ${FrameType.Message} ${bytes.length & 0xff} ${bytes.length}`,
      `frame ${FrameType.Ack}`,
    ]);
  });

  it.each([
    ['an answer before the welcome', { type: FrameType.Ack, publishId: 1, seq: 1, at: 1 }],
    ['an entry before the welcome', message(1, 0, 'early')],
  ] as const)('takes %s for something that is no chat server', (_, frame) => {
    const { start, log, connection, end } = alone();
    start();
    connection.data(encodeFrame(frame));
    expect(log).toEqual(['end ERR_CLIENT_PROTOCOL']);
    expect(end.all(FrameType.Close)).toEqual([]);
    expect(end.ended).toBe('destroy');
  });

  it('takes a second welcome for a breach, and says so', async () => {
    const { open, log, connection, end, hello } = alone();
    await open();
    connection.data(encodeFrame({ type: FrameType.Welcome, welcome: welcome(hello) }));
    expect(log).toEqual(['welcome s1', 'end ERR_CLIENT_PROTOCOL']);
    expect(end.last(FrameType.Close).code).toBe(CloseCode.ProtocolError);
    expect(end.ended).toBe('end');
  });

  it('looks at nothing behind the frame that ended it', async () => {
    const { open, log, connection } = alone();
    await open();
    const close = { type: FrameType.Close, code: CloseCode.Kicked, retryAfterMs: 0, reason: '' } as const;
    const chunk = [...encodeFrame(close), ...encodeFrame(message(1, 0, 'late'))];
    connection.data(Uint8Array.from(chunk));
    connection.data(encodeFrame(message(2, 1, 'later')));
    expect(log).toEqual(['welcome s1', 'end ERR_CLIENT_KICKED']);
  });

  it('tells its end once, and holds no timer then', async () => {
    const { open, log, connection, clock } = alone();
    await open();
    connection.closed(new Error('torn'));
    connection.closed();
    expect(log).toEqual(['welcome s1', 'end ERR_CLIENT_CONNECTION_LOST']);
    expect(connection.signal.aborted).toBe(true);
    expect(clock.timers).toBe(0);
  });

  it('does not tell an end that was asked for, and waits a second for the other side', async () => {
    const { open, log, connection, clock, end } = alone();
    await open();
    let isClosed = false;
    void connection.close().then(() => {
      isClosed = true;
    });
    await clock.advance(999);
    expect([isClosed, end.ended]).toEqual([false, 'end']);
    await clock.advance(1);
    expect(isClosed).toBe(true);
    expect(log).toEqual(['welcome s1']);
    expect(end.last(FrameType.Close).code).toBe(CloseCode.Normal);
  });

  it('gives up a transport that opens after its end', () => {
    const { start, connection, end, log } = alone();
    void connection.close();
    start();
    expect(end.ended).toBe('destroy');
    expect([end.frames, log]).toEqual([[], []]);
  });

  it('joins what is sent in one turn into writes of at most 16 KiB, between frames', async () => {
    const { open, connection, end } = alone();
    await open();
    const before = end.writes.length;
    const frame = new Uint8Array(5000);
    frame.set([0x88, 0x13, 0, 0, FrameType.Ping]);
    for (let i = 0; i < 5; i++) connection.send(frame);
    expect(end.writes).toHaveLength(before);
    await turns();
    expect(end.writes.slice(before)).toEqual([15_000, 10_000]);
  });

  it('sends what may get lost unless more than 64 KiB wait', async () => {
    const { open, connection, end, transport } = alone();
    await open();
    transport.bufferedBytes = 65_536;
    expect(connection.sendVolatile(encodePing(7))).toBe(true);
    transport.bufferedBytes = 65_537;
    expect(connection.sendVolatile(encodePing(8))).toBe(false);
    await turns();
    expect(end.all(FrameType.Ping).map(({ nonce }) => nonce)).toEqual([7]);
  });

  it('asks a transport that is framed for no preface', () => {
    const { start, end } = alone({ framed: true });
    start();
    expect(end.frames.map(({ type }) => type)).toEqual([FrameType.Hello]);
  });

  it('gives up when there is no welcome in time', async () => {
    const { start, clock, log, end } = alone({ connectTimeoutMs: 500 });
    start();
    await clock.advance(499);
    expect(log).toEqual([]);
    await clock.advance(1);
    expect([log, end.ended]).toEqual([['end ERR_CLIENT_CONNECT_TIMEOUT'], 'destroy']);
  });
});
