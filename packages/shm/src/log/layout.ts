/**
 * Where everything is in a log. Numbers only; offsets are words from the beginning of the payload.
 *
 *     word 0    │ tail: where the next entry begins               │  written by who holds the lock
 *         32    │ oldest: where the oldest kept entry begins      │  written by who holds the lock
 *         64    │ lock: token of the writer that appends, or 0    │
 *         96    │ sleepers: 1 when somebody may sleep for entries │  set by readers, cleared by writers
 *        128    │ blocked: 1 when somebody may wait for space     │  set by writers, cleared by readers
 *        160    │ count cell 0: tail, entries low, entries high   │  written by who holds the lock
 *        168    │ count cell 1: the same                          │
 *        256    │ data: `capacityBytes` bytes                     │
 *
 * Tail and oldest are positions as in a ring (see ring/layout.ts): units of 8 bytes, modulo 2^32.
 *
 *     entry    │ length in bytes │ mark │ number low │ number high │ payload … │ padding to a multiple of 8 │
 *
 * The mark is the position at which the entry begins; that of padding before the end is the complement of its position. Entries are
 * numbered from 1. How many there are up to the tail stands in the count cell that names the tail; the next append writes the
 * other one, so that the number is right whichever side of the store of TAIL its writer is killed on.
 *
 * Words of a participant slot: how it reads, up to where it has read, and how many entries it has lost. What a lossy
 * reader shows there is for people only, who look at it with `inspect()`.
 */
import { LINE_WORDS, SLOT_USER, WORD_BYTES } from '../segment/layout.js';

export const TAIL_WORD = 0;
export const OLDEST_WORD: number = LINE_WORDS;
export const LOCK_WORD: number = 2 * LINE_WORDS;
export const SLEEPERS_WORD: number = 3 * LINE_WORDS;
export const BLOCKED_WORD: number = 4 * LINE_WORDS;
export const COUNT_WORD: number = 5 * LINE_WORDS;
export const DATA_WORD: number = 8 * LINE_WORDS;

/** Words from one count cell to the next. */
export const COUNT_CELL_WORDS = 8;
/** Words of a count cell. */
export const COUNT_TAIL = 0;
export const COUNT_LOW = 1;
export const COUNT_HIGH = 2;

/** Words of an entry. */
export const ENTRY_LENGTH = 0;
export const ENTRY_MARK = 1;
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

export const MIN_LOG_BYTES = 4096;
export const MAX_LOG_BYTES: number = 2 ** 30;
export const DEFAULT_LOG_BYTES: number = 2 ** 22;

/** The longest entry: an eighth of the log. */
export function maxEntryBytes(capacityBytes: number): number {
  return capacityBytes / 8;
}

/** Units of an entry of `length` bytes. */
export function entryUnits(length: number): number {
  return (length + ENTRY_HEADER_BYTES + 7) >>> 3;
}

/** Bytes of the whole log. */
export function logBytes(capacityBytes: number): number {
  return DATA_WORD * WORD_BYTES + capacityBytes;
}

/** A number of 53 bits from its two words. */
export function joinNumber(low: number, high: number): number {
  return high * 2 ** 32 + (low >>> 0);
}
