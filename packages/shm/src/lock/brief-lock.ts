/**
 * A lock for work of microseconds that leaves nothing to repair, whoever dies in the middle: that of logs and queues.
 *
 * The thread blocks for it, for a few milliseconds at most, unless it says that it can wait no longer. What a dead holder leaves is right as
 * it is; so a lock that is recovered is as good as one that was free.
 */
import { ShmError } from '../errors.js';
import type { ParticipantInfo } from '../segment/participants.js';
import type { Segment } from '../segment/segment.js';
import { LockOutcome, LockWord } from './lock-word.js';

/** The work is over in microseconds; a holder that has it for longer does not run just now. That it is dead is found out meanwhile. */
const PATIENCE_MS = 5;
/** So long waits one that cannot come again later, for one holder that does not run. */
const LONG_PATIENCE_MS = 500;

/** One such lock, as seen by one participant. */
export class BriefLock {
  readonly #name: string;
  readonly #word: LockWord;
  #wasBusy = false;

  /** The lock in word `index` of `segment`. */
  constructor(segment: Segment, index: number) {
    this.#name = segment.name;
    this.#word = new LockWord(segment, index);
  }

  /** Whether the last attempt had no lock: then it is worth trying again soon, and nobody rings for it. */
  get wasBusy(): boolean {
    return this.#wasBusy;
  }

  /** Who has it. */
  owner(): ParticipantInfo | undefined {
    return this.#word.owner();
  }

  /** Takes it. False when one holder has had it for 5 ms. */
  acquire(patienceMs: number = PATIENCE_MS): boolean {
    let outcome = this.#word.tryAcquire();
    if (outcome !== LockOutcome.Acquired) outcome = this.#word.acquireSync(patienceMs);
    this.#wasBusy = outcome !== LockOutcome.Acquired && outcome !== LockOutcome.Recovered;
    return !this.#wasBusy;
  }

  /** Takes it, for work that cannot be put off. @throws {@link ShmError} `ERR_SHM_LOCK_TIMEOUT` after half a second with one holder */
  acquireSurely(): void {
    if (!this.acquire(LONG_PATIENCE_MS)) throw lockTimeout(this.#name, LONG_PATIENCE_MS, this.owner());
  }

  release(): void {
    this.#word.release();
  }
}

/** The error of who did not get a lock. */
export function lockTimeout(name: string, timeoutMs: number, owner: ParticipantInfo | undefined): ShmError {
  const who = owner === undefined ? 'nobody by now' : `process ${owner.pid}, which is ${owner.liveness}`;
  return new ShmError(
    'ERR_SHM_LOCK_TIMEOUT',
    `the lock of ${name} was not acquired within ${timeoutMs} ms; it is held by ${who}`,
  );
}
