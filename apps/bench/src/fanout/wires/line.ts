/**
 * Our line dialect, as `nc` speaks it: the first line is the name, the lobby is joined at once.
 *
 * All messages have one sender and one size, so their lines have one length and are stepped over unread. What
 * begins with an asterisk is a notice, which ends at its line feed.
 */
import type { Address } from '../../process/server-process.js';
import { FrameScanner, type MessageCheck } from '../frame-scanner.js';
import { createPayload } from '../payload.js';
import { SkimSocket } from '../skim-socket.js';
import { checkTail, type Wire } from '../wire.js';

const NEWLINE = 0x0a;
const ASTERISK = '*'.charCodeAt(0);
const PUBLISHER = 'publisher';
const PROBE = 'is everybody in?';
/** Longer than a server takes: the refusal of this line is the first thing that a new member is told for sure. */
const TOO_LONG = 'x'.repeat(20_000);
const REFUSAL = '*** not sent';

/** The dialect over TCP or a Unix socket. */
export function lineWire(payloadBytes: number): Wire {
  return {
    subscribe: (socket, index) => enter(socket, `s${index}`),
    async enter(socket) {
      await enter(socket, PUBLISHER);
      const bytes = new Uint8Array(payloadBytes + 1);
      bytes.set(createPayload(payloadBytes));
      bytes[payloadBytes] = NEWLINE;
      return { bytes, payloadOffset: 0 };
    },
    // Nothing is awaited: one who enters last hears of nobody, not even of itself.
    async idle(socket, index) {
      socket.write(`line${index}\n`);
    },
    async settled(address: Address) {
      // One who listens and one who speaks, behind all the others: what they exchange comes after them.
      const listening = await SkimSocket.open(address);
      listening.write('listening\n');
      const speaking = await SkimSocket.open(address);
      speaking.write('speaking\n');
      let heard = '';
      const decoder = new TextDecoder();
      await Promise.all([
        listening.read((bytes) => {
          heard = decoder.decode(bytes);
          return heard.includes(PROBE) ? bytes.length : undefined;
        }),
        (async () => {
          // Not before the listener is a member, or it would not hear it.
          while (!heard.includes('speaking has joined'))
            await new Promise((resolve) => setTimeout(resolve, 10));
          speaking.write(`${PROBE}\n`);
        })(),
      ]);
      listening.close();
      speaking.close();
    },
    scanner: (_socket, check) => {
      const lineBytes = PUBLISHER.length + 2 + payloadBytes + 1;
      return new LineScanner(lineBytes, checkTail(check, payloadBytes, 1));
    },
  };
}

/** Comes in, and waits until everything that is said from now on will be heard. */
async function enter(socket: SkimSocket, name: string): Promise<void> {
  socket.write(`${name}\n${TOO_LONG}\n`);
  const decoder = new TextDecoder();
  await socket.read((bytes) => {
    const heard = decoder.decode(bytes);
    const refusal = heard.indexOf(REFUSAL);
    const end = refusal === -1 ? -1 : bytes.indexOf(NEWLINE, refusal);
    return end === -1 ? undefined : end + 1;
  });
}

class LineScanner extends FrameScanner {
  readonly #lineBytes: number;

  constructor(lineBytes: number, check: MessageCheck | undefined) {
    super(check);
    this.#lineBytes = lineBytes;
  }

  protected measure(bytes: Uint8Array, offset: number, end: number): number {
    if (bytes[offset] !== ASTERISK) return this.#lineBytes;
    const newline = bytes.indexOf(NEWLINE, offset);
    return newline === -1 || newline >= end ? 0 : -(newline + 1 - offset);
  }
}
