/**
 * TCP over loopback and the Unix socket, bare: a length before each message, back-pressure as Node gives it.
 * The least that anybody writes who needs messages on a stream.
 */
import { once } from 'node:events';
import { connect, createServer, type ListenOptions, type Socket } from 'node:net';
import { join } from 'node:path';
import type { Line, LineListener, Mechanism } from '../line.js';
import { LENGTH_PREFIX_BYTES, MessageSplitter, measureLengthPrefix } from '../message-splitter.js';
import { TurnWriter } from './turn-writer.js';

type Target = { readonly host: string; readonly port: number } | { readonly path: string };

/** One socket, near end listening. */
export const tcpMechanism: Mechanism = streamMechanism(() => ({ host: '127.0.0.1', port: 0 }));

/** The same in the file system. */
export const unixMechanism: Mechanism = streamMechanism((folder) => ({ path: join(folder, 'line.sock') }));

function streamMechanism(listenAt: (folder: string) => ListenOptions): Mechanism {
  return {
    async openNear({ folder, startFar }) {
      const server = createServer({ noDelay: true }).listen(listenAt(folder));
      await once(server, 'listening');
      const address = server.address();
      const target: Target =
        typeof address === 'string' ? { path: address } : { host: '127.0.0.1', port: address!.port };
      const connection = once(server, 'connection') as Promise<[Socket]>;
      await startFar(target);
      const [socket] = await connection;
      server.close();
      return new StreamLine(socket);
    },
    async openFar(target: Target) {
      const socket = connect({ ...target, noDelay: true });
      await once(socket, 'connect');
      return new StreamLine(socket);
    },
  };
}

class StreamLine implements Line {
  readonly #socket: Socket;
  readonly #writer: TurnWriter;

  constructor(socket: Socket) {
    this.#socket = socket;
    this.#writer = new TurnWriter(socket);
  }

  send(bytes: Uint8Array): boolean {
    if (this.#writer.full) return false;
    const framed = Buffer.allocUnsafe(LENGTH_PREFIX_BYTES + bytes.length);
    framed.writeUInt32LE(bytes.length, 0);
    framed.set(bytes, LENGTH_PREFIX_BYTES);
    this.#writer.write(framed);
    return true;
  }

  receive(listener: LineListener): void {
    const splitter = new MessageSplitter(measureLengthPrefix, listener);
    this.#socket.on('data', (chunk: Buffer) => splitter.push(chunk));
  }

  async close(): Promise<void> {
    this.#socket.destroy();
  }
}
