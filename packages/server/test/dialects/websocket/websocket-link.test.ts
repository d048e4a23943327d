/** WebSocket: what a message may hold, how it is closed, and who may connect. */
import { connect } from 'node:net';
import { CloseCode } from '@chat/protocol';
import { type Entry, encodeFrame, FrameDecoder, FrameType } from '@chat/protocol/frames';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { UNLIMITED } from '../../../src/options/options.js';
import { type Station, station } from '../../support/carriers.js';
import { LogLines } from '../../support/log-lines.js';
import { webSocketPipe } from '../../support/socket-pipe.js';
import { turn, until } from '../../support/turn.js';
import { followChain, WireClient } from '../../support/wire-client.js';

const ping = (nonce: number): Uint8Array => encodeFrame({ type: FrameType.Ping, nonce });

interface Browser {
  readonly websocket: WebSocket;
  readonly client: WireClient;
  /** Code and reason of the WebSocket's own close. */
  readonly closed: Promise<readonly [number, string]>;
}

function browser(
  server: Station,
  options: { protocols?: string[]; origin?: string; path?: string } = {},
): Browser {
  const { path = '/ws', ...rest } = options;
  const pipe = webSocketPipe(`ws://127.0.0.1:${server.port}${path}`, rest);
  const closed = new Promise<readonly [number, string]>((resolve) => {
    pipe.websocket.once('close', (code, reason) => resolve([code, String(reason)]));
  });
  return { websocket: pipe.websocket, client: new WireClient(pipe), closed };
}

async function member(server: Station, name: string): Promise<Browser> {
  const made = browser(server);
  await made.client.enter({ name }, false);
  return made;
}

describe('a WebSocket message', () => {
  it('may hold any number of whole frames', async () => {
    await using server = await station('WebSocket');
    const { websocket, client } = await member(server, 'ada');
    websocket.send(Buffer.concat([ping(1), ping(2), ping(3)]));
    websocket.send(Buffer.alloc(0));
    websocket.send(ping(4));
    await client.take(FrameType.Pong, ({ nonce }) => nonce === 4);
    expect(client.frames.flatMap((frame) => (frame.type === FrameType.Pong ? frame.nonce : []))).toEqual([
      1, 2, 3, 4,
    ]);
  });

  it('may come in fragments', async () => {
    await using server = await station('WebSocket');
    const { websocket, client } = await member(server, 'ada');
    const bytes = Buffer.concat([ping(1), ping(2)]);
    for (let at = 0; at < bytes.length; at++)
      websocket.send(bytes.subarray(at, at + 1), { fin: at === bytes.length - 1 });
    await client.take(FrameType.Pong, ({ nonce }) => nonce === 2);
  });

  it.each([
    ['text', 'hello', CloseCode.ProtocolError],
    ['half a frame', ping(1).subarray(0, 7), CloseCode.MalformedFrame],
    ['a frame and a half', Buffer.concat([ping(1), ping(2).subarray(0, 9)]), CloseCode.MalformedFrame],
    [
      'a frame with a length of 4 GB',
      Uint8Array.of(255, 255, 255, 255, 0x10, 0, 0, 0),
      CloseCode.FrameTooLarge,
    ],
    ['a frame with a length of 0', Uint8Array.of(0, 0, 0, 0, 0x10, 0, 0, 0), CloseCode.MalformedFrame],
    ['a preface', Uint8Array.of(0xfe, 0x43, 0x48, 0x41, 0x54, 13, 10, 1), CloseCode.FrameTooLarge],
  ] as const)('that is %s closes both ways with the same code', async (_what, message, code) => {
    const logger = new LogLines();
    await using server = await station('WebSocket', { logger });
    const { websocket, client, closed } = await member(server, 'ada');
    websocket.send(message);
    const [[number, reason], frame] = await Promise.all([closed, client.closed]);
    expect(number).toBe(code);
    expect(frame).toMatchObject({ code });
    expect(frame!.reason).toContain(reason);
    expect(logger.at('debug').some(({ fields }) => fields.code === code)).toBe(true);
    expect(server.server.stats().sessions).toBe(0);
  });

  it('that is larger than four frames is closed by WebSocket itself, and the session ends', async () => {
    const logger = new LogLines();
    await using server = await station('WebSocket', { logger });
    const { websocket, closed } = await member(server, 'ada');
    websocket.send(Buffer.alloc(4 * 65_536 + 1));
    expect((await closed)[0]).toBe(1009);
    await until(() => logger.toldClose('frame-too-large'));
    expect(server.server.stats().sessions).toBe(0);
  });

  it('that comes in thousands of crumbs is closed as well', async () => {
    const logger = new LogLines();
    await using server = await station('WebSocket', { logger });
    const { websocket, closed } = await member(server, 'ada');
    for (let i = 0; i < 3000 && websocket.readyState === WebSocket.OPEN; i++)
      websocket.send(Buffer.alloc(1), { fin: false });
    expect((await closed)[0]).toBe(1008);
    await until(() => logger.toldClose('frame-too-large'));
  });

  it('never has more than four frames when the server sends it, however much there is to say', async () => {
    await using server = await station('WebSocket', {
      ...UNLIMITED,
      maxFrameBytes: 4096,
      maxLineBytes: 1000,
    });
    const ada = await member(server, 'ada');
    const { handle } = await ada.client.join('lobby');
    for (let i = 0; i < 300; i++) ada.client.publish(handle, new Uint8Array(1000 + i));
    await ada.client.take(FrameType.Ack, ({ publishId }) => publishId === 300);
    const bob = browser(server);
    const sizes: number[] = [];
    let wholes = true;
    bob.websocket.on('message', (data: Buffer) => {
      sizes.push(data.length);
      const decoder = new FrameDecoder();
      decoder.push(data);
      while (decoder.next());
      wholes &&= decoder.pendingBytes === 0;
    });
    await bob.client.enter({ name: 'bob' }, false);
    const { start, head } = await bob.client.join('lobby', { history: 1000 });
    const page = await bob.client.history('lobby', { limit: 1000 });
    expect(page.entries.length).toBeGreaterThan(300);
    await until(() => bob.client.entries(handle).length > 300);
    expect(followChain(bob.client.frames, handle, start)).toBeGreaterThan(head);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(4 * 4096);
    expect(wholes).toBe(true);
  });

  it('is the same bytes for everybody as over TCP', async () => {
    await using server = await station('WebSocket');
    const [ada, bob] = [await member(server, 'ada'), await member(server, 'bob')];
    const nc = connect(server.port, '127.0.0.1');
    nc.write('nc\n');
    const { handle } = await ada.client.join('lobby');
    await bob.client.join('lobby');
    await until(() => ada.client.entries(handle).length > 1);
    nc.write('from nc\n');
    const heard = await Promise.all(
      [ada, bob].map(
        ({ client }) => client.take(FrameType.Message, ({ name }) => name === 'nc') as Promise<Entry>,
      ),
    );
    expect(heard[0]).toEqual(heard[1]);
    nc.destroy();
  });
});

