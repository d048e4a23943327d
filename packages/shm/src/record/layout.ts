/**
 * How records lie in memory: the one form that ring, log and queue share. Numbers only.
 *
 *     word 0    │ tail: where the next record begins          │
 *         32    │ head: where the oldest record that is kept  │
 *         64    │ two lines of the structure's own            │
 *        128    │ hint: somebody may sleep for a record       │  see waiting/wait-point.ts
 *        160    │ hint: somebody may sleep for room           │
 *        192    │ unused                                      │
 *        256    │ data: `capacityBytes` bytes                 │
 *
 * Tail and head are *positions*: they count units of 8 bytes since the structure was made, modulo 2^32, and are compared by their
 * difference as an int32. A position lies at unit `position mod capacity`; the capacity is a power of two.
 *
 *     record   │ length in bytes │ mark │ words of the structure's own │ bytes … │ padding to a multiple of 8 │
 *
 * The mark of a record is the position at which it begins, so that a record of an earlier lap is never taken for a new one. A record
 * never wraps: where the rest before the end is too short it is filled by padding, whose length is the whole rest in bytes and whose
 * mark is the bitwise complement of its position.
 */
import { LINE_WORDS, WORD_BYTES } from '../segment/layout.js';

export const TAIL_WORD = 0;
export const HEAD_WORD: number = LINE_WORDS;
export const READABLE_WORD: number = 4 * LINE_WORDS;
export const WRITABLE_WORD: number = 5 * LINE_WORDS;
export const DATA_WORD: number = 8 * LINE_WORDS;

/** Positions count these. */
export const UNIT_BYTES = 8;
/** A unit in words, as a shift. */
export const UNIT_WORDS_SHIFT = 1;

/** Words of a record. */
export const RECORD_LENGTH = 0;
export const RECORD_MARK = 1;

export const MIN_CAPACITY_BYTES = 4096;
export const MAX_CAPACITY_BYTES: number = 2 ** 30;
export const DEFAULT_CAPACITY_BYTES: number = 2 ** 20;

/** A writer that waits is woken once this much is free, so that it does not wake for each record. */
export const WAKE_FREE_SHARE = 0.25;

/** The longest content of a record: an eighth of the capacity, so that one always fits when all else is read, padding included. */
export function maxRecordBytes(capacityBytes: number): number {
  return capacityBytes / 8;
}

/** Bytes of the whole area. */
export function areaBytes(capacityBytes: number): number {
  return DATA_WORD * WORD_BYTES + capacityBytes;
}

/** Bytes from one position to a later one. */
export function distanceBytes(later: number, earlier: number): number {
  return ((later - earlier) | 0) * UNIT_BYTES;
}

/** @throws {RangeError} */
export function checkCapacity(capacityBytes: number): void {
  const valid =
    Number.isInteger(Math.log2(capacityBytes)) &&
    capacityBytes >= MIN_CAPACITY_BYTES &&
    capacityBytes <= MAX_CAPACITY_BYTES;
  if (!valid) {
    throw new RangeError(
      `capacityBytes is a power of two from ${MIN_CAPACITY_BYTES} to ${MAX_CAPACITY_BYTES}, not ${capacityBytes}`,
    );
  }
}
