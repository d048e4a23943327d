import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import type { UpgradeHeaders } from '../../../src/connection/transport.js';
import { openNativeWebSocket } from '../../../src/connection/transports/native-websocket.js';
import {
  openWebSocket,
  type WebSocketLike,
  webSocketUrl,
} from '../../../src/connection/transports/websocket.js';
import { openLibraryWebSocket } from '../../../src/connection/transports/ws-library.js';
import { connect } from '../../../src/index.js';
import { deadPort, listenWebSocket } from '../../support/peers.js';
import { describeTransport } from '../../support/transport-contract.js';

const common = {
  listen: () => listenWebSocket(),
  deadUrl: async () => `ws://127.0.0.1:${await deadPort()}`,
  framed: true,
};

describeTransport('WebSocket by the library', () => ({ ...common, open: openLibraryWebSocket }));

describe('with a WebSocket of the platform', () => {
  // Of the library, too: it has the interface of the browser's, which a test in a real browser uses.
  beforeAll(() => {
    vi.stubGlobal('WebSocket', WebSocket);
  });
  afterAll(() => {
    vi.unstubAllGlobals();
  });
  describeTransport('WebSocket of the platform', () => ({ ...common, open: openNativeWebSocket }));
});

describe('a WebSocket', () => {
  const sink = { data: () => {}, closed: () => {} };
  const { signal } = new AbortController();

  it('is refused when the server does not speak the subprotocol', async () => {
    const listening = await listenWebSocket(['other.v1']);
    await expect(openLibraryWebSocket(listening.url, sink, { signal })).rejects.toThrow(/subprotocol/);
    await listening.close();
  });

  it('carries headers, made for each attempt where they are a function', async () => {
    const seen: (string | undefined)[] = [];
    const server = createServer().on('upgrade', (request, socket) => {
      seen.push(request.headers.authorization);
      socket.destroy();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
    let tries = 0;
    const open = (headers: UpgradeHeaders | undefined): Promise<unknown> =>
      openLibraryWebSocket(url, sink, { signal, headers }).catch(() => {});
    await open({ Authorization: 'Bearer fixed' });
    await open(() => ({ authorization: `Bearer ${++tries}` }));
    await open(async () => ({ authorization: `Bearer ${++tries}` }));
    await open(undefined);
    expect(seen).toEqual(['Bearer fixed', 'Bearer 1', 'Bearer 2', undefined]);
    await new Promise((resolve) => server.close(resolve));
  });

  it('says where headers cannot go', async () => {
    const headers = { Authorization: 'Bearer secret' };
    const refused = connect('tcp://127.0.0.1:1', { name: 'ada', headers, reconnect: { initial: true } });
    await expect(refused).rejects.toMatchObject({
      code: 'ERR_CLIENT_URL_UNSUPPORTED',
      message: 'headers go with ws: and wss:, not with tcp://127.0.0.1:1',
    });
  });

  it('ends when the server sends text', async () => {
    const listening = await listenWebSocket();
    let closed!: (error: Error | undefined) => void;
    const end = new Promise<Error | undefined>((resolve) => {
      closed = resolve;
    });
    await openLibraryWebSocket(listening.url, { data: () => {}, closed }, { signal });
    const peer = await listening.peer();
    (peer.send as (text: unknown) => void)('hello');
    expect((await end)?.message).toMatch(/text/);
    await listening.close();
  });
});

describe('what a WebSocket receives', () => {
  /** A WebSocket that is open as soon as it is listened to. */
  async function open() {
    const chunks: Uint8Array[] = [];
    let error: Error | undefined;
    const socket = {
      protocol: 'chat.v1',
      bufferedAmount: 0,
      readyState: 1,
      onopen: () => {},
      onmessage: (_event: { data: unknown }) => {},
      onerror: null,
      onclose: (_event: { code: number; reason: string }) => {},
      send: () => {},
      close: () => socket.onclose({ code: 1000, reason: '' }),
    };
    const sink = {
      data: (chunk: Uint8Array) => chunks.push(chunk),
      closed: (reason?: Error) => {
        error = reason;
      },
    };
    const opened = openWebSocket(socket as unknown as WebSocketLike, sink, {
      signal: new AbortController().signal,
    });
    socket.onopen();
    await opened;
    return { socket, chunks, error: () => error };
  }

  it.each([
    ['an ArrayBuffer', () => Uint8Array.of(1, 2, 3).buffer],
    ['an ArrayBuffer of another realm', () => runInNewContext('Uint8Array.of(1, 2, 3).buffer')],
    ['part of a larger buffer', () => Buffer.from([0, 1, 2, 3]).subarray(1)],
    ['a view of another realm', () => runInNewContext('Uint8Array.of(0, 1, 2, 3).subarray(1)')],
  ])('may be %s', async (_what, data) => {
    const { socket, chunks } = await open();
    socket.onmessage({ data: data() });
    expect([...chunks[0]!]).toEqual([1, 2, 3]);
    expect(chunks[0]).toBeInstanceOf(Uint8Array);
  });

  it('must not be text', async () => {
    const { socket, chunks, error } = await open();
    socket.onmessage({ data: 'hello' });
    expect(chunks).toEqual([]);
    expect(error()?.message).toMatch(/text/);
  });
});

describe('webSocketUrl', () => {
  it.each([
    ['ws://host:1', 'ws://host:1/ws'],
    ['ws://host:1/', 'ws://host:1/ws'],
    ['wss://host/chat', 'wss://host/chat'],
    ['wss://host/?token=1#lobby', 'wss://host/ws?token=1'],
  ])('makes %s to %s', (url, expected) => {
    expect(webSocketUrl(url)).toBe(expected);
  });
});