describe('a flood of WebSocket pings', () => {
  it('is answered one at a time to one who does not read, and stalls nothing', async () => {
    await using server = await station('WebSocket', { ...UNLIMITED, retentionBytes: 64_000_000 });
    const [ada, bob] = [await member(server, 'ada'), await member(server, 'bob')];
    const { handle, start } = await ada.client.join('lobby');
    await bob.client.join('lobby');
    let pongs = 0;
    ada.websocket.on('pong', () => pongs++);
    ada.websocket.pause();
    const { bytesOut } = server.server.stats();
    for (let i = 0; i < 20_000; i++) ada.websocket.ping(Buffer.alloc(125));
    for (let i = 0; i < 200; i++) bob.client.publish(handle, new Uint8Array(16_000));
    await bob.client.take(FrameType.Ack, ({ publishId }) => publishId === 200);
    for (let i = 0; i < 20_000; i++) ada.websocket.ping(Buffer.alloc(125));
    await until(() => ada.websocket.bufferedAmount === 0);
    ada.websocket.resume();
    const last = await bob.client.say(handle, 'last');
    await ada.client.take(FrameType.Message, ({ seq }) => seq === last);
    followChain(ada.client.frames, handle, start);
    expect(server.server.stats().bytesOut).toBeGreaterThan(bytesOut);
    expect(pongs).toBeGreaterThan(0);
    expect(pongs).toBeLessThanOrEqual(40_000);
  });
});

