/**
 * What a log has beside records (see record/layout.ts). Offsets are words from the beginning of the payload.
 *
 *     word 0    │ tail, and at 32 head: where the oldest kept entry begins │  written by who holds the lock
 *         64    │ lock: token of the writer that appends, or 0             │
 *         96    │ count cell 0: tail, entries low, entries high            │  written by who holds the lock
 *        104    │ count cell 1: the same                                   │
 *
 *     entry    │ length │ mark │ number low │ number high │ bytes … │
 *
 * Entries are numbered from 1. How many there are up to the tail stands in the count cell that names the tail; the next append writes the
 * other one, so that the number is right whichever side of the store of TAIL its writer is killed on.
 *
 * Words of a participant slot: how it reads, up to where it has read, and how many entries it has lost. What a lossy
 * reader shows there is for people only, who look at it with `inspect()`.
 */
import { LINE_WORDS, SLOT_USER } from '../segment/layout.js';

export const LOCK_WORD: number = 2 * LINE_WORDS;
export const COUNT_WORD: number = 3 * LINE_WORDS;

/** Words from one count cell to the next. */
export const COUNT_CELL_WORDS = 8;
/** Words of a count cell. */
export const COUNT_TAIL = 0;
export const COUNT_LOW = 1;
export const COUNT_HIGH = 2;

/** Words of an entry beside those of every record. */
export const ENTRY_NUMBER_LOW = 2;
export const ENTRY_NUMBER_HIGH = 3;
export const ENTRY_HEADER_BYTES = 16;

/** Words of a participant slot. */
export const SLOT_READS: number = SLOT_USER;
export const SLOT_POSITION: number = SLOT_USER + 1;
/** Modulo 2^32. */
export const SLOT_LOST: number = SLOT_USER + 2;

/** Values of SLOT_READS; 0 is not at all. */
export const READS_RELIABLY = 1;
export const READS_LOSSILY = 2;

export const DEFAULT_LOG_BYTES: number = 2 ** 22;

/** A number of 53 bits from its two words. */
export function joinNumber(low: number, high: number): number {
  return high * 2 ** 32 + (low >>> 0);
}
