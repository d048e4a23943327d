/**
 * Where everything is in a ring. Numbers only; offsets are words from the beginning of the ring.
 *
 *     word 0    │ tail: where the next record begins           │  written by the writer
 *         32    │ head: where the oldest unread record begins  │  written by the reader
 *         64    │ writer: token of who writes, or 0            │  in a channel unused
 *         96    │ reader: token of who reads, or 0             │  in a channel unused
 *        128    │ hint: 1 when the reader may sleep            │  set by the reader, cleared by the writer
 *        160    │ hint: 1 when the writer may sleep for room   │  set by the writer, cleared by the reader
 *        256    │ data: `capacityBytes` bytes                  │
 *
 * Tail and head are *positions*: they count units of 8 bytes since the ring was made, modulo 2^32, and are compared by their
 * difference as an int32. A position lies at unit `position mod capacity`; the capacity is a power of two.
 *
 *     record   │ length in bytes │ mark │ payload … │ padding to a multiple of 8 │
 *
 * The mark of a message is the position at which it begins, so that a record of an earlier lap is never taken for a new one. A record
 * never wraps: where the rest before the end is too short, it is filled by padding, whose length covers the whole rest and whose
 * mark is the bitwise complement of its position.
 */
import { LINE_WORDS, WORD_BYTES } from '../segment/layout.js';

export const TAIL_WORD = 0;
export const HEAD_WORD: number = LINE_WORDS;
export const WRITER_WORD: number = 2 * LINE_WORDS;
export const READER_WORD: number = 3 * LINE_WORDS;
export const READER_WAITS_WORD: number = 4 * LINE_WORDS;
export const WRITER_WAITS_WORD: number = 5 * LINE_WORDS;
export const DATA_WORD: number = 8 * LINE_WORDS;

/** Positions count these. */
export const UNIT_BYTES = 8;
/** A unit in words, as a shift. */
export const UNIT_WORDS_SHIFT = 1;
/** Length and mark. */
export const RECORD_HEADER_BYTES = 8;

export const MIN_CAPACITY_BYTES = 4096;
export const MAX_CAPACITY_BYTES: number = 2 ** 30;
export const DEFAULT_CAPACITY_BYTES: number = 2 ** 20;

/** A writer that waits is woken once this much of the ring is free, so that it does not wake for each message. */
export const WAKE_FREE_SHARE = 0.25;

/** The longest message: an eighth of the ring, so that one always fits into an empty ring, padding included. */
export function maxMessageBytes(capacityBytes: number): number {
  return capacityBytes / 8;
}

/** Units of a record whose message has `length` bytes. */
export function recordUnits(length: number): number {
  return (length + RECORD_HEADER_BYTES + UNIT_BYTES - 1) >>> 3;
}

/** Bytes of the whole ring. */
export function ringBytes(capacityBytes: number): number {
  return DATA_WORD * WORD_BYTES + capacityBytes;
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
