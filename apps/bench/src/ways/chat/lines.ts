/**
 * Our line dialect, as `nc` speaks it: the first line is the name, the lobby is joined at once.
 *
 * All messages have one sender and one size, so their lines have one length and are stepped over unread. What
 * begins with an asterisk is a notice, which ends at its line feed.
 */
import type { Address } from '../../harness/server-process.js';
import { FrameScanner, measureTextLine, type PayloadListener } from '../stream/frame-scanner.js';
import { createPayload } from '../stream/payload.js';
import { SkimSocket } from '../stream/skim-socket.js';
import type { Wire } from '../way.js';

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
    scanner: (_socket, check) => new LineScanner(payloadBytes, check),
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

  constructor(payloadBytes: number, check: PayloadListener | undefined) {
    super(payloadBytes, 1, check);
    this.#lineBytes = `${PUBLISHER}: `.length + payloadBytes + 1;
  }

  protected measure(bytes: Uint8Array, offset: number, end: number): number {
    return bytes[offset] === ASTERISK ? measureTextLine(bytes, offset, end) : this.#lineBytes;
  }
}
