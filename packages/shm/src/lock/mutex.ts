/**
 * A mutex between processes that awaits in the event loop, and survives the death of its holder.
 *
 * `lock-word.ts` holds the lock itself. Added here: the callers of one handle queue in order, and only the first of them tries
 * the word, at first once per turn of the loop, then by a timer of one to eight milliseconds; now and then it asks the kernel whether
 * the holder is dead. No fairness between processes is promised.
 *
 * A lock recovered from the dead is handed out with `recovered: true`: what it protects may be half written. Its holder repairs it and
 * says so with `markConsistent()`; if it leaves without, the mutex is *poisoned*, and everybody is refused until somebody comes
 * with `acceptPoisoned` and repairs it. A live holder is never robbed, however long it takes: there is no lease and no
 * heartbeat. Waiting for a lock that the same chain of calls holds would last for ever, and is refused at once.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { ShmError } from '../errors.js';
import { assertOptions } from '../option-names.js';
import { LOCK_WORD, SegmentKind } from '../segment/layout.js';
import { type ParticipantInfo, Role } from '../segment/participants.js';
import { type OpenOptions, Segment } from '../segment/segment.js';
import { LockOutcome, LockWord } from './lock-word.js';

/** How to take a lock. */
export interface TryLockOptions {
  /**
   * Take the lock even if it is poisoned, in order to repair what it protects.
   * @defaultValue false
   */
  readonly acceptPoisoned?: boolean;
}

/** How to wait for a lock. */
export interface LockOptions extends TryLockOptions {
  /** Stops waiting; the reason is thrown. It does not interrupt the function that holds the lock. */
  readonly signal?: AbortSignal;
  /**
   * Longest wait; 0 tries once.
   * @defaultValue no limit
   */
  readonly timeoutMs?: number;
}

/** A lock that is held, until {@link release}. */
export interface Lock {
  /** Whether the holder before died or left without vouching: what the lock protects may be half written. */
  readonly recovered: boolean;
  /** The holder that died, if the participant table still told. */
  readonly deceased: ParticipantInfo | undefined;
  /** Whether it is still held. */
  readonly held: boolean;
  /** Vouches for what the lock protects. Only means something when {@link recovered}. */
  markConsistent(): void;
  /**
   * Gives the lock up. A recovered lock which nobody vouched for becomes poisoned. Idempotent.
   *
   * @throws {@link ShmError} `ERR_SHM_LOCK_LOST` when it had been taken away, which no correct participant does.
   */
  release(): void;
  [Symbol.dispose](): void;
}

interface Waiter {
  readonly acceptPoisoned: boolean;
  resolve(lock: Lock): void;
  reject(error: unknown): void;
}

/** Turns of the event loop in which a busy lock is tried before timers are used. */
const EAGER_TURNS = 20;
const MAX_NAP_MS = 8;
const LIVENESS_INTERVAL_MS = 10;
/** A longer timer of Node fires at once; 24 days are no limit. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** The locks held by the chain of calls that runs now. */
const chainLocks = new AsyncLocalStorage<readonly { readonly key: string; readonly lock: Lock }[]>();

/** A mutex between processes. Made by {@link openMutex}, or part of a segment. */
export class Mutex {
  readonly #segment: Segment;
  readonly #word: LockWord;
  readonly #key: string;
  readonly #onClosed: () => void;
  readonly #waiters: Waiter[] = [];
  #held: Lock | undefined;
  #polling = false;
  #closed = false;

  /**
   * The mutex in word `index` of `segment`. `onClosed` is called once, when it is closed and not held any more.
   * @internal
   */
  constructor(segment: Segment, index: number, onClosed: () => void) {
    this.#segment = segment;
    this.#word = new LockWord(segment, index);
    this.#key = `${segment.path} ${segment.incarnation} ${index}`;
    this.#onClosed = onClosed;
  }

  /** The segment it lies in: its name, `incarnation`, `retired`, `unlink()`. */
  get segment(): Segment {
    return this.#segment;
  }

  /** Whether somebody gave it up without vouching for what it protects. */
  get poisoned(): boolean {
    this.#assertOpen();
    return this.#word.isPoisoned;
  }

  /** Whether this handle holds it. */
  get held(): boolean {
    return this.#held !== undefined;
  }

