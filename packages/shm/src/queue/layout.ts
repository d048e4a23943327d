/**
 * Where everything is in a work queue. Numbers only; offsets are words from the beginning of the payload.
 *
 *     word 0    │ tail: where the next message begins                │  written by who holds the lock
 *         32    │ head: where the oldest message begins that is kept │  written by who holds the lock
 *         64    │ next: before it there is no message that nobody took yet, but given back ones │  written by who holds the lock
 *         96    │ lock: token of who works on the queue, or 0        │
 *        128    │ hint: somebody may sleep for a message             │
 *        160    │ hint: somebody may sleep for room                  │
 *        256    │ data: `capacityBytes` bytes                        │
 *
 * Tail, head and next are positions as in a ring: units of 8 bytes, modulo 2^32.
 *
 *     message  │ length │ mark │ state: 0 waits, a token has it, -1 done │ times taken │ bytes … │ to a multiple of 8 │
 *
 * The mark of a message is its position, that of padding before the end the complement of it.
 */
import { LINE_WORDS, WORD_BYTES } from '../segment/layout.js';

export const TAIL_WORD = 0;
export const HEAD_WORD: number = LINE_WORDS;
export const NEXT_WORD: number = 2 * LINE_WORDS;
export const LOCK_WORD: number = 3 * LINE_WORDS;
export const READABLE_WORD: number = 4 * LINE_WORDS;
export const WRITABLE_WORD: number = 5 * LINE_WORDS;
export const DATA_WORD: number = 8 * LINE_WORDS;

/** Words of a message. */
export const MESSAGE_LENGTH = 0;
export const MESSAGE_MARK = 1;
export const MESSAGE_STATE = 2;
export const MESSAGE_TAKEN = 3;
export const MESSAGE_HEADER_BYTES = 16;

/** States beside the token of who has it. */
export const STATE_WAITS = 0;
export const STATE_DONE = -1;

/** Units of a message of `length` bytes. */
export function messageUnits(length: number): number {
  return (length + MESSAGE_HEADER_BYTES + 7) >>> 3;
}

/** Bytes of the whole queue. */
export function queueBytes(capacityBytes: number): number {
  return DATA_WORD * WORD_BYTES + capacityBytes;
}
