/**
 * A lock in one word of a segment: 0 is free, a positive number is the token of the owner, -1 is poisoned.
 *
 * Owner and lock are the same word, so there is no instant at which the lock is held and nobody knows by whom. Taking it from a dead
 * owner is a compare-and-swap from the very token whose death was proven; tokens name one life of one slot, so it cannot
 * rob a successor, and of two recoverers one wins. Time proves nothing: a stopped or busy owner keeps the lock for ever.
 *
 *     killed before the swap to me      nothing happened
 *     killed after it                   the word names a dead owner: recovered by the next
 *     killed after the swap to 0        free
 *
 * Poisoned is what a recovered lock becomes when its owner does not vouch for the data. This file only moves the word;
 * waiting in the event loop, queues and policy are in `mutex.ts`.
 *
 * Every swap is sequentially consistent: all that the previous owner wrote is visible to the next.
 */
import { compareExchange, load, pause, sleepSync } from '../platform/atomics.js';
import type { ParticipantInfo } from '../segment/participants.js';
import type { Segment } from '../segment/segment.js';

const POISONED = -1;
const SPINS = 100;
const CHECK_INTERVAL_MS = 5;

/** What an attempt to take the lock came to. */
export const LockOutcome = {
  /** Somebody who is not proven dead has it. */
  Busy: 0,
  /** It was free, and is ours. */
  Acquired: 1,
  /** Its owner died holding it, and it is ours: what it protects may be half written. */
  Recovered: 2,
  /** Somebody gave it up without vouching for what it protects. It is not ours. */
  Poisoned: 3,
} as const;
/** What an attempt to take the lock came to. */
export type LockOutcome = (typeof LockOutcome)[keyof typeof LockOutcome];

/** One lock, as seen by one participant. */
export class LockWord {
  readonly #segment: Segment;
  readonly #words: Int32Array;
  readonly #index: number;
  readonly #token: number;
  #deceased: ParticipantInfo | undefined;

  /** The lock in word `index` of `segment`; 0 is its first state. */
  constructor(segment: Segment, index: number) {
    segment.assertWritable();
    this.#segment = segment;
    this.#words = segment.words;
    this.#index = index;
    this.#token = segment.participant.token;
  }

  /** Whether this participant has it. */
  get isMine(): boolean {
    return load(this.#words, this.#index) === this.#token;
  }

  /** Whether it is poisoned. */
  get isPoisoned(): boolean {
    return load(this.#words, this.#index) === POISONED;
  }

  /** Who has it, dead or alive; undefined when it is free, poisoned, or its owner left the table. */
  owner(): ParticipantInfo | undefined {
    const holder = load(this.#words, this.#index);
    return holder > 0 ? this.#segment.participants.describe(holder) : undefined;
  }

  /** The dead owner from whom this participant last recovered the lock, if its slot still told. */
  get deceased(): ParticipantInfo | undefined {
    return this.#deceased;
  }

  /** Takes the lock if it is free. One swap; asks nobody whether the owner lives. */
  tryAcquire(): LockOutcome {
    const holder = compareExchange(this.#words, this.#index, 0, this.#token);
    if (holder === 0) return LockOutcome.Acquired;
    return holder === POISONED ? LockOutcome.Poisoned : LockOutcome.Busy;
  }

  /** Takes the lock if it is free or its owner is proven dead. Asks the kernel: a microsecond. */
  tryRecover(): LockOutcome {
    const holder = compareExchange(this.#words, this.#index, 0, this.#token);
    if (holder === 0) return LockOutcome.Acquired;
    if (holder === POISONED) return LockOutcome.Poisoned;
    const { participants } = this.#segment;
    if (!participants.isDead(holder)) return LockOutcome.Busy;
    this.#deceased = participants.describe(holder);
    return compareExchange(this.#words, this.#index, holder, this.#token) === holder
      ? LockOutcome.Recovered
      : LockOutcome.Busy;
  }

  /** Takes a poisoned lock, to repair what it protects. */
  tryTakePoisoned(): LockOutcome {
    this.#deceased = undefined;
    const holder = compareExchange(this.#words, this.#index, POISONED, this.#token);
    return holder === POISONED ? LockOutcome.Recovered : LockOutcome.Busy;
  }

  /**
   * Takes the lock, blocking the thread for at most `timeoutMs`: spins, then sleeps in ever longer naps, and every few
   * milliseconds asks whether the owner is dead. For critical sections of microseconds only.
   *
   * @returns `Busy` when the time was up.
   */
  acquireSync(timeoutMs: number): LockOutcome {
    for (let spin = 0; spin < SPINS; spin++) {
      const outcome = this.tryAcquire();
      if (outcome !== LockOutcome.Busy) return outcome;
      pause();
    }
    const deadline = performance.now() + timeoutMs;
    for (let napMs = 0.05; ; napMs = Math.min(napMs * 2, CHECK_INTERVAL_MS)) {
      const outcome = this.tryRecover();
      if (outcome !== LockOutcome.Busy) return outcome;
      const leftMs = deadline - performance.now();
      if (leftMs <= 0) return LockOutcome.Busy;
      sleepSync(Math.min(napMs, leftMs));
    }
  }

  /** Gives the lock up. False when it was not ours any more: somebody took it, which no correct participant does. */
  release(): boolean {
    return compareExchange(this.#words, this.#index, this.#token, 0) === this.#token;
  }

  /** Gives the lock up and poisons it. False when it was not ours any more. */
  releasePoisoned(): boolean {
    return compareExchange(this.#words, this.#index, this.#token, POISONED) === this.#token;
  }
}
