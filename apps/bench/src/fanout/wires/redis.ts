/**
 * Redis PUBLISH and SUBSCRIBE, RESP written and read by hand so that no client library is measured.
 * Room and body have a fixed size, so every pushed message has one too.
 */
import { FrameScanner, type MessageCheck } from '../frame-scanner.js';
import { createPayload } from '../payload.js';
import type { SkimSocket } from '../skim-socket.js';
import { checkTail, type Wire } from '../wire.js';

const NEWLINE = 0x0a;
const PUSH = '*'.charCodeAt(0);
const encoder = new TextEncoder();

/** Pub/sub on one channel. */
export function redisWire(room: string, payloadBytes: number): Wire {
  const subscribe = async (socket: SkimSocket): Promise<void> => {
    socket.write(command('SUBSCRIBE', room));
    await expect(socket, `*3\r\n$9\r\nsubscribe\r\n$${room.length}\r\n${room}\r\n:1\r\n`);
  };
  return {
    subscribe,
    idle: subscribe,
    async enter(socket) {
      socket.write(command('PING'));
      await expect(socket, '+PONG\r\n');
      const payload = new TextDecoder().decode(createPayload(payloadBytes));
      const bytes = encoder.encode(command('PUBLISH', room, payload));
      return { bytes, payloadOffset: bytes.length - payloadBytes - 2 };
    },
    scanner: (_socket, check) => {
      const head = `*3\r\n$7\r\nmessage\r\n$${room.length}\r\n${room}\r\n$${payloadBytes}\r\n`;
      return new RespScanner(head.length + payloadBytes + 2, checkTail(check, payloadBytes, 2));
    },
  };
}

/** A command as an array of bulk strings. */
function command(...words: readonly string[]): string {
  return `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join('')}`;
}

async function expect(socket: SkimSocket, answer: string): Promise<void> {
  await socket.read((bytes) => {
    const text = new TextDecoder().decode(bytes);
    if (text.startsWith('-')) throw new Error(text);
    return text.startsWith(answer) ? answer.length : undefined;
  });
}

class RespScanner extends FrameScanner {
  readonly #messageBytes: number;

  constructor(messageBytes: number, check: MessageCheck | undefined) {
    super(check);
    this.#messageBytes = messageBytes;
  }

  protected measure(bytes: Uint8Array, offset: number, end: number): number {
    if (bytes[offset] === PUSH) return this.#messageBytes;
    // The publisher's answers: how many received it.
    const newline = bytes.indexOf(NEWLINE, offset);
    return newline === -1 || newline >= end ? 0 : -(newline + 1 - offset);
  }
}
