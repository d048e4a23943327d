/**
 * What a work queue has beside records (see record/layout.ts). Offsets are words from the beginning of the payload.
 *
 *     word 0    │ tail, and at 32 head                                    │  written by who holds the lock
 *         64    │ lock: token of who works on the queue, or 0             │
 *         96    │ next: before it no message waits but those given back   │  written by who holds the lock
 *
 *     message  │ length │ mark │ state: 0 waits, a token has it, -1 done │ times taken │ bytes … │
 */
import { LINE_WORDS } from '../segment/layout.js';

export const LOCK_WORD: number = 2 * LINE_WORDS;
export const NEXT_WORD: number = 3 * LINE_WORDS;

/** Words of a message beside those of every record. */
export const MESSAGE_STATE = 2;
export const MESSAGE_TAKEN = 3;
export const MESSAGE_HEADER_BYTES = 16;

/** States beside the token of who has it. */
export const STATE_WAITS = 0;
export const STATE_DONE = -1;
