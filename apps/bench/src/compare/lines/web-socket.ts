/** A bare WebSocket with the `ws` library on both sides: each message is a binary message. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';
import type { Line, Mechanism } from '../line.js';

const MAX_PAYLOAD_BYTES = 16 * 1024 * 1024;

export const webSocketMechanism: Mechanism = {
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
