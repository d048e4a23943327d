/**
 * Redis PUBLISH and SUBSCRIBE, RESP written and read by hand so that no client library is measured.
 *
 * In a pair each end subscribes to its own channel and publishes to that of the other. In a fan-out all
 * messages have one size, so they are stepped over unread.
 */
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Address } from '../../harness/server-process.js';
import { FrameScanner, measureTextLine, type PayloadListener } from '../stream/frame-scanner.js';
import { createPayload } from '../stream/payload.js';
import type { SkimSocket } from '../stream/skim-socket.js';
import { frameText, readDigits, StreamLine } from '../stream/stream-line.js';
import { type Line, ROOM, type Wire } from '../way.js';
import { broker } from './broker.js';

const NEWLINE = 0x0a;
const PUSH = '*'.charCodeAt(0);
const TAIL = '\r\n';
const encoder = new TextEncoder();

export const redis = broker({
  name: 'redis',
  title: 'Redis pub/sub',
  args: ({ host, port }) => ['--port', String(port), '--bind', host, '--save', '', '--appendonly', 'no'],
  openLine,
  wire: redisWire,
});

/** A command as an array of bulk strings. */
export function respCommand(...words: readonly string[]): string {
  return `*${words.length}${TAIL}${words.map((word) => `$${word.length}${TAIL}${word}${TAIL}`).join('')}`;
}

async function openLine(address: Address, own: string, other: string): Promise<Line> {
  const inbound = connect({ ...address, noDelay: true });
  const socket = connect({ ...address, noDelay: true });
  await Promise.all([once(inbound, 'connect'), once(socket, 'connect')]);
  inbound.write(respCommand('SUBSCRIBE', own));
  await once(inbound, 'data');
  socket.resume();
  const head = `*3${TAIL}$7${TAIL}PUBLISH${TAIL}$${other.length}${TAIL}${other}${TAIL}$`;
  return new StreamLine({
    socket,
    inbound,
    frame: (bytes) => frameText(`${head}${bytes.length}${TAIL}`, bytes, TAIL),
    scanner: (listener) => new RespScanner(own, undefined, listener),
  });
}

function redisWire(payloadBytes: number): Wire {
  return {
    async subscribe(socket) {
      socket.write(respCommand('SUBSCRIBE', ROOM));
      await expect(socket, `*3\r\n$9\r\nsubscribe\r\n$${ROOM.length}\r\n${ROOM}\r\n:1\r\n`);
    },
    async enter(socket) {
      socket.write(respCommand('PING'));
      await expect(socket, '+PONG\r\n');
      const payload = new TextDecoder().decode(createPayload(payloadBytes));
      const bytes = encoder.encode(respCommand('PUBLISH', ROOM, payload));
      return { bytes, payloadOffset: bytes.length - payloadBytes - TAIL.length };
    },
    scanner: (_socket, check) => new RespScanner(ROOM, payloadBytes, check),
  };
}

async function expect(socket: SkimSocket, answer: string): Promise<void> {
  await socket.read((bytes) => {
    const text = new TextDecoder().decode(bytes);
    if (text.startsWith('-')) throw new Error(text);
    return text.startsWith(answer) ? answer.length : undefined;
  });
}

/** Finds the messages that are pushed from one channel. */
export class RespScanner extends FrameScanner {
  /** Bytes before the digits that say how long the body is. */
  readonly #headBytes: number;
  /** 0 where messages differ in size. */
  readonly #messageBytes: number;

  /** @param payloadBytes - undefined where messages differ in size */
  constructor(channel: string, payloadBytes: number | undefined, listener: PayloadListener | undefined) {
    super(payloadBytes ?? 0, TAIL.length, listener);
    this.#headBytes = respCommand('message', channel).length + '$'.length;
    this.#messageBytes =
      payloadBytes === undefined
        ? 0
        : this.#headBytes + `${payloadBytes}${TAIL}`.length + payloadBytes + TAIL.length;
  }

  protected measure(bytes: Uint8Array, offset: number, end: number): number {
    // Other than pushes: the publisher's answers, how many received it.
    if (bytes[offset] !== PUSH) return measureTextLine(bytes, offset, end);
    if (this.#messageBytes > 0) return this.#messageBytes;
    const digits = offset + this.#headBytes;
    const newline = bytes.indexOf(NEWLINE, digits);
    if (newline === -1 || newline >= end) return 0;
    this.payloadBytes = readDigits(bytes, digits, newline - 1);
    return newline + 1 - offset + this.payloadBytes + TAIL.length;
  }
}
