/**
 * Shared memory, bare: a slot for one message in each direction and a word that says whether it is full. What
 * remains when everything is taken away that makes shared memory usable: no queue, no waiting, no proof that
 * the other side is alive. The floor under all other lines.
 *
 * The order: the writer fills the slot, then stores its length; the reader sees a length, reads the slot, then
 * stores zero. Whose turn it is decides who may touch the slot.
 */
import { openSegment, type SharedSegment } from '@chat/shm';
import type { Line, LineListener, Mechanism } from '../line.js';

interface Params {
  readonly unique: string;
  readonly maxMessageBytes: number;
}

const WORD_BYTES = 4;
/** The two words stand on cache lines of their own. */
const LINE_WORDS = 32;
const FIRST_SLOT_BYTE = 2 * LINE_WORDS * WORD_BYTES;

export const sharedWordsMechanism: Mechanism = {
  async openNear({ unique, maxMessageBytes, startFar }) {
    const params: Params = { unique, maxMessageBytes };
    const line = openLine(params, 0);
    await startFar(params);
    return line;
  },
  openFar: async (params: Params) => openLine(params, 1),
};

function openLine({ unique, maxMessageBytes }: Params, side: 0 | 1): Line {
  const shared: SharedSegment = openSegment(unique, {
    payloadBytes: FIRST_SLOT_BYTE + 2 * maxMessageBytes,
  });
  const { words, payload } = shared;
  const out = side * LINE_WORDS;
  const outSlot = FIRST_SLOT_BYTE + side * maxMessageBytes;
  const incoming = (1 - side) * LINE_WORDS;
  const inSlot = FIRST_SLOT_BYTE + (1 - side) * maxMessageBytes;
  let listener: LineListener = () => {};
  return {
    send(bytes) {
      if (Atomics.load(words, out) !== 0) return false;
      payload.set(bytes, outSlot);
      // publish: the slot is whole for whoever sees this length.
      // pairs with: poll, load of the same word
      Atomics.store(words, out, bytes.length);
      return true;
    },
    receive(to) {
      listener = to;
    },
    poll() {
      const length = Atomics.load(words, incoming);
      if (length === 0) return false;
      listener(payload, inSlot, inSlot + length);
      // publish: the slot is free for whoever sees this zero.
      // pairs with: send, load of the same word
      Atomics.store(words, incoming, 0);
      return true;
    },
    async close() {
      shared.segment.unlink();
      shared.close();
    },
  };
}
