/** What Node offers by itself: sockets, `process.send`, message ports. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import type { MessagePort, Worker } from 'node:worker_threads';
import type { Link, Open } from './link.js';

/** Messages that go into the kernel with one system call. */
const CORKED = 32;
const HEADER_BYTES = 4;

/** Length-prefixed frames over a stream socket. */
async function overSocket(socket: Socket): Promise<Link> {
  socket.setNoDelay(true);
  let arrived: (messages: Uint8Array[]) => void = () => {};
  let rest: Uint8Array = new Uint8Array(0);
  socket.on('data', (chunk: Buffer) => {
    const bytes: Buffer = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const messages: Uint8Array[] = [];
    let at = 0;
    while (at + HEADER_BYTES <= bytes.length) {
      const end = at + HEADER_BYTES + bytes.readUInt32LE(at);
      if (end > bytes.length) break;
      messages.push(bytes.subarray(at + HEADER_BYTES, end));
      at = end;
    }
    rest = bytes.subarray(at);
    if (messages.length > 0) arrived(messages);
  });
  const frame = (message: Uint8Array): Buffer => {
    const bytes = Buffer.allocUnsafe(HEADER_BYTES + message.length);
    bytes.writeUInt32LE(message.length);
    bytes.set(message, HEADER_BYTES);
    return bytes;
  };
  return {
    async flood(message, count) {
      for (let i = 0; i < count; ) {
        socket.cork();
        let writable = true;
        for (let k = 0; k < CORKED && i < count; k++, i++) writable = socket.write(frame(message));
        socket.uncork();
        if (!writable) await once(socket, 'drain');
      }
    },
    ...receiving(
      (handler) => {
        arrived = handler;
      },
      (message) => socket.write(frame(message)),
    ),
    close: () => socket.destroy(),
  };
}

/** The two kinds of waiting, over anything that pushes messages. */
function receiving(
  onMessages: (handler: (messages: Uint8Array[]) => void) => void,
  send: (message: Uint8Array) => void,
): Pick<Link, 'drain' | 'ping' | 'echo'> {
  let current: ((messages: Uint8Array[]) => void) | undefined;
  const early: Uint8Array[] = [];
  onMessages((messages) => {
    if (current === undefined) early.push(...messages);
    else current(messages);
  });
  const until = (count: number, each: (message: Uint8Array) => void): Promise<void> =>
    new Promise((resolve) => {
      let received = 0;
      current = (messages) => {
        for (const message of messages) each(message);
        received += messages.length;
        if (received < count) return;
        current = undefined;
        resolve();
      };
      current(early.splice(0));
    });
  return {
    drain: (count) => until(count, () => {}),
    echo: (count) => until(count, send),
    async ping(message, count) {
      const samples = new Float64Array(count);
      let arrived: () => void = () => {};
      current = () => arrived();
      for (let i = 0; i < count; i++) {
        const start = performance.now();
        const back = new Promise<void>((resolve) => {
          arrived = resolve;
        });
        send(message);
        await back;
        samples[i] = (performance.now() - start) * 1000;
      }
      current = undefined;
      return samples;
    },
  };
}

function socketAt(address: (directory: string) => { path: string } | { port: number; host: string }): Open {
  return async (directory, side) => {
    const where = address(directory);
    if (side === 'b') {
      for (;;) {
        const socket = connect(where);
        try {
          await once(socket, 'connect');
          return overSocket(socket);
        } catch {
          // The other side does not listen yet.
          await new Promise((resolve) => setTimeout(resolve, 10));
        }
      }
    }
    const server = createServer();
    const connection = once(server, 'connection');
    server.listen(where);
    const [socket] = (await connection) as [Socket];
    server.close();
    return overSocket(socket);
  };
}

/** The port is told by the parent, which looks for a free one. */
export const socketLinks: Readonly<Record<string, Open>> = {
  'Unix socket': socketAt((directory) => ({ path: join(directory, 'bench.sock') })),
  'TCP on loopback': socketAt(() => ({ host: '127.0.0.1', port: Number(process.env.BENCH_PORT) })),
};

/** Anything with `send` and an event: `process`, a child process, a port, a worker. */
export function overMessages(
  send: (message: Uint8Array) => void,
  onMessage: (handler: (m: Uint8Array) => void) => void,
): Link {
  let arrived: (messages: Uint8Array[]) => void = () => {};
  onMessage((message) => arrived([message]));
  return {
    async flood(message, count) {
      for (let i = 0; i < count; i++) {
        send(message);
        // Nothing says when it is too much; the queue is in memory.
        if (i % 1000 === 999) await new Promise(setImmediate);
      }
    },
    ...receiving((handler) => {
      arrived = handler;
    }, send),
    close: () => {},
  };
}

/** A message port of a worker thread, from either end. */
export function overPort(port: MessagePort | Worker): Link {
  return overMessages(
    (message) => port.postMessage(message),
    (handler) => {
      port.on('message', (data: unknown) => {
        if (data instanceof Uint8Array) handler(data);
      });
    },
  );
}
