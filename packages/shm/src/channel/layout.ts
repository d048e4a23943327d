/**
 * Where everything is in a channel. Numbers only; offsets are words from the beginning of the payload.
 *
 *     word 0    │ side a: token of who has it, or 0          │
 *         32    │ side b: token of who has it, or 0          │
 *         64    │ farewell of a: token of who last left it   │  by close(), that is; a process that died says nothing
 *         96    │ farewell of b: token of who last left it   │
 *        128    │ ring from a to b (see ring/layout.ts)      │
 *               │ ring from b to a                           │
 */
import { areaBytes } from '../record/layout.js';
import { LINE_WORDS, WORD_BYTES } from '../segment/layout.js';

export const SIDE_WORD: Readonly<Record<'a' | 'b', number>> = { a: 0, b: LINE_WORDS };
export const FAREWELL_WORD: Readonly<Record<'a' | 'b', number>> = { a: 2 * LINE_WORDS, b: 3 * LINE_WORDS };
const RINGS_WORD: number = 4 * LINE_WORDS;

/** First word of the ring that `side` writes. */
export function ringWord(side: 'a' | 'b', capacityBytes: number): number {
  return side === 'a' ? RINGS_WORD : RINGS_WORD + areaBytes(capacityBytes) / WORD_BYTES;
}

/** Bytes of the whole channel. */
export function channelBytes(capacityBytes: number): number {
  return RINGS_WORD * WORD_BYTES + 2 * areaBytes(capacityBytes);
}
