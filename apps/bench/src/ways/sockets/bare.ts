/**
 * TCP over loopback and the Unix socket, bare.
 *
 * The pair writes a length before each message, the least that anybody writes who needs messages on a stream,
 * with back-pressure as Node gives it. The fan-out is the yardstick of our server: a loop of `socket.write` of
 * the bytes that it would write, over as many sockets (`servers/bare-server.ts`).
 */
import { once } from 'node:events';
import { connect, createServer, type ListenOptions, type Socket } from 'node:net';
import { join } from 'node:path';
import { CodecTag } from '@chat/protocol';
import { ENTRY_PREV_OFFSET, ENTRY_SEQ_OFFSET, encodeFrame, FrameType } from '@chat/protocol/frames';
import { startScript } from '../../harness/server-process.js';
import { ChatScanner, plainCarrier } from '../chat/frames.js';
import { LengthPrefixScanner } from '../stream/frame-scanner.js';
import { createPayload } from '../stream/payload.js';
import type { SkimSocket } from '../stream/skim-socket.js';
import { StreamLine } from '../stream/stream-line.js';
import type { Ends, Fanout, Line, Wire } from '../way.js';

type Target = { readonly host: string; readonly port: number } | { readonly path: string };

const HOST = '127.0.0.1';
const { PREFIX_BYTES } = LengthPrefixScanner;

/** TCP over loopback, near end listening. */
export const tcpEnds: Ends = listenAndConnect(() => ({ host: HOST, port: 0 }));

/** The same in the file system. */
export const unixEnds: Ends = listenAndConnect((folder) => ({ path: join(folder, 'line.sock') }));

/** What the server's messages cost when nothing but their writes is left. */
export const bareFanout: Fanout = {
  name: 'bare',
  version: () => 'a loop of socket.write',
  startServer: () => startScript('bare-server'),
  wire: bareWire,
};

function listenAndConnect(listenAt: (folder: string) => ListenOptions): Ends {
  return {
    async openNear({ folder, startFar }) {
      const server = createServer({ noDelay: true }).listen(listenAt(folder));
      await once(server, 'listening');
      const address = server.address();
      const target: Target =
        typeof address === 'string' ? { path: address } : { host: HOST, port: address!.port };
      const connection = once(server, 'connection') as Promise<[Socket]>;
      await startFar(target);
      const [socket] = await connection;
      server.close();
      return prefixedLine(socket);
    },
    async openFar(target: Target) {
      const socket = connect({ ...target, noDelay: true });
      await once(socket, 'connect');
      return prefixedLine(socket);
    },
  };
}

function prefixedLine(socket: Socket): Line {
  return new StreamLine({
    socket,
    frame(bytes) {
      const frame = Buffer.allocUnsafe(PREFIX_BYTES + bytes.length);
      frame.writeUInt32LE(bytes.length, 0);
      frame.set(bytes, PREFIX_BYTES);
      return frame;
    },
    scanner: (listener) => new LengthPrefixScanner(listener),
  });
}

/** The publisher sends what the subscribers of our server would get, and the bare server passes it on. */
function bareWire(payloadBytes: number): Wire {
  return {
    subscribe: welcomed,
    async enter(socket) {
      await welcomed(socket);
      const bytes = encodeFrame({
        type: FrameType.Message,
        codec: CodecTag.Text,
        room: 1,
        sender: 1,
        name: 'publisher',
        seq: 1,
        prev: 0,
        at: Date.now(),
        body: createPayload(payloadBytes),
      });
      return {
        bytes,
        payloadOffset: bytes.length - payloadBytes,
        stamp(target, offset, number) {
          // Sequence numbers have 48 bits; those of a run stay below 2^32.
          const view = new DataView(target.buffer, target.byteOffset + offset);
          view.setUint32(ENTRY_SEQ_OFFSET, number, true);
          view.setUint32(ENTRY_PREV_OFFSET, number - 1, true);
        },
      };
    },
    scanner: (socket, check) => new ChatScanner(socket, plainCarrier, payloadBytes, check),
  };
}

/** The server says one byte to each connection that it will write to. */
async function welcomed(socket: SkimSocket): Promise<void> {
  await socket.read((bytes) => (bytes.length === 0 ? undefined : 1));
}
