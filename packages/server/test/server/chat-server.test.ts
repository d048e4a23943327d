/** The life of a server: listening, certificates, events, going away, closing. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { FrameType } from '@chat/protocol/frames';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { ServerError, ServerErrorCode } from '../../src/errors.js';
import { UNLIMITED } from '../../src/options/options.js';
import { type ChatServer, createChatServer } from '../../src/server/chat-server.js';
import { openssl, station, testCertificate } from '../support/carriers.js';
import { makeCertificate } from '../support/certificate.js';
import { LogLines } from '../support/log-lines.js';
import { ManualClock } from '../support/manual-clock.js';
import { tcpPipe, tlsPipe } from '../support/socket-pipe.js';
import { closed, turn, until } from '../support/turn.js';
import { WireClient } from '../support/wire-client.js';

const LOCAL = { port: 0, host: '127.0.0.1' } as const;

function portOf(server: ChatServer): number {
  const { address } = server;
  if (address?.kind !== 'tcp') throw new Error('no port');
  return address.port;
}

describe('listen', () => {
  it('answers the real address, and may be called for several', async () => {
    await using server = createChatServer();
    expect(server.address).toBeUndefined();
    const path = join(tmpdir(), `chat-listen-${process.pid}.sock`);
    const first = await server.listen(LOCAL);
    expect(first).toMatchObject({ kind: 'tcp', host: '127.0.0.1', port: expect.any(Number), tls: false });
    if (process.platform !== 'win32') await server.listen({ path });
    const second = await server.listen(LOCAL);
    expect(second).not.toEqual(first);
    expect(server.addresses.at(0)).toEqual(first);
    expect(server.addresses.at(-1)).toEqual(second);
    const members = [tcpPipe({ port: portOf(server), host: '127.0.0.1' })];
    if (process.platform !== 'win32') members.push(tcpPipe({ path }));
    const rooms = await Promise.all(
      members.map(async (pipe, i) => {
        const client = new WireClient(pipe);
        await client.enter({ name: `m${i}` });
        return client.join('lobby');
      }),
    );
    expect(new Set(rooms.map(({ handle }) => handle)).size).toBe(1);
    await server.close();
    expect(existsSync(path)).toBe(false);
  });

  it('rejects a taken port, an address that is not here, and a path that cannot be, with the cause', async () => {
    await using other = createChatServer();
    await other.listen(LOCAL);
    await using server = createChatServer();
    const wrong = [
      [{ port: portOf(other), host: '127.0.0.1' }, 'EADDRINUSE'],
      [{ port: 0, host: '203.0.113.1' }, 'EADDRNOTAVAIL'],
      [
        { path: join(tmpdir(), 'no', 'such', 'folder', 'x.sock') },
        process.platform === 'win32' ? undefined : /EACCES|ENOENT/,
      ],
    ] as const;
    for (const [address, code] of wrong) {
      const error = await server.listen(address).catch((reason: unknown) => reason);
      if (code === undefined) continue;
      expect(ServerError.is(error)).toBe(true);
      expect(error).toMatchObject({
        code: ServerErrorCode.Listen,
        cause: { code: expect.stringMatching(code) },
      });
    }
    await server.listen(LOCAL);
  });

  it('is refused once the server closes, also when that happens meanwhile', async () => {
    const server = createChatServer();
    const listening = server.listen(LOCAL).catch((error: unknown) => error);
    await server.close();
    expect(await listening).toMatchObject({ code: ServerErrorCode.Closed });
    await expect(server.listen(LOCAL)).rejects.toMatchObject({ code: ServerErrorCode.Closed });
  });
});

describe.skipIf(!openssl)('TLS', () => {
  it('lives beside the plain dialects on one port, with every dialect inside', async () => {
    await using server = createChatServer();
    await server.listen({ ...LOCAL, tls: testCertificate() });
    const port = portOf(server);
    const [plain, secret] = [
      new WireClient(tcpPipe({ port, host: '127.0.0.1' })),
      new WireClient(tlsPipe(port)),
    ];
    await plain.enter({ name: 'plain' });
    await secret.enter({ name: 'secret' });
    const { handle } = await plain.join('lobby');
    await secret.join('lobby');
    const line = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false });
    let text = '';
    line.on('data', (chunk) => {
      text += String(chunk);
    });
    line.write('nc\n');
    await plain.take(FrameType.Notice, ({ name }) => name === 'nc');
    await secret.say(handle, 'hello');
    await until(() => text === 'secret: hello\n');
    line.end('bye\n/quit\n');
    await plain.take(FrameType.Notice, ({ name, kind }) => name === 'nc' && kind === 2);
    const page = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false });
    page.write('GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    const answer = await new Promise<string>((resolve) =>
      page.once('data', (chunk) => resolve(String(chunk))),
    );
    expect(answer).toContain('200 OK');
    secret.pipe.destroy();
    plain.pipe.destroy();
    await until(() => server.stats().openConnections === 0);
  });

  it('exchanges its certificate without losing anybody, and keeps the old one when the new is no good', async () => {
    await using server = createChatServer();
    await server.listen({ ...LOCAL, tls: makeCertificate('first') });
    const port = portOf(server);
    const seen = (): Promise<string> =>
      new Promise((resolve) => {
        const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false }, () => {
          resolve(String(socket.getPeerCertificate().subject.CN));
          socket.destroy();
        });
      });
    const ada = new WireClient(tlsPipe(port));
    await ada.enter({ name: 'ada' });
    expect(await seen()).toBe('first');
    server.reloadCertificate(makeCertificate('second'));
    expect(await seen()).toBe('second');
    expect(() => server.reloadCertificate({ cert: 'none', key: 'none' })).toThrow(
      expect.objectContaining({ code: ServerErrorCode.BadOption }),
    );
    expect(() =>
      server.reloadCertificate({ cert: makeCertificate('a').cert, key: makeCertificate('b').key }),
    ).toThrow(ServerError);
    expect(await seen()).toBe('second');
    const { handle } = await ada.join('lobby');
    await ada.say(handle, 'still here');
  });

  it('cannot be listened with when certificate and key are none', async () => {
    await using server = createChatServer();
    await expect(
      server.listen({ ...LOCAL, tls: { cert: 'x', key: Uint8Array.of(1) } }),
    ).rejects.toMatchObject({
      code: ServerErrorCode.BadOption,
      message: expect.stringContaining('certificate'),
    });
  });

  it('ends a handshake that fails, and logs it at debug level', async () => {
    const logger = new LogLines();
    await using server = createChatServer({ logger });
    await server.listen({ ...LOCAL, tls: testCertificate() });
    const socket = connect(portOf(server), '127.0.0.1');
    socket.on('error', () => {});
    socket.write(Uint8Array.of(0x16, 255, 255, 255, 255, 1, 2, 3, 4, 5));
    await closed(socket);
    await until(() => logger.at('debug').some(({ message }) => message === 'TLS handshake failed'));
    await until(() => server.stats().openConnections === 0);
  });

  it('does not wait for ever for the rest of a handshake', async () => {
    const logger = new LogLines();
    // The handshake is timed by Node itself, so this takes real time: as little as there is.
    await using server = createChatServer({ logger, handshakeTimeoutMs: 1 });
    await server.listen({ ...LOCAL, tls: testCertificate() });
    const socket = connect(portOf(server), '127.0.0.1');
    socket.on('error', () => {});
    socket.write(Uint8Array.of(0x16, 3, 1));
    await closed(socket);
    await until(() => server.stats().openConnections === 0);
  });
});

describe('events', () => {
  it('tell of sessions, and a listener that throws is logged and stops nobody', async () => {
    const logger = new LogLines();
    await using server = createChatServer({ logger });
    await server.listen(LOCAL);
    const told: string[] = [];
    const stop = new AbortController();
    server.on('session-opened', () => {
      throw new Error('mine');
    });
    server.on('session-opened', async () => {
      throw new Error('mine, later');
    });
    server.on('turn-ended', () => {
      throw new Error('mine as well');
    });
    server.on('session-opened', ({ name, dialect }) => told.push(`${name} ${dialect}`), {
      signal: stop.signal,
    });
    server.on('session-opened', () => told.push('never'), { signal: AbortSignal.abort() });
    const ada = new WireClient(tcpPipe({ port: portOf(server), host: '127.0.0.1' }));
    await ada.enter({ name: 'ada' });
    stop.abort();
    const bob = new WireClient(tcpPipe({ port: portOf(server), host: '127.0.0.1' }));
    await bob.enter({ name: 'bob' });
    expect(told).toEqual(['ada binary']);
    await turn(2);
    const failures = logger.at('error').map(({ message }) => message);
    expect(failures.filter((message) => message === 'a listener of session-opened failed')).toHaveLength(4);
    expect(failures).toContain('a listener of turn-ended failed');
    expect(bob.welcome!.epoch).toBe(server.epoch);
  });

  it('tell of rooms, in the order in which they are come to and left', async () => {
    await using place = await station('TCP');
    const told: string[] = [];
    for (const name of ['session-opened', 'session-away', 'session-ended'] as const) {
      place.server.on(name, (session) => told.push(`${name} ${session.name}`));
    }
    for (const name of ['room-joined', 'room-left'] as const) {
      place.server.on(name, (session) => told.push(`${name} ${session.name} ${session.room}`));
    }
    const ada = await place.enter('ada');
    await ada.join('lobby');
    await ada.join('tea');
    await ada.join('lobby');
    await ada.ask({ op: 'leave', room: 'tea' });
    ada.send({ type: FrameType.Close, code: 1000, retryAfterMs: 0, reason: '' });
    await until(() => place.server.stats().sessions === 0);
    expect(told).toEqual([
      'session-opened ada',
      'room-joined ada lobby',
      'room-joined ada tea',
      'room-left ada tea',
      'room-left ada lobby',
      'session-ended ada',
    ]);
  });

  it('take any number of listeners without a warning', () => {
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const server = createChatServer();
    for (let i = 0; i < 50; i++) server.on('session-ended', () => {});
    expect(warned).not.toHaveBeenCalled();
    warned.mockRestore();
  });

  it('stats count what happened', async () => {
    await using server = await station('TCP');
    const ada = await server.enter('ada');
    const { handle } = await ada.join('lobby');
    await ada.say(handle, 'text');
    ada.publish(99, 'text');
    await ada.take(FrameType.Nack);
    const durations: number[] = [];
    const remove = server.server.on('turn-ended', ({ durationMs }) => durations.push(durationMs));
    await ada.say(handle, 'text');
    remove();
    expect(server.server.stats()).toMatchObject({
      ...{ connections: 1, openConnections: 1, sessions: 1, rooms: 1, messagesIn: 2, messagesRefused: 1 },
      ...{ sessionsOpened: 1, refusedConnections: 0, entriesOut: 3, gapsTold: 0 },
    });
    expect(server.server.stats().logBytes).toBe(3 * 39 + 8);
    expect(durations.length).toBeGreaterThan(0);
    expect(server.server.kick('ada')).toBe(true);
    expect(server.server.stats().closes).toEqual(new Map([[4014, 1]]));
    expect(server.server.ban('ada', 1000)).toBe(false);
  });
});

describe('drain', () => {
  afterEach(() => vi.restoreAllMocks());

  it('spreads the return of the clients, and takes no new ones', async () => {
    let i = 0;
    await using server = await station('TCP', { random: () => i++ / 10 });
    const clients = [];
    for (let j = 0; j < 10; j++) clients.push(await server.enter(`m${j}`));
    expect(await server.server.drain({ spreadMs: 10_000 })).toEqual({ drained: 10, forced: 0 });
    const delays = await Promise.all(
      clients.map(async (client) => {
        const close = await client.closed;
        const goAway = client.frames.find((frame) => frame.type === FrameType.GoAway);
        expect(goAway).toMatchObject({ code: 1001, retryAfterMs: close!.retryAfterMs });
        return close!.retryAfterMs;
      }),
    );
    expect(delays).toEqual([0, 1000, 2000, 3000, 4000, 5000, 6000, 7000, 8000, 9000]);
    await expect(server.server.listen(LOCAL)).rejects.toMatchObject({ code: ServerErrorCode.Closed });
  });

  it('takes what a client publishes before it knows, and answers it', async () => {
    await using server = await station('TCP', UNLIMITED);
    const ada = await server.enter('ada');
    const { handle } = await ada.join('lobby');
    // It answers the barrier only after it has said everything.
    const { onBytes } = ada.pipe;
    let held: Uint8Array[] | undefined = [];
    ada.pipe.onBytes = (chunk) => (held ? void held.push(chunk) : onBytes(chunk));
    const drained = server.server.drain();
    await until(() => held!.length > 0);
    for (let i = 0; i < 100; i++) ada.publish(handle, `${i}`);
    const chunks = held!;
    held = undefined;
    for (const chunk of chunks) onBytes(chunk);
    expect(await drained).toEqual({ drained: 1, forced: 0 });
    await ada.closed;
    expect(ada.frames.filter(({ type }) => type === FrameType.Ack)).toHaveLength(100);
  });

  it('waits for a reader that is behind', async () => {
    await using server = await station('TCP', { ...UNLIMITED, retentionBytes: 64_000_000 });
    const [ada, slow] = [await server.enter('ada'), await server.enter('slow')];
    const { handle } = await ada.join('lobby');
    await slow.join('lobby');
    slow.pipe.pause();
    for (let i = 0; i < 1000; i++) ada.publish(handle, new Uint8Array(16_000));
    await ada.take(FrameType.Ack, ({ publishId }) => publishId === 1000);
    const drained = server.server.drain({ deadlineMs: 60_000 });
    await ada.closed;
    slow.pipe.resume();
    expect(await drained).toEqual({ drained: 2, forced: 0 });
    expect(await slow.closed).toMatchObject({ code: 1001 });
    expect(slow.texts(handle)).toHaveLength(1000);
  });

  it('waits for the last bytes of a connection that it has ended', async () => {
    await using server = await station('TCP', { ...UNLIMITED, retentionBytes: 64_000_000 });
    const nc = connect(server.port, '127.0.0.1');
    let text = '';
    nc.on('data', (chunk) => {
      text += String(chunk);
    });
    nc.write('nc\n');
    await until(() => server.server.stats().sessions === 1);
    nc.pause();
    const ada = await server.enter('ada');
    const { handle } = await ada.join('lobby');
    for (let i = 0; i < 500; i++) ada.publish(handle, 'x'.repeat(60_000));
    await ada.take(FrameType.Ack, ({ publishId }) => publishId === 500);
    const drained = server.server.drain({ deadlineMs: 60_000 });
    await ada.closed;
    nc.resume();
    expect(await drained).toEqual({ drained: 2, forced: 0 });
    await closed(nc);
    expect(text.endsWith('*** the server goes away (going-away)\n')).toBe(true);
  });

  it('cuts those who do not answer at the deadline, or when told to, and leaves no listener behind', async () => {
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    for (const how of ['deadline', 'signal', 'signal before'] as const) {
      const clock = new ManualClock();
      await using server = await station('TCP', { clock });
      const ada = await server.enter('ada');
      const deaf = new WireClient(server.pipe(), { pong: false });
      await deaf.enter({ name: 'deaf' });
      const cut = new AbortController();
      const removed = vi.spyOn(cut.signal, 'removeEventListener');
      const added = vi.spyOn(cut.signal, 'addEventListener');
      if (how === 'signal before') cut.abort();
      const drained = server.server.drain({ deadlineMs: 3000, signal: cut.signal });
      if (how !== 'signal before') {
        await ada.closed;
        await deaf.take(FrameType.GoAway);
        if (how === 'deadline') clock.advance(3000);
        else cut.abort();
      }
      expect(await drained).toEqual(
        how === 'signal before' ? { drained: 0, forced: 2 } : { drained: 1, forced: 1 },
      );
      expect(await deaf.closed).toMatchObject({ code: 1001 });
      expect(removed.mock.calls.length).toBe(added.mock.calls.length);
      expect(clock.pending).toBe(0);
    }
    expect(warned).not.toHaveBeenCalled();
  });

  it('is one and the same however often it is asked for, also beside close', async () => {
    const { server } = await station('TCP');
    const first = server.drain();
    expect(server.drain()).toBe(first);
    await server.close();
    expect(await first).toEqual({ drained: 0, forced: 0 });
    expect(await createChatServer().drain()).toEqual({ drained: 0, forced: 0 });
  });
});

describe('close', () => {
  it('is done before anything began, twice, and with sessions that are lost', async () => {
    const server = createChatServer();
    await server.close();
    await server.close();
    const clock = new ManualClock();
    const second = await station('TCP', { clock });
    const ended: string[] = [];
    second.server.on('session-ended', ({ name }) => ended.push(name));
    const ada = await second.enter('ada');
    await ada.join('lobby');
    ada.pipe.destroy();
    await until(() => second.server.stats().sessionsAway === 1);
    await second.server.close();
    expect(ended).toEqual(['ada']);
    expect(clock.pending).toBe(0);
  });

  it('frees the port at once', async () => {
    const first = createChatServer();
    await first.listen(LOCAL);
    const port = portOf(first);
    const ada = new WireClient(tcpPipe({ port, host: '127.0.0.1' }));
    await ada.enter({ name: 'ada' });
    await first.close();
    await using second = createChatServer();
    await second.listen({ port, host: '127.0.0.1' });
  });

  // Run as a program would run it: from the built package, which `npm test` at the root makes first.
  const built = new URL('../../dist/index.js', import.meta.url);
  it.skipIf(!existsSync(built))(
    'lets the process exit by itself, and so does drain',
    async () => {
      for (const how of ['close()', 'drain()', '[Symbol.asyncDispose]()']) {
        const call = how.startsWith('[') ? how : `.${how}`;
        const script = `
        import { connect } from 'node:net';
        import { createChatServer } from ${JSON.stringify(built.href)};
        const server = createChatServer();
        const { port } = await server.listen({ port: 0, host: '127.0.0.1' });
        for (const text of ['ada\\n', 'GET /healthz HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n', 'GE', '']) {
          const socket = connect(port, '127.0.0.1', () => text && socket.write(text));
          socket.on('error', () => {}).resume();
        }
        while (server.stats().openConnections < 4 || server.stats().sessions < 1) await new Promise(setImmediate);
        await server${call};
        process.on('exit', () => process.stdout.write('done'));
      `;
        const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
          stdio: ['ignore', 'pipe', 'pipe'],
        });
        let output = '';
        child.stdout.on('data', (chunk) => {
          output += String(chunk);
        });
        child.stderr.on('data', (chunk) => {
          output += String(chunk);
        });
        const exit = await new Promise((resolve) => child.once('close', resolve));
        expect([exit, output]).toEqual([0, 'done']);
      }
    },
    30_000,
  );
});

it('gives errors that are known across copies of the package', () => {
  const foreign = Object.assign(new Error('x'), { [Symbol.for('@chat/server.ServerError')]: true });
  expect(ServerError.is(foreign)).toBe(true);
  expect([ServerError.is(new Error('x')), ServerError.is(null), ServerError.is('x')]).toEqual([
    false,
    false,
    false,
  ]);
});

it('prints nothing', async () => {
  const printed = [process.stdout, process.stderr].map((stream) => vi.spyOn(stream, 'write'));
  const logged = (['log', 'warn', 'error', 'info', 'debug'] as const).map((method) =>
    vi.spyOn(console, method),
  );
  await using server = await station('TCP');
  const ada = await server.enter('ada');
  ada.pipe.write(Uint8Array.of(255, 255, 255, 255, 255));
  await ada.closed;
  await turn(3);
  for (const spy of [...printed, ...logged]) expect(spy).not.toHaveBeenCalled();
  vi.restoreAllMocks();
});
