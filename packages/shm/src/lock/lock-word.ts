/**
 * A lock in one word of a segment: 0 is free, a positive number is the token of the owner, -1 is poisoned, any other negative
 * number is free but *reserved*: the complement of the token of a waiter whose turn it is.
 *
 * Owner and lock are the same word, so there is no instant at which the lock is held and nobody knows by whom. Taking it from a dead
 * owner is a compare-and-swap from the very token whose death was proven; tokens name one life of one slot, so it cannot
 * rob a successor, and of two recoverers one wins. Time proves nothing: a stopped or busy owner keeps the lock for ever.
 *
 *     killed before the swap to me      nothing happened
 *     killed after it                   the word names a dead owner: recovered by the next
 *     killed after the swap to 0        free
 *     killed while it is reserved       free, for the next who asks
 *
 * A reservation makes the lock fair: one that gives it up while others sleep for it leaves it to one of them, for as long as that one
 * needs to be woken. It is not ownership. Whoever sees the same reservation for longer than {@link RESERVATION_MS}, or its waiter dead, takes
 * the lock all the same.
 *
 * Poisoned is what a recovered lock becomes when its owner does not vouch for the data. This file only moves the word;
 * waiting in the event loop, queues and policy are in `mutex.ts`.
 *
 * Every swap is sequentially consistent: all that the previous owner wrote is visible to the next.
 */
import { compareExchange, load, pause, sleepSync } from '../platform/atomics.js';
import { Counter } from '../segment/counters.js';
import type { ParticipantInfo } from '../segment/participants.js';
import type { Segment } from '../segment/segment.js';

const POISONED = -1;
/** Longer than a wake-up takes on a busy machine. */
export const RESERVATION_MS = 50;
const SPINS = 100;
const CHECK_INTERVAL_MS = 2;
const NAP_MS = 0.05;
/** So long does a thread wait in all, in units of the patience with one owner. */
const MOST_PATIENCES = 20;

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
  /** The reservation that was last seen, and since when. */
  #reservation = 0;
  #reservedSince = 0;

  /** The lock in word `index` of `segment`; 0 is its first state. */
  constructor(segment: Segment, index: number) {
    segment.assertWritable();
    this.#segment = segment;
    this.#words = segment.words;
    this.#index = index;
    this.#token = segment.participant.token;
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
    if (holder > 0) {
      this.#reservation = 0;
      return LockOutcome.Busy;
    }
    return holder === POISONED ? LockOutcome.Poisoned : this.#tryReserved(holder, false);
  }

  /** Takes the lock if it is free or its owner is proven dead. Asks the kernel: a microsecond. */
  tryRecover(): LockOutcome {
    const holder = compareExchange(this.#words, this.#index, 0, this.#token);
    if (holder === 0) return LockOutcome.Acquired;
    if (holder === POISONED) return LockOutcome.Poisoned;
    const { participants } = this.#segment;
    if (holder < 0) return this.#tryReserved(holder, participants.isDead(~holder));
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
   * Takes the lock, blocking the thread: spins, then takes naps, and every few milliseconds asks whether the owner is dead. For critical
   * sections of microseconds only. The patience is with one owner at a time: as long as the lock changes hands, nobody is stopped, and
   * our turn comes.
   *
   * @returns `Busy` when one owner has had it for `patienceMs`, or after {@link MOST_PATIENCES} times that in all.
   */
  acquireSync(patienceMs: number): LockOutcome {
    this.#segment.counters.add(Counter.lockWaits);
    let owner = 0;
    let ownerSince = performance.now();
    let checkedAt = ownerSince;
    const deadline = ownerSince + patienceMs * MOST_PATIENCES;
    for (;;) {
      for (let spin = 0; spin < SPINS; spin++) {
        const outcome = this.tryAcquire();
        if (outcome !== LockOutcome.Busy) return outcome;
        pause();
      }
      const now = performance.now();
      if (now - checkedAt >= CHECK_INTERVAL_MS) {
        checkedAt = now;
        const outcome = this.tryRecover();
        if (outcome !== LockOutcome.Busy) return outcome;
      }
      const seen = load(this.#words, this.#index);
      if (seen !== owner) {
        owner = seen;
        ownerSince = now;
      }
      if (now - ownerSince >= patienceMs || now >= deadline) {
        // It may have died since it was asked for.
        return this.tryRecover();
      }
      sleepSync(NAP_MS);
    }
  }

  /** Gives the lock up, for the waiter that `token` names. False when it was not ours any more. */
  releaseFor(token: number): boolean {
    return compareExchange(this.#words, this.#index, this.#token, ~token) === this.#token;
  }

  /** Reserves a lock that is free for the waiter that `token` names. */
  reserveFor(token: number): void {
    compareExchange(this.#words, this.#index, 0, ~token);
  }

  /** Gives a reservation up that was made for us. Returns whether there was one. */
  withdraw(): boolean {
    const ours = ~this.#token;
    return (
      load(this.#words, this.#index) === ours && compareExchange(this.#words, this.#index, ours, 0) === ours
    );
  }

  /** Gives the lock up. False when it was not ours any more: somebody took it, which no correct participant does. */
  release(): boolean {
    return compareExchange(this.#words, this.#index, this.#token, 0) === this.#token;
  }

  /** Gives the lock up and poisons it. False when it was not ours any more. */
  releasePoisoned(): boolean {
    return compareExchange(this.#words, this.#index, this.#token, POISONED) === this.#token;
  }

  #tryReserved(reservation: number, lapsed: boolean): LockOutcome {
    if (~reservation !== this.#token && !lapsed) {
      const now = performance.now();
      if (reservation !== this.#reservation) {
        this.#reservation = reservation;
        this.#reservedSince = now;
      }
      if (now - this.#reservedSince < RESERVATION_MS) return LockOutcome.Busy;
    }
    this.#reservation = 0;
    return compareExchange(this.#words, this.#index, reservation, this.#token) === reservation
      ? LockOutcome.Acquired
      : LockOutcome.Busy;
  }
}