  /** Who holds it, with `liveness`: `stopped` is a holder that does not run, for example in a debugger. */
  owner(): ParticipantInfo | undefined {
    this.#assertOpen();
    return this.#word.owner();
  }

  /**
   * Waits for the lock, runs `fn` and gives the lock up, whatever `fn` does.
   *
   * @returns what `fn` returned.
   * @throws what `fn` threw; the reason of `signal`.
   * @throws {@link ShmError} `ERR_SHM_LOCK_TIMEOUT`; `ERR_SHM_POISONED`; `ERR_SHM_DEADLOCK` inside a `withLock` of the same mutex,
   * tasks started there included; `ERR_SHM_LOCK_LOST`; `ERR_SHM_CLOSED`
   */
  async withLock<T>(fn: (lock: Lock) => T | PromiseLike<T>, options: LockOptions = {}): Promise<T> {
    assertOptions(options, 'withLock');
    const chain = chainLocks.getStore() ?? [];
    if (chain.some(({ key, lock }) => key === this.#key && lock.held)) {
      throw new ShmError(
        'ERR_SHM_DEADLOCK',
        `the lock of ${this.#segment.name} is held by the caller itself`,
      );
    }
    const lock = await this.#acquire(options);
    let result: T;
    try {
      result = await chainLocks.run([...chain, { key: this.#key, lock }], async () => fn(lock));
    } catch (error) {
      try {
        lock.release();
      } catch (lost) {
        throw new ShmError('ERR_SHM_LOCK_LOST', (lost as Error).message, { cause: error });
      }
      throw error;
    }
    lock.release();
    return result;
  }

  /**
   * Takes the lock if it can be had now: it is free, or its holder is proven dead.
   *
   * @returns the lock, to be released by the caller; undefined when it is busy.
   * @throws {@link ShmError} `ERR_SHM_POISONED`, `ERR_SHM_CLOSED`
   */
  tryLock(options: TryLockOptions = {}): Lock | undefined {
    assertOptions(options, 'tryLock');
    this.#assertOpen();
    if (this.#held !== undefined || this.#waiters.length > 0) return undefined;
    return this.#attempt(true, options.acceptPoisoned ?? false);
  }

  /**
   * Refuses new callers and those who wait. A lock that is held stays held until its holder gives it up; only then does this handle
   * let go of the memory. Idempotent.
   */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const waiter of this.#waiters.splice(0)) waiter.reject(this.#closedError());
    if (this.#held === undefined) this.#onClosed();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  async #acquire(options: LockOptions): Promise<Lock> {
    this.#assertOpen();
    const { signal, timeoutMs, acceptPoisoned = false } = options;
    if (timeoutMs !== undefined && !(timeoutMs >= 0)) {
      throw new RangeError(`timeoutMs is 0 or more, not ${timeoutMs}`);
    }
    signal?.throwIfAborted();
    if (this.#held === undefined && this.#waiters.length === 0) {
      const lock = this.#attempt(true, acceptPoisoned);
      if (lock !== undefined) return lock;
    }
    if (timeoutMs === 0) throw this.#timeoutError(timeoutMs);
    return new Promise<Lock>((resolve, reject) => {
      const settle = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
      };
      const waiter: Waiter = {
        acceptPoisoned,
        resolve: (lock) => {
          settle();
          resolve(lock);
        },
        reject: (error) => {
          settle();
          reject(error);
        },
      };
      const giveUp = (error: unknown): void => {
        this.#waiters.splice(this.#waiters.indexOf(waiter), 1);
        waiter.reject(error);
      };
      const onAbort = (): void => giveUp(signal?.reason);
      const timer =
        timeoutMs === undefined || timeoutMs > MAX_TIMER_MS
          ? undefined
          : setTimeout(() => giveUp(this.#timeoutError(timeoutMs)), timeoutMs);
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#waiters.push(waiter);
      this.#poll(0, performance.now());
    });
  }

  /** Tries the lock for the first in the queue, and sees to it that it is tried again while there is one. */
  #poll(turn: number, checkedAt: number): void {
    if (turn === 0) {
      if (this.#polling) return;
      this.#polling = true;
    }
    const waiter = this.#waiters[0];
    if (waiter === undefined || this.#held !== undefined) {
      // The end of the one who holds it here starts the next round.
      this.#polling = false;
      return;
    }
    const now = performance.now();
    const check = now - checkedAt >= LIVENESS_INTERVAL_MS;
    try {
      const lock = this.#attempt(check, waiter.acceptPoisoned);
      if (lock !== undefined) {
        this.#waiters.shift();
        this.#polling = false;
        waiter.resolve(lock);
        return;
      }
    } catch (error) {
      this.#waiters.shift();
      waiter.reject(error);
    }
    const again = (): void => this.#poll(turn + 1, check ? now : checkedAt);
    if (turn < EAGER_TURNS) setImmediate(again);
    else setTimeout(again, Math.min(2 ** Math.floor((turn - EAGER_TURNS) / 4), MAX_NAP_MS));
  }

  #attempt(check: boolean, acceptPoisoned: boolean): Lock | undefined {
    let outcome = check ? this.#word.tryRecover() : this.#word.tryAcquire();
    if (outcome === LockOutcome.Poisoned) {
      if (!acceptPoisoned) {
        throw new ShmError(
          'ERR_SHM_POISONED',
          `the lock of ${this.#segment.name} was recovered from a dead holder and given up without markConsistent(); repair the data under acceptPoisoned`,
        );
      }
      outcome = this.#word.tryTakePoisoned();
    }
    if (outcome === LockOutcome.Busy) return undefined;
    const recovered = outcome === LockOutcome.Recovered;
    this.#held = this.#lock(recovered, recovered ? this.#word.deceased : undefined);
    return this.#held;
  }

  #lock(recovered: boolean, deceased: ParticipantInfo | undefined): Lock {
    const word = this.#word;
    const ended = (): void => this.#ended();
    const lostError = (): ShmError =>
      new ShmError(
        'ERR_SHM_LOCK_LOST',
        `the lock of ${this.#segment.name} was taken away from its live holder`,
      );
    let held = true;
    let consistent = !recovered;
    const release = (): void => {
      if (!held) return;
      held = false;
      const ours = consistent ? word.release() : word.releasePoisoned();
      ended();
      if (!ours) throw lostError();
    };
    return {
      recovered,
      deceased,
      get held() {
        return held;
      },
      markConsistent: () => {
        consistent = true;
      },
      release,
      [Symbol.dispose]: release,
    };
  }

  #ended(): void {
    this.#held = undefined;
    if (this.#closed) this.#onClosed();
    else if (this.#waiters.length > 0) this.#poll(0, performance.now());
  }

  #timeoutError(timeoutMs: number): ShmError {
    const owner = this.#word.owner();
    const who = owner === undefined ? 'nobody by now' : `process ${owner.pid}, which is ${owner.liveness}`;
    return new ShmError(
      'ERR_SHM_LOCK_TIMEOUT',
      `the lock of ${this.#segment.name} was not had within ${timeoutMs} ms; it is held by ${who}`,
    );
  }

  #closedError(): ShmError {
    return new ShmError('ERR_SHM_CLOSED', `the mutex ${this.#segment.name} is closed`);
  }

  #assertOpen(): void {
    if (this.#closed) throw this.#closedError();
  }
}

/**
 * Opens, or makes, the mutex called `name`.
 *
 * @throws {@link ShmError} as every opener: `ERR_SHM_NOT_FOUND`, `ERR_SHM_EXISTS`, `ERR_SHM_KIND`, …
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { openMutex, unlink } from '@chat/shm';
 *
 * using mutex = openMutex('print-queue');
 * const pages = await mutex.withLock((lock) => {
 *   if (lock.recovered) lock.markConsistent(); // after repairing what a dead holder left
 *   return 3;
 * }, { timeoutMs: 1000 });
 * assert.equal(pages, 3);
 * unlink('print-queue');
 * ```
 */
export function openMutex(name: string, options: OpenOptions = {}): Mutex {
  assertOptions(options, 'openMutex');
  const segment = Segment.open(
    { kind: SegmentKind.Mutex, params: [], payloadBytes: () => 0 },
    name,
    options,
    Role.User,
  );
  return new Mutex(segment, LOCK_WORD, () => segment.close());
}
