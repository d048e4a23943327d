/** Messages that show when they are torn or mixed up: all of their bytes, and their length, follow from one number. */
import assert from 'node:assert/strict';

export function numbered(number: number, maxBytes = 600): Uint8Array {
  return new Uint8Array(maxBytes - (number % 100)).fill(number);
}

/** The number of a message of {@link numbered}. */
export function numberOf(message: Uint8Array, maxBytes = 600): number {
  const number = message[0] ?? 0;
  assert.deepEqual(message, numbered(number, maxBytes));
  return number;
}

/** `[first, first + 1, …]` up to and including `last`. */
export function range(first: number, last: number): number[] {
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => first + i);
}
