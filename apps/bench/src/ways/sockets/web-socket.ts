/**
 * WebSocket as it comes with the `ws` library. The pair has it on both sides and each message is a binary
 * message; the fan-out is the broadcast that anybody writes first (`servers/ws-server.ts`).
 */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';
import { packageVersion } from '../../harness/built-module.js';
import { startScript } from '../../harness/server-process.js';
import { createPayload } from '../stream/payload.js';
import {
  clientFrame,
  clientHeaderBytes,
  OPCODE_BINARY,
  upgrade,
  WebSocketScanner,
} from '../stream/web-socket-framing.js';
import type { Ends, Fanout, Line, Wire } from '../way.js';

const MAX_PAYLOAD_BYTES = 16 * 1024 * 1024;

/** One connection, near end listening. */
export const webSocketEnds: Ends = {
  async openNear({ startFar }) {
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0, maxPayload: MAX_PAYLOAD_BYTES });
    await once(server, 'listening');
    const connection = once(server, 'connection') as Promise<[WebSocket]>;
    await startFar({ port: (server.address() as AddressInfo).port });
    const [socket] = await connection;
    return webSocketLine(socket, () => server.close());
  },
  async openFar({ port }: { port: number }) {
    const socket = new WebSocket(`ws://127.0.0.1:${port}`, {
      perMessageDeflate: false,
      maxPayload: MAX_PAYLOAD_BYTES,
    });
    await once(socket, 'open');
    return webSocketLine(socket, () => {});
  },
};

/** Every data frame is a message. */
export const wsFanout: Fanout = {
  name: 'ws',
  version: () => packageVersion('ws'),
  startServer: () => startScript('ws-server'),
  wire: wsWire,
};

function webSocketLine(socket: WebSocket, onClose: () => void): Line {
  return {
    send(bytes) {
      // A client masks its data in place, and later: it must not be the caller's.
      socket.send(bytes.slice());
      return true;
    },
    receive(listener) {
      socket.on('message', (data: Buffer) => listener(data, 0, data.length));
    },
    async close() {
      socket.terminate();
      onClose();
    },
  };
}

function wsWire(payloadBytes: number): Wire {
  return {
    subscribe: (socket) => upgrade(socket, '/'),
    async enter(socket) {
      await upgrade(socket, '/');
      return {
        bytes: clientFrame(OPCODE_BINARY, createPayload(payloadBytes)),
        payloadOffset: clientHeaderBytes(payloadBytes),
      };
    },
    scanner: (socket, check) => new WebSocketScanner(socket, {}, check),
  };
}
