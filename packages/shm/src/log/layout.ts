/**
 * What a log has beside records (see record/layout.ts). Offsets are words from the beginning of the payload.
 *
 *     word 0    │ tail, and at 32 head: where the oldest kept entry begins │  written by who holds the lock
 *         64    │ lock: token of the writer that appends, or 0             │
 *         96    │ count cell 0: tail, entries low, entries high            │  written by who holds the lock
 *        100    │ count cell 1: the same                                   │
 *        256    │ data, and behind it 16 rows of named cursors             │
 *
 *     entry    │ length │ mark │ number low │ number high │ bytes … │
 *
 * Entries are numbered from 1. How many there are up to the tail stands in the count cell that names the tail; the next append writes the
 * other one, so that the number is right whichever side of the store of TAIL its writer is killed on.
 *
 * A reader shows itself in a *row*: how it reads, where the first entry lies that it is not done with, how many it has lost, and how long a
 * writer waits for it. The row of most is in their participant slot, and ends with them. A named cursor has a row of 32 words behind
 * the data, which stays: who has it, its name, and two cells like those above, that say which number the entry at its position has.
 *
 *     row      │ reads │ position │ lost │ patience │ holder │ bytes of name │ – │ – │ cell 0 │ cell 1 │ name, 64 bytes │
 *
 * What a lossy reader shows is for people only, who look at it with `inspect()`.
 */
import { areaBytes } from '../record/layout.js';
import { LINE_WORDS, SLOT_USER, WORD_BYTES } from '../segment/layout.js';

export const LOCK_WORD: number = 2 * LINE_WORDS;
export const COUNT_WORD: number = 3 * LINE_WORDS;

/** Words from one count cell to the next. */
export const COUNT_CELL_WORDS = 4;
/** Words of a count cell. */
export const COUNT_TAIL = 0;
export const COUNT_LOW = 1;
export const COUNT_HIGH = 2;

/** Words of an entry beside those of every record. */
export const ENTRY_NUMBER_LOW = 2;
export const ENTRY_NUMBER_HIGH = 3;
export const ENTRY_HEADER_BYTES = 16;

/** Words of a row. */
export const ROW_READS = 0;
export const ROW_POSITION = 1;
/** Modulo 2^32. */
export const ROW_LOST = 2;
/** 0: writers wait as long as it takes; n: after n ms it becomes lossy; -n: after n ms it is evicted. */
export const ROW_PATIENCE = 3;
/** Of a named cursor: the token of who has it, or 0. */
export const ROW_HOLDER = 4;
/** 0 is a free row. */
export const ROW_NAME_BYTES = 5;
export const ROW_CELLS = 8;
export const ROW_NAME = 16;
export const ROW_WORDS = 32;

/** The row in a participant slot. */
export const SLOT_READS: number = SLOT_USER + ROW_READS;
export const SLOT_POSITION: number = SLOT_USER + ROW_POSITION;
export const SLOT_LOST: number = SLOT_USER + ROW_LOST;

/** Values of READS; 0 is not at all. */
export const READS_RELIABLY = 1;
export const READS_LOSSILY = 2;
/** A writer gave it up: what it has not read is overwritten. */
export const READS_EVICTED = 3;

export const NAMED_CURSORS = 16;
export const MAX_CURSOR_NAME_BYTES = 64;
export const DEFAULT_LOG_BYTES: number = 2 ** 22;

/** Bytes of the whole log. */
export function logBytes(capacityBytes: number): number {
  return areaBytes(capacityBytes) + NAMED_CURSORS * ROW_WORDS * WORD_BYTES;
}

/** Word of the payload at which the row of named cursor `index` begins. */
export function namedRow(index: number, capacityBytes: number): number {
  return areaBytes(capacityBytes) / WORD_BYTES + index * ROW_WORDS;
}

/** A number of 53 bits from its two words. */
export function joinNumber(low: number, high: number): number {
  return high * 2 ** 32 + (low >>> 0);
}

/** The number that a cell at `cells` says for `position`, and which cell; undefined when none names it. */
export function countAt(
  words: Int32Array,
  cells: number,
  position: number,
): { readonly count: number; readonly cell: number } | undefined {
  let found: { count: number; cell: number } | undefined;
  for (let cell = 0; cell < 2; cell++) {
    const word = cells + cell * COUNT_CELL_WORDS;
    if (words[word + COUNT_TAIL] !== position) continue;
    const count = joinNumber(words[word + COUNT_LOW] as number, words[word + COUNT_HIGH] as number);
    // A cell of exactly 2^32 units ago may have the same position: the larger count is the later one.
    if (found === undefined || count > found.count) found = { count, cell };
  }
  return found;
}

/** Writes one of the two cells: it counts from the store of `position` on. */
export function writeCount(
  words: Int32Array,
  cells: number,
  cell: number,
  position: number,
  count: number,
): void {
  const word = cells + cell * COUNT_CELL_WORDS;
  words[word + COUNT_TAIL] = position;
  words[word + COUNT_LOW] = count | 0;
  words[word + COUNT_HIGH] = Math.floor(count / 2 ** 32);
}
