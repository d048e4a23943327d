/**
 * A mutex between processes that awaits in the event loop, and survives the death of its holder.
 *
 * `lock-word.ts` holds the lock itself. Added here: the callers of one handle queue in order, and only the first of them tries
 * the word, at first once per turn of the loop; then it sleeps, is rung for, and now and then asks the kernel whether the holder is dead.
 *
 * Fair enough: whoever gives the lock up while others sleep for it reserves it for the next of them, in the order of the slots. So one
 * that takes it again and again does not keep it from the others, and a sleeper has it after at most one turn of each other.
 *
 * A lock recovered from the dead is handed out with `recovered: true`: what it protects may be half written. Its holder repairs it and
 * says so with `markConsistent()`; if it leaves without, the mutex is *poisoned*, and everybody is refused until somebody comes
 * with `acceptPoisoned` and repairs it. A live holder is never robbed, however long it takes: there is no lease and no
 * heartbeat. Waiting for a lock that the same chain of calls holds would last for ever, and is refused at once.
 */

import { AsyncLocalStorage } from 'node:async_hooks';
import { ShmError } from '../errors.js';
import { Handle, type HandleEvents } from '../handle.js';
import { assertOptions } from '../option-names.js';
import { tell } from '../platform/diagnostics.js';
import { Counter } from '../segment/counters.js';
import { LOCK_WAITS_WORD, LOCK_WORD, SegmentKind } from '../segment/layout.js';
import { type ParticipantInfo, Role } from '../segment/participants.js';
import { type OpenOptions, Segment } from '../segment/segment.js';
import { WaitBit, WaitPoint } from '../waiting/wait-point.js';
import type { SyncOptions } from '../waiting/waiting.js';
import { lockTimeout } from './brief-lock.js';
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
const LIVENESS_INTERVAL_MS = 10;
/** A longer timer of Node fires at once; 24 days are no limit. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** The locks held by the chain of calls that runs now. */
const chainLocks = new AsyncLocalStorage<readonly { readonly key: string; readonly lock: Lock }[]>();

/**
 * A mutex between processes. Made by {@link openMutex}, or part of a segment.
 *
 * To close it refuses new callers and those who wait. A lock that is held stays held until its holder gives it up; only then does the
 * handle let go of the memory.
 */
export class Mutex<
  Events extends HandleEvents & Record<keyof Events, unknown[]> = HandleEvents,