describe('an upgrade', () => {
  const refused = async (made: Browser): Promise<string> =>
    new Promise((resolve) => {
      made.websocket.once('error', (error) => resolve(error.message));
      made.websocket.once('open', () => resolve('open'));
    });

  it.each([
    ['no origin', undefined, 'open'],
    ['the origin of the server', 'http://127.0.0.1:PORT', 'open'],
    ['an allowed origin', 'https://chat.example', 'open'],
    ['a foreign origin', 'https://evil.example', '403'],
    ['another port of the same host', 'http://127.0.0.1:1', '403'],
    ['an opaque origin', 'null', '403'],
    ['nonsense', 'http://[', '403'],
  ])('from a page with %s', async (_what, origin, outcome) => {
    const logger = new LogLines();
    await using server = await station('WebSocket', {
      logger,
      http: { allowedOrigins: ['https://chat.example'] },
    });
    const from = origin?.replace('PORT', String(server.port));
    const made = browser(server, from === undefined ? {} : { origin: from });
    expect(await refused(made)).toContain(outcome);
    if (outcome === '403') expect(logger.at('warn').some(({ fields }) => fields.origin === from)).toBe(true);
    made.websocket.terminate();
    await until(() => server.server.stats().openConnections === 0);
  });

  it.each<[string, { path?: string; protocols?: string[] }, string]>([
    ['elsewhere', { path: '/' }, '404'],
    ['to another subprotocol', { protocols: ['chat.v9'] }, '400'],
    ['without a subprotocol', { protocols: [] }, 'open'],
    ['with several, ours among them', { protocols: ['x', 'chat.v1'] }, 'open'],
    ['with a query', { path: '/ws?a=b' }, 'open'],
  ])('%s is answered %s', async (_what, options, outcome) => {
    await using server = await station('WebSocket');
    const made = browser(server, options);
    expect(await refused(made)).toContain(outcome);
    if (options.protocols?.includes('chat.v1')) expect(made.websocket.protocol).toBe('chat.v1');
    made.websocket.terminate();
    await until(() => server.server.stats().openConnections === 0);
  });

  it('that is none, or broken, is answered and leaves nothing', async () => {
    await using server = await station('WebSocket');
    const heads = [
      'GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n',
      'GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 99\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
      'GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: h2c\r\nConnection: Upgrade, close\r\n\r\n',
    ];
    for (const head of heads) {
      const socket = connect(server.port, '127.0.0.1');
      let answer = '';
      socket.on('data', (chunk) => {
        answer += String(chunk);
      });
      socket.write(head);
      await new Promise<void>((resolve) => socket.once('end', resolve));
      expect(answer).toMatch(/^HTTP\/1\.1 4\d\d /);
      socket.destroy();
    }
    await until(() => server.server.stats().openConnections === 0);
  });

  it('is refused while the server goes away', async () => {
    const server = await station('WebSocket');
    const ada = await member(server, 'ada');
    ada.client.pipe.onBytes = () => {};
    const idle = connect(server.port, '127.0.0.1');
    await until(() => server.server.stats().openConnections === 2);
    const cut = new AbortController();
    const drained = server.server.drain({ signal: cut.signal });
    let answer = '';
    idle.on('data', (chunk) => {
      answer += String(chunk);
    });
    idle.write('GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n');
    await until(() => answer.includes('draining'));
    expect(answer).toContain('503');
    idle.write(
      'GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    );
    await until(() => answer.includes('503 Service Unavailable\r\nConnection: close'));
    cut.abort();
    expect(await drained).toEqual({ drained: 0, forced: 1 });
    idle.destroy();
    await turn();
  });
});

describe('a WebSocket through a proxy', () => {
  const through = (server: Station, name: string, forwardedFor: string): Promise<WireClient> => {
    const headers = { 'X-Forwarded-For': forwardedFor };
    const client = new WireClient(webSocketPipe(`ws://127.0.0.1:${server.port}/ws`, { headers }));
    return client.enter({ name }, false).then(() => client);
  };

  it('comes from where the proxy says, for hooks and for bans, and its place is free when it has gone', async () => {
    const seen: string[] = [];
    const authenticate = (_: unknown, { address }: { address: string }) => {
      seen.push(address);
      return { ok: true } as const;
    };
    await using server = await station('WebSocket', {
      trustedProxies: ['127.0.0.0/8'],
      maxConnectionsPerAddress: 1,
      hooks: { authenticate },
    });
    const ada = await through(server, 'ada', '203.0.113.1, 192.0.2.1');
    await through(server, 'bob', '192.0.2.2');
    expect(seen).toEqual(['192.0.2.1', '192.0.2.2']);
    await expect(through(server, 'carol', '192.0.2.1')).rejects.toThrow();
    ada.pipe.destroy();
    await until(() => server.server.stats().openConnections === 1);
    await through(server, 'carol', '192.0.2.1');

    expect(server.server.ban('bob', 60_000)).toBe(true);
    await expect(through(server, 'dave', '192.0.2.2')).rejects.toThrow();
    await through(server, 'dave', '192.0.2.3');
  });

  it('that nobody trusts comes from the proxy, whatever it says', async () => {
    const seen: string[] = [];
    const authenticate = (_: unknown, { address }: { address: string }) => {
      seen.push(address);
      return { ok: true } as const;
    };
    await using server = await station('WebSocket', {
      trustedProxies: ['192.0.2.0/24'],
      // It is counted once.
      maxConnectionsPerAddress: 1,
      hooks: { authenticate },
    });
    await through(server, 'ada', '192.0.2.1');
    expect(seen).toEqual(['127.0.0.1']);
  });
});
