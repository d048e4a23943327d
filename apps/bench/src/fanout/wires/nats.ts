/**
 * NATS core publish and subscribe, the text protocol written and read by hand. Subject, subscription number
 * and body have a fixed size, so every message has one too.
 */
import { FrameScanner, type MessageCheck } from '../frame-scanner.js';
import { createPayload } from '../payload.js';
import type { ByteSink, SkimSocket } from '../skim-socket.js';
import { checkTail, type Wire } from '../wire.js';

const NEWLINE = 0x0a;
const M = 'M'.charCodeAt(0);
const MINUS = '-'.charCodeAt(0);
const PING = 'PING';
const CONNECT = 'CONNECT {"verbose":false,"pedantic":false,"echo":false,"protocol":0}\r\n';
const encoder = new TextEncoder();

/** Core NATS on one subject. */
export function natsWire(room: string, payloadBytes: number): Wire {
  const subscribe = (socket: SkimSocket): Promise<void> => greet(socket, `SUB ${room} 1\r\n`);
  return {
    subscribe,
    idle: subscribe,
    async enter(socket) {
      await greet(socket, '');
      const payload = new TextDecoder().decode(createPayload(payloadBytes));
      const head = `PUB ${room} ${payloadBytes}\r\n`;
      return { bytes: encoder.encode(`${head}${payload}\r\n`), payloadOffset: head.length };
    },
    scanner: (socket, check) => {
      const head = `MSG ${room} 1 ${payloadBytes}\r\n`;
      return new NatsScanner(socket, head.length + payloadBytes + 2, checkTail(check, payloadBytes, 2));
    },
  };
}

/** The server's answer to PING proves that what was sent before it was taken. */
async function greet(socket: SkimSocket, lines: string): Promise<void> {
  socket.write(`${CONNECT}${lines}PING\r\n`);
  await socket.read((bytes) => {
    const text = new TextDecoder().decode(bytes);
    if (text.includes('-ERR')) throw new Error(text);
    const pong = text.indexOf('PONG\r\n');
    return pong === -1 ? undefined : pong + 6;
  });
}

class NatsScanner extends FrameScanner {
  readonly #socket: ByteSink;
  readonly #messageBytes: number;

  constructor(socket: ByteSink, messageBytes: number, check: MessageCheck | undefined) {
    super(check);
    this.#socket = socket;
    this.#messageBytes = messageBytes;
  }

  protected measure(bytes: Uint8Array, offset: number, end: number): number {
    if (bytes[offset] === M) return this.#messageBytes;
    const newline = bytes.indexOf(NEWLINE, offset);
    if (newline === -1 || newline >= end) return 0;
    const line = new TextDecoder().decode(bytes.subarray(offset, newline));
    if (line.startsWith(PING)) this.#socket.write('PONG\r\n');
    if (bytes[offset] === MINUS) throw new Error(line.trim());
    return -(newline + 1 - offset);
  }
}
