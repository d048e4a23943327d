/**
 * What a handle has done since it was opened, as numbers in its participant slot: for people who look with `inspect()` or `chat-shm watch`.
 *
 * Each number is written by its own handle alone, with plain stores, and ends with the slot: nothing is decided by it, and it costs an
 * addition in a line of memory that nobody else writes.
 */
import { SLOT_COUNTERS, slotWord } from './layout.js';

/** What is counted, in the order of the words. Modulo 2^32. */
export const COUNTER_NAMES = ['sent', 'received', 'rung', 'slept', 'lockWaits'] as const;

/** What a participant has done since it came, each modulo 2^32. */
export interface ParticipantCounters {
  /** Messages sent, entries appended. */
  readonly sent: number;
  /** Messages and entries received. */
  readonly received: number;
  /** Sleepers that it woke. */
  readonly rung: number;
  /** Times that it fell asleep. */
  readonly slept: number;
  /** Times that a lock was not had at the first attempt. */
  readonly lockWaits: number;
}

/** Which word counts what. */
export const Counter: Readonly<Record<keyof ParticipantCounters, number>> = {
  sent: 0,
  received: 1,
  rung: 2,
  slept: 3,
  lockWaits: 4,
};

/** Counts for the participant in `slot`; a read-only handle has none, and counts nothing. */
export class Counters {
  readonly #words: Int32Array;
  readonly #base: number;

  constructor(words: Int32Array, slot: number) {
    this.#words = slot < 0 ? new Int32Array(COUNTER_NAMES.length) : words;
    this.#base = slot < 0 ? 0 : slotWord(slot) + SLOT_COUNTERS;
  }

  /** `which` is a {@link Counter}. */
  add(which: number, count = 1): void {
    const word = this.#base + which;
    this.#words[word] = ((this.#words[word] as number) + count) | 0;
  }
}

/** Reads the counters of a slot. */
export function countersAt(words: Int32Array, slot: number): ParticipantCounters {
  const base = slotWord(slot) + SLOT_COUNTERS;
  const entries = COUNTER_NAMES.map((name) => [name, (words[base + Counter[name]] ?? 0) >>> 0]);
  return Object.fromEntries(entries) as unknown as ParticipantCounters;
}
