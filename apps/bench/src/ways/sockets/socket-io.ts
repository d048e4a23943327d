/**
 * Socket.IO over its WebSocket transport, to a room (`servers/socket-io-server.ts`). An event is the text `42["m","…"]`; `2` is a ping that wants the
 * answer `3`, or the connection ends after twenty seconds.
 */
import { packageVersion } from '../../harness/built-module.js';
import { startScript } from '../../harness/server-process.js';
import type { ByteSink, PayloadListener } from '../stream/frame-scanner.js';
import { createPayload } from '../stream/payload.js';
import type { SkimSocket } from '../stream/skim-socket.js';
import {
  clientFrame,
  clientHeaderBytes,
  OPCODE_TEXT,
  readServerFrame,
  upgrade,
  WebSocketScanner,
} from '../stream/web-socket-framing.js';
import type { Fanout, Wire } from '../way.js';

const PATH = '/socket.io/?EIO=4&transport=websocket';
const EVENT_HEAD = '42["m","';
const EVENT_TAIL = '"]';
const PACKET_PING = '2'.charCodeAt(0);
const PACKET_MESSAGE = '4'.charCodeAt(0);
const encoder = new TextEncoder();

/** Events named `m` with one string. */
export const socketIoFanout: Fanout = {
  name: 'socket.io',
  version: () => packageVersion('socket.io'),
  startServer: () => startScript('socket-io-server'),
  wire: socketIoWire,
};

function socketIoWire(payloadBytes: number): Wire {
  return {
    subscribe: enter,
    async enter(socket) {
      await enter(socket);
      const payload = new TextDecoder().decode(createPayload(payloadBytes));
      const event = encoder.encode(EVENT_HEAD + payload + EVENT_TAIL);
      return {
        bytes: clientFrame(OPCODE_TEXT, event),
        payloadOffset: clientHeaderBytes(event.length) + EVENT_HEAD.length,
      };
    },
    scanner: (socket, check) => new SocketIoScanner(socket, payloadBytes, check),
  };
}

class SocketIoScanner extends WebSocketScanner {
  readonly #socket: ByteSink;

  constructor(socket: ByteSink, payloadBytes: number, check: PayloadListener | undefined) {
    super(socket, { payloadBytes, tailBytes: EVENT_TAIL.length }, check);
    this.#socket = socket;
  }

  protected override isMessage(bytes: Uint8Array, offset: number, end: number): boolean | undefined {
    if (offset >= end) return undefined;
    if (bytes[offset] === PACKET_PING) sendText(this.#socket, '3');
    return bytes[offset] === PACKET_MESSAGE;
  }
}

/** Upgrades, waits for the transport to be open, and connects to the main namespace. */
async function enter(socket: SkimSocket): Promise<void> {
  await upgrade(socket, PATH);
  await readPacket(socket, '0');
  sendText(socket, '40');
  await readPacket(socket, '40');
}

function sendText(socket: ByteSink, text: string): void {
  socket.write(clientFrame(OPCODE_TEXT, encoder.encode(text)));
}

async function readPacket(socket: SkimSocket, start: string): Promise<void> {
  await socket.read((bytes) => {
    const frame = readServerFrame(bytes, 0, bytes.length);
    if (!frame || bytes.length < frame.headerBytes + frame.payloadBytes) return undefined;
    const end = frame.headerBytes + frame.payloadBytes;
    const text = new TextDecoder().decode(bytes.subarray(frame.headerBytes, end));
    if (!text.startsWith(start)) throw new Error(`expected a packet ${start}…, got ${text}`);
    return end;
  });
}