> extends Handle<Events> {
  readonly #segment: Segment;
  /** Undefined on a read-only handle. */
  readonly #word: LockWord | undefined;
  readonly #free: WaitPoint;
  readonly #key: string;
  readonly #waiters = new Set<Waiter>();
  #held: Lock | undefined;
  #contending = false;

  /** The mutex of `segment`. `what` names the structure in messages. @internal */
  constructor(segment: Segment, what = 'mutex') {
    super(segment, what);
    this.#segment = segment;
    this.#word = segment.readOnly ? undefined : new LockWord(segment, LOCK_WORD);
    this.#free = new WaitPoint(segment, LOCK_WAITS_WORD, WaitBit.Lock);
    this.#key = `${segment.path} ${segment.incarnation}`;
  }

  /** Whether somebody gave it up without vouching for what it protects. @throws {@link ShmError} `ERR_SHM_READ_ONLY`, `ERR_SHM_CLOSED` */
  get poisoned(): boolean {
    return this.#openWord().isPoisoned;
  }

  /** Whether this handle holds it. */
  get held(): boolean {
    return this.#held !== undefined;
  }

  /**
   * Who holds it, with `liveness`: `stopped` is a holder that does not run, for example in a debugger.
   *
   * @throws {@link ShmError} `ERR_SHM_READ_ONLY`, `ERR_SHM_CLOSED`
   */
  owner(): ParticipantInfo | undefined {
    return this.#openWord().owner();
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
      throw new ShmError('ERR_SHM_DEADLOCK', `the lock of ${this.name} is held by the caller itself`);
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
    this.#openWord();
    if (this.#held !== undefined || this.#waiters.size > 0) return undefined;
    return this.#attempt(true, options.acceptPoisoned ?? false);
  }

  /**
   * Waits for the lock with the thread blocked, as a futex does: for worker threads, and a few times as quick as through an event loop.
   *
   * @returns the lock, to be released by the caller.
   * @throws {@link ShmError} `ERR_SHM_LOCK_TIMEOUT`; `ERR_SHM_DEADLOCK` when this very thread holds it; `ERR_SHM_POISONED`, `ERR_SHM_CLOSED`
   */
  lockSync(options: TryLockOptions & SyncOptions = {}): Lock {
    assertOptions(options, 'lockSync');
    const { timeoutMs = Infinity, acceptPoisoned = false } = options;
    let lock: Lock | undefined;
    const isOurs = (): boolean => {
      const owner = this.#openWord().owner();
      const self = this.#segment.self;
      if (
        this.#held !== undefined ||
        (owner?.pid === self.pid && owner.identity?.tid === self.tid && self.tid !== 0)
      ) {
        throw new ShmError('ERR_SHM_DEADLOCK', `the lock of ${this.name} is held by this thread itself`);
      }
      lock = this.#attempt(true, acceptPoisoned);
      return lock !== undefined;
    };
    this.waiting.untilSync(this.#free, isOurs, timeoutMs, LIVENESS_INTERVAL_MS);
    if (lock !== undefined) return lock;
    this.#passOn();
    throw this.#timeoutError(timeoutMs);
  }

  /**
   * Closes, and removes the segment if nobody else has it open.
   *
   * @returns whether it was removed.
   * @throws {@link ShmError} `ERR_SHM_BUSY` while this handle holds the lock, or when a stopped process is removing the segment;
   * `ERR_SHM_READ_ONLY`
   */
  override closeAndRemoveIfLast(): boolean {
    if (this.held) {
      throw new ShmError('ERR_SHM_BUSY', `the mutex of ${this.name} is held by this handle`);
    }
    return super.closeAndRemoveIfLast();
  }

  /** @internal */
  protected override leave(): void {
    for (const waiter of [...this.#waiters]) waiter.reject(this.closedError());
    this.#passOn();
  }

  /** @internal */
  protected override get lingers(): boolean {
    return this.held;
  }

  /** @internal */
  protected override onRung(): void {
    this.#passOn();
  }

  /** @internal */
  protected override onLook(_closedBell: number | undefined): void {
    this.#passOn();
  }

  async #acquire(options: LockOptions): Promise<Lock> {
    this.#openWord();
    const { signal, timeoutMs, acceptPoisoned = false } = options;
    if (timeoutMs !== undefined && !(timeoutMs >= 0)) {
      throw new RangeError(`timeoutMs is 0 or more, not ${timeoutMs}`);
    }
    signal?.throwIfAborted();
    if (this.#held === undefined && this.#waiters.size === 0) {
      const lock = this.#attempt(true, acceptPoisoned);
      if (lock !== undefined) return lock;
    }
    if (timeoutMs === 0) throw this.#timeoutError(timeoutMs);
    return new Promise<Lock>((resolve, reject) => {
      const settle = (): void => {
        this.#waiters.delete(waiter);
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
        waiter.reject(error);
        this.waiting.look();
        this.#passOn();
      };
      const onAbort = (): void => giveUp(signal?.reason);
      const timer =
        timeoutMs === undefined || timeoutMs > MAX_TIMER_MS
          ? undefined
          : setTimeout(() => giveUp(this.#timeoutError(timeoutMs)), timeoutMs);
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#waiters.add(waiter);
      void this.#contend();
    });
  }

  /** Sees to it that the lock is tried for the first in the queue, until it is had or nobody waits any more. */
  async #contend(): Promise<void> {
    if (this.#contending) return;
    this.#segment.counters.add(Counter.lockWaits);
    this.#contending = true;
    let timer: NodeJS.Timeout | undefined;
    try {
      for (let turn = 0; turn < EAGER_TURNS && !this.#serve(false); turn++) {
        await new Promise((resolve) => setImmediate(resolve));
      }
      if (this.#serve(false)) return;
      // Who holds the lock rings when it gives it up; that it died, nobody says. (The timer also keeps the process alive.)
      timer = setInterval(() => {
        this.#serve(true);
        this.waiting.look();
      }, LIVENESS_INTERVAL_MS);
      await this.waiting.until(this.#free, () => this.#serve(false));
    } finally {
      clearInterval(timer);
      this.#contending = false;
      if (this.#waiters.size > 0 && this.#held === undefined) void this.#contend();
    }
  }

  /** Tries the lock for the first in the queue. Returns whether there is nothing to be waited for any more. */
  #serve(check: boolean): boolean {
    for (const waiter of this.#waiters) {
      // The end of the one who holds it here starts the next round.
      if (this.#held !== undefined) return true;
      try {
        const lock = this.#attempt(check, waiter.acceptPoisoned);
        if (lock === undefined) return false;
        waiter.resolve(lock);
        return true;
      } catch (error) {
        waiter.reject(error);
      }
    }
    return true;
  }

  #attempt(check: boolean, acceptPoisoned: boolean): Lock | undefined {
    const word = this.#openWord();
    let outcome = check ? word.tryRecover() : word.tryAcquire();
    if (outcome === LockOutcome.Poisoned) {
      if (!acceptPoisoned) {
        throw new ShmError(
          'ERR_SHM_POISONED',
          `the lock of ${this.name} was recovered from a dead holder and given up without markConsistent(); repair the data under acceptPoisoned`,
        );
      }
      outcome = word.tryTakePoisoned();
    }
    if (outcome === LockOutcome.Busy) return undefined;
    const recovered = outcome === LockOutcome.Recovered;
    if (recovered) tell('lock-recovered', () => ({ name: this.name, deceased: word.deceased }));
    this.#held = this.#lock(word, recovered, recovered ? word.deceased : undefined);
    return this.#held;
  }

  #lock(word: LockWord, recovered: boolean, deceased: ParticipantInfo | undefined): Lock {
    const lostError = (): ShmError =>
      new ShmError('ERR_SHM_LOCK_LOST', `the lock of ${this.name} was taken away from its live holder`);
    let held = true;
    let consistent = !recovered;
    const release = (): void => {
      if (!held) return;
      held = false;
      const ours = consistent ? this.#release(word) : word.releasePoisoned();
      if (!consistent) this.#ringNext(word);
      this.#ended();
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

  /** Gives the lock up: to one who sleeps for it, if there is any, so that it is not had by the quickest for ever. */
  #release(word: LockWord): boolean {
    if (this.#free.mayHaveSleepers) {
      const [sleeper] = this.#free.takeSleepers(1);
      const token = sleeper === undefined ? 0 : this.#segment.participants.tokenAt(sleeper.slot);
      if (sleeper !== undefined && token !== 0) {
        const ours = word.releaseFor(token);
        this.waiting.wake(sleeper);
        return ours;
      }
    }
    const ours = word.release();
    // Whoever fell asleep between the look above and the release is found here, or has found the lock free.
    this.#ringNext(word);
    return ours;
  }

  #ringNext(word: LockWord): void {
    if (!this.#free.mayHaveSleepers) return;
    const [sleeper] = this.#free.takeSleepers(1);
    if (sleeper === undefined) return;
    const token = this.#segment.participants.tokenAt(sleeper.slot);
    if (token !== 0) word.reserveFor(token);
    this.waiting.wake(sleeper);
  }

  /** Leaves a lock that is reserved for us, though nobody here waits for it any more, to the next one. */
  #passOn(): void {
    const word = this.#word;
    if (word !== undefined && this.#waiters.size === 0 && word.withdraw()) this.#ringNext(word);
  }

  #ended(): void {
    this.#held = undefined;
    if (this.closed) this.finish();
    else if (this.#waiters.size > 0) void this.#contend();
  }

  #timeoutError(timeoutMs: number): ShmError {
    return lockTimeout(this.name, timeoutMs, this.#word?.owner());
  }

  #openWord(): LockWord {
    this.assertOpen();
    if (this.#word === undefined) this.#segment.assertWritable();
    return this.#word as LockWord;
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
  return new Mutex(segment);
}
