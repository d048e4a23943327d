/**
 * Core NATS publish and subscribe, the text protocol written and read by hand.
 *
 * In a pair each end subscribes to its own subject and publishes to that of the other. In a fan-out all
 * messages have one size, so they are stepped over unread.
 */
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Address } from '../../harness/server-process.js';
import {
  type ByteSink,
  FrameScanner,
  measureTextLine,
  type PayloadListener,
} from '../stream/frame-scanner.js';
import { createPayload } from '../stream/payload.js';
import type { SkimSocket } from '../stream/skim-socket.js';
import { frameText, readDigits, StreamLine } from '../stream/stream-line.js';
import { type Line, ROOM, type Wire } from '../way.js';
import { broker } from './broker.js';

const NEWLINE = 0x0a;
const SPACE = 0x20;
const M = 'M'.charCodeAt(0);
const MINUS = '-'.charCodeAt(0);
const TAIL = '\r\n';
const CONNECT = 'CONNECT {"verbose":false,"pedantic":false,"echo":false,"protocol":0}\r\n';
const PONG = 'PONG\r\n';

export const nats = broker({
  name: 'nats',
  title: 'NATS',
  args: ({ host, port }) => ['-a', host, '-p', String(port)],
  openLine,
  wire: natsWire,
});

async function openLine(address: Address, own: string, other: string): Promise<Line> {
  const socket = connect({ ...address, noDelay: true });
  await once(socket, 'connect');
  socket.write(greeting(`SUB ${own} 1\r\n`));
  for (let seen = ''; !seen.includes(PONG); ) {
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    seen += chunk.toString('latin1');
    if (seen.includes('-ERR')) throw new Error(seen);
  }
  return new StreamLine({
    socket,
    frame: (bytes) => frameText(`PUB ${other} ${bytes.length}${TAIL}`, bytes, TAIL),
    scanner: (listener) => new NatsScanner(socket, undefined, listener),
  });
}

function natsWire(payloadBytes: number): Wire {
  return {
    subscribe: (socket) => greet(socket, `SUB ${ROOM} 1\r\n`),
    async enter(socket) {
      await greet(socket, '');
      const head = `PUB ${ROOM} ${payloadBytes}${TAIL}`;
      return { bytes: frameText(head, createPayload(payloadBytes), TAIL), payloadOffset: head.length };
    },
    scanner: (socket, check) => new NatsScanner(socket, payloadBytes, check),
  };
}

/** The server's answer to PING proves that what was sent before it was taken. */
function greeting(lines: string): string {
  return `${CONNECT}${lines}PING\r\n`;
}

async function greet(socket: SkimSocket, lines: string): Promise<void> {
  socket.write(greeting(lines));
  await socket.read((bytes) => {
    const text = new TextDecoder().decode(bytes);
    if (text.includes('-ERR')) throw new Error(text);
    const pong = text.indexOf(PONG);
    return pong === -1 ? undefined : pong + PONG.length;
  });
}

/** Finds messages, and answers the pings between them. */
export class NatsScanner extends FrameScanner {
  readonly #socket: ByteSink;
  /** 0 where messages differ in size. */
  readonly #messageBytes: number;

  /** @param payloadBytes - undefined where messages differ in size */
  constructor(socket: ByteSink, payloadBytes: number | undefined, listener: PayloadListener | undefined) {
    super(payloadBytes ?? 0, TAIL.length, listener);
    this.#socket = socket;
    this.#messageBytes =
      payloadBytes === undefined
        ? 0
        : `MSG ${ROOM} 1 ${payloadBytes}${TAIL}`.length + payloadBytes + TAIL.length;
  }

  protected measure(bytes: Uint8Array, offset: number, end: number): number {
    if (bytes[offset] !== M) return this.#otherLine(bytes, offset, end);
    if (this.#messageBytes > 0) return this.#messageBytes;
    const newline = bytes.indexOf(NEWLINE, offset);
    if (newline === -1 || newline >= end) return 0;
    this.payloadBytes = readDigits(bytes, bytes.lastIndexOf(SPACE, newline) + 1, newline - 1);
    return newline + 1 - offset + this.payloadBytes + TAIL.length;
  }

  #otherLine(bytes: Uint8Array, offset: number, end: number): number {
    const length = measureTextLine(bytes, offset, end);
    if (length === 0) return 0;
    const line = new TextDecoder().decode(bytes.subarray(offset, offset - length));
    if (line.startsWith('PING')) this.#socket.write(PONG);
    if (bytes[offset] === MINUS) throw new Error(line.trim());
    return length;
  }
}
