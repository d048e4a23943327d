/** Other ends for the transports: sockets and WebSockets that remember what they received. */
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { type WebSocket, WebSocketServer } from 'ws';
import { certificate } from './certificate.js';
import type { Listening, Peer } from './transport-contract.js';

/** Hands out peers in the order in which they connected. */
class Arrivals {
  readonly #peers: Peer[] = [];
  readonly #waiting: ((peer: Peer) => void)[] = [];

  add(peer: Peer): void {
    const waiting = this.#waiting.shift();
    if (waiting) waiting(peer);
    else this.#peers.push(peer);
  }

  readonly next = (): Promise<Peer> =>
    new Promise((resolve) => {
      const peer = this.#peers.shift();
      if (peer) resolve(peer);
      else this.#waiting.push(resolve);
    });
}

class Received {
  readonly #chunks: Uint8Array[] = [];
  #length = 0;
  #waiting: { readonly bytes: number; readonly resolve: () => void }[] = [];

  add(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    for (const { bytes, resolve } of this.#waiting) if (this.#length >= bytes) resolve();
  }

  readonly bytes = (): Uint8Array => Buffer.concat(this.#chunks);

  readonly until = (bytes: number): Promise<void> =>
    new Promise((resolve) => {
      if (this.#length >= bytes) resolve();
      else this.#waiting.push({ bytes, resolve });
    });
}

function socketPeer(socket: Socket, canReset: boolean): Peer {
  const received = new Received();
  socket.on('data', (chunk: Buffer) => received.add(chunk));
  socket.on('error', () => {});
  return {
    received: received.bytes,
    arrived: received.until,
    send: (bytes) => socket.write(bytes),
    end: () => socket.end(),
    // Only plain TCP can be reset; others just stop.
    crash: () => (canReset ? socket.resetAndDestroy() : socket.destroy()),
    gone: new Promise((resolve) => {
      socket.on('end', () => {
        socket.end();
        resolve();
      });
      socket.on('close', () => resolve());
    }),
  };
}

function webSocketPeer(socket: WebSocket): Peer {
  const received = new Received();
  socket.on('message', (data: Buffer) => received.add(data));
  socket.on('error', () => {});
  return {
    received: received.bytes,
    arrived: received.until,
    send: (bytes) => socket.send(bytes),
    end: () => socket.close(1000),
    crash: () => socket.terminate(),
    gone: new Promise((resolve) => {
      socket.on('close', () => resolve());
    }),
  };
}

/** A port that was free a moment ago. */
export async function deadPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export async function listenTcp(): Promise<Listening> {
  return listenWith((accept) => createServer({ allowHalfOpen: true }, accept), 'tcp');
}

export async function listenTls(): Promise<Listening> {
  return listenWith((accept) => createTlsServer(certificate, accept), 'tls');
}

async function listenWith(
  create: (accept: (socket: Socket) => void) => ReturnType<typeof createServer>,
  scheme: string,
): Promise<Listening> {
  const arrivals = new Arrivals();
  const sockets = new Set<Socket>();
  const server = create((socket) => {
    sockets.add(socket);
    arrivals.add(socketPeer(socket, scheme === 'tcp'));
  });
  server.on('tlsClientError', (_error, socket: Socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `${scheme}://127.0.0.1:${port}`,
    peer: arrivals.next,
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** A place for a Unix socket, or the name of a pipe on Windows. */
export function socketPath(): { readonly path: string; readonly remove: () => void } {
  const name = `chat-${process.pid}-${Math.random().toString(36).slice(2)}`;
  if (process.platform === 'win32') return { path: `\\\\.\\pipe\\${name}`, remove: () => {} };
  const folder = mkdtempSync(join(tmpdir(), 'chat-'));
  return { path: join(folder, 's'), remove: () => rmSync(folder, { recursive: true, force: true }) };
}

export async function listenUnix(): Promise<Listening> {
  const arrivals = new Arrivals();
  const sockets = new Set<Socket>();
  const { path, remove } = socketPath();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    arrivals.add(socketPeer(socket, false));
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return {
    url: `unix:${path}`,
    peer: arrivals.next,
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
      remove();
    },
  };
}

/** @param protocols - what the server grants; `chat.v1` unless a test wants it otherwise */
export async function listenWebSocket(protocols: readonly string[] = ['chat.v1']): Promise<Listening> {
  const arrivals = new Arrivals();
  const server = new WebSocketServer({
    port: 0,
    host: '127.0.0.1',
    path: '/ws',
    handleProtocols: (offered) => [...offered].find((one) => protocols.includes(one)) ?? false,
  });
  await new Promise((resolve) => server.once('listening', resolve));
  server.on('connection', (socket) => arrivals.add(webSocketPeer(socket)));
  const { port } = server.address() as AddressInfo;
  return {
    url: `ws://127.0.0.1:${port}`,
    peer: arrivals.next,
    close: async () => {
      for (const socket of server.clients) socket.terminate();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
