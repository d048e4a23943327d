/**
 * Shared memory, bare: a slot for one message in each direction and a word that says whether it is full. What
 * remains when everything is taken away that makes shared memory usable: no queue, no waiting, no proof that
 * the other side is alive. The floor under all other lines.
 *
 * The order: the writer fills the slot, then stores its length; the reader sees a length, reads the slot, then
 * stores zero. Whose turn it is decides who may touch the slot.
 */
import { openSegment, type SharedSegment } from '@chat/shm';
import type { PayloadListener } from '../stream/frame-scanner.js';
import type { End, Line, PairParams, Way } from '../way.js';
import { memoryPair } from './memory-pair.js';

const WORD_BYTES = 4;
/** The two words stand on cache lines of their own. */
const LINE_WORDS = 32;
const FIRST_SLOT_BYTE = 2 * LINE_WORDS * WORD_BYTES;

export const sharedWords: Way = {
  id: 'shared-words',
  pair: { ...memoryPair('shared words (polled)', true, openLine), level: 'bare' },
};

function openLine({ unique, maxMessageBytes }: PairParams, end: End): Line {
  const side = end === 'near' ? 0 : 1;
  const shared: SharedSegment = openSegment(unique, {
    payloadBytes: FIRST_SLOT_BYTE + 2 * maxMessageBytes,
  });
  const { words, payload } = shared;
  const out = side * LINE_WORDS;
  const outSlot = FIRST_SLOT_BYTE + side * maxMessageBytes;
  const incoming = (1 - side) * LINE_WORDS;
  const inSlot = FIRST_SLOT_BYTE + (1 - side) * maxMessageBytes;
  let listener: PayloadListener = () => {};
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
