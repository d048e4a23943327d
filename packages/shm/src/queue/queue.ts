/**
 * A work queue: many processes put messages in, many take them out, each message goes to one, and to another one if that one died before it
 * said that it was done.
 *
 * It is a ring of messages under a lock. What becomes of a message is one word of its own, and each step takes effect by one store:
 *
 *     put     message, STATE 0; store(TAIL)       killed before: it was never put in
 *     take    store(STATE, me)                    killed after: it goes to the next one, once we are proven dead
 *     done    store(STATE, -1); store(HEAD)       killed between: HEAD is moved by the next one who is done
 *     back    store(NEXT); store(STATE, 0)        killed between: NEXT is too far back, which costs a look
 *
 * Whoever dies in the middle leaves the lock to be taken from the dead, and nothing to be repaired. Room is given back in order: a message
 * that takes long keeps those behind it from being overwritten, and so, once the queue is full, from being put in.
 */
import { ShmError } from '../errors.js';
import { Handle } from '../handle.js';
import { LockOutcome, LockWord } from '../lock/lock-word.js';
import { assertOptions } from '../option-names.js';
import { load, store } from '../platform/atomics.js';
import { step } from '../platform/step.js';
import { checkBytes, checkLength } from '../record/check.js';
import { checkCapacity, DEFAULT_CAPACITY_BYTES, maxMessageBytes, UNIT_BYTES } from '../ring/layout.js';
import { SegmentKind, WORD_BYTES } from '../segment/layout.js';
import { Role } from '../segment/participants.js';
import { type OpenOptions, Segment } from '../segment/segment.js';
import { TurnCounter } from '../waiting/turn-counter.js';
import { WaitBit, WaitPoint } from '../waiting/wait-point.js';
import { checkMaxQueuedBytes, type Queued, WaitQueue } from '../waiting/wait-queue.js';
import type { WaitOptions } from '../waiting/waiting.js';
import {
  DATA_WORD,
  HEAD_WORD,
  LOCK_WORD,
  MESSAGE_HEADER_BYTES,
  MESSAGE_LENGTH,
  MESSAGE_MARK,
  MESSAGE_STATE,
  MESSAGE_TAKEN,
  messageUnits,
  NEXT_WORD,
  queueBytes,
  READABLE_WORD,
  STATE_DONE,
  STATE_WAITS,
  TAIL_WORD,
  WRITABLE_WORD,
} from './layout.js';

/** Options of {@link openQueue}. */
export interface QueueOptions extends OpenOptions {
  /**
   * Bytes of messages that can be in the queue, 16 for the header of each included: a power of two from 4096 to 2^30. An eighth of it is
   * the longest message. An existing queue must have the same if it is given.
   * @defaultValue 1048576
   */
  readonly capacityBytes?: number;
  /**
   * Bytes of messages that may wait for room in this handle, 64 for each message included: {@link WorkQueue.put} beyond it is refused.
   * @defaultValue 67108864
   */
  readonly maxQueuedBytes?: number;
  /**
   * Whether the open queue keeps the process alive.
   * @defaultValue false
   */
  readonly keepAlive?: boolean;
}

/** A message that was taken, and is ours until it is done, given back, or we die. */
export interface Job {
  /** Owned by whoever got it. */
  readonly bytes: Uint8Array;
  /** Whether it was taken before, by one that died or gave it back. */
  readonly again: boolean;
  /** How often it was taken, this time included. */
  readonly attempt: number;
  /** It is done with, and never comes again. @throws {@link ShmError} `ERR_SHM_CLOSED`, `ERR_SHM_LOCK_TIMEOUT` */
  done(): void;
  /** It is given back, to be taken by anybody. @throws {@link ShmError} as {@link done} */
  giveBack(): void;
}

const LOCK_PATIENCE_MS = 5;
const LONG_LOCK_PATIENCE_MS = 500;
/** How often it is looked whether one that has a message died, while there are others to be taken. */
const RECLAIM_INTERVAL_MS = 100;
const JOBS_PER_TURN = 16;

/** A handle on a work queue. Made by {@link openQueue}. */
export class WorkQueue extends Handle implements AsyncIterable<Job> {
  readonly capacityBytes: number;
  /** Longest message. */
  readonly maxMessageBytes: number;
  readonly #segment: Segment;
  readonly #words: Int32Array;
  readonly #base: number;
  readonly #capacity: number;
  readonly #lock: LockWord;
  readonly #readable: WaitPoint;
  readonly #writable: WaitPoint;
  readonly #queue: WaitQueue<void>;
  readonly #turns = new TurnCounter(JOBS_PER_TURN);
  /** Positions of the messages that this handle has. */
  readonly #taken = new Set<number>();
  #reclaimedAt = 0;
  #retry: NodeJS.Immediate | undefined;
  #lockWasBusy = false;

  /** @internal */
  constructor(segment: Segment, maxQueuedBytes?: number) {
    super(segment, 'queue');
    const [capacityBytes = 0] = segment.params;
    this.capacityBytes = capacityBytes;
    this.maxMessageBytes = maxMessageBytes(capacityBytes);
    this.#segment = segment;
    this.#words = segment.words;
    this.#base = segment.payloadOffset / WORD_BYTES;
    this.#capacity = capacityBytes / UNIT_BYTES;
    this.#lock = new LockWord(segment, this.#base + LOCK_WORD);
    this.#readable = new WaitPoint(segment, this.#base + READABLE_WORD, WaitBit.Readable);
    this.#writable = new WaitPoint(segment, this.#base + WRITABLE_WORD, WaitBit.Writable);
    this.#queue = new WaitQueue(
      { waiting: this.waiting, point: this.#writable, flush: (queue) => this.#flush(queue) },
      maxQueuedBytes,
    );
  }

  /**
   * Puts a message in, if there is room for it now.
   *
   * @returns false when there is none, or {@link put}s wait for it, or another process has been at work on the queue for 5 ms.
   * @throws {@link ShmError} `ERR_SHM_TOO_LARGE`, `ERR_SHM_CORRUPT`, `ERR_SHM_CLOSED`
   */
  tryPut(message: Uint8Array): boolean {
    this.assertOpen();
    checkBytes(message, 'a message');
    checkLength(message.length, this.maxMessageBytes, 'a message', `maxMessageBytes of ${this.name}`);
    return this.#queue.length === 0 && this.#putNow(message);
  }

  /**
   * Puts a message in, and waits for room as long as there is none. Messages of this handle go in the order of the calls; the array must not
   * change until then.
   *
   * @throws {@link ShmError} as {@link tryPut}; `ERR_SHM_QUEUE_FULL`; the reason of `signal`, in which case it was not put in
   */
  async put(message: Uint8Array, options: WaitOptions = {}): Promise<void> {
    assertOptions(options, 'queue.put');
    options.signal?.throwIfAborted();
    if (!this.tryPut(message)) await this.#queue.push(message, options.signal);
  }

  /**
   * Takes the oldest message that nobody has, or whose taker is proven dead.
   *
   * @returns undefined when there is none, or another process has been at work on the queue for 5 ms.
   * @throws {@link ShmError} `ERR_SHM_CORRUPT`, `ERR_SHM_CLOSED`
   */
  tryTake(): Job | undefined {
    this.assertOpen();
    return this.#locked(LOCK_PATIENCE_MS, () => {
      const position = this.#findLeftInTime() ?? this.#findFresh() ?? this.#findLeft();
      if (position === undefined) return undefined;
      const record = this.#recordWord(position);
      const attempt = (this.#words[record + MESSAGE_TAKEN] ?? 0) + 1;
      this.#words[record + MESSAGE_TAKEN] = attempt;
      const begin = record * WORD_BYTES + MESSAGE_HEADER_BYTES;
      const bytes = this.#segment.bytes.slice(begin, begin + (this.#words[record + MESSAGE_LENGTH] ?? 0));
      // publish: it is ours, from here on until we die. pairs with: #findLeft
      store(this.#words, record + MESSAGE_STATE, this.#segment.participant.token);
      this.#taken.add(position);
      return this.#job(position, bytes, attempt);
    });
  }

  /**
   * Waits for a message and takes it.
   *
   * @returns undefined when the queue was closed.
   * @throws {@link ShmError} `ERR_SHM_CORRUPT`; the reason of `signal`
   */
  async take(options: WaitOptions = {}): Promise<Job | undefined> {
    assertOptions(options, 'queue.take');
    options.signal?.throwIfAborted();
    await this.#turns.next();
    let job: Job | undefined;
    const isThere = (): boolean => {
      if (job !== undefined || this.closed) return true;
      job = this.tryTake();
      if (job === undefined && this.#lockWasBusy) this.#lookSoon();
      return job !== undefined;
    };
    try {
      await this.waiting.until(this.#readable, isThere, options.signal);
    } catch (error) {
      job?.giveBack();
      throw error;
    }
    return job;
  }

  /**
   * Messages as they can be had. A message is done when the next one is asked for; when the loop is left by an error or `break`, the one
   * at hand is given back, unless `done()` was called. Ends when the queue is closed.
   */
  async *jobs(options: WaitOptions = {}): AsyncGenerator<Job, void, undefined> {
    for (let job = await this.take(options); job !== undefined; job = await this.take(options)) {
      let finished = false;
      try {
        yield job;
        finished = true;
      } finally {
        if (!this.closed) {
          if (finished) job.done();
          else job.giveBack();
        }
      }
    }
  }

  [Symbol.asyncIterator](): AsyncIterator<Job> {
    return this.jobs();
  }

  /** Gives back what this handle has taken, refuses waiting {@link put}s, lets go of the memory. Messages stay for others. Idempotent. */
  override close(): void {
    super.close();
  }

  /** @internal */
  protected override leave(): void {
    clearImmediate(this.#retry);
    this.#queue.rejectAll(this.closedError());
    // One that cannot be given back now is taken for left behind, since our token is nobody's any more.
    for (const position of [...this.#taken]) this.#settle(position, STATE_WAITS, LOCK_PATIENCE_MS);
  }

  #job(position: number, bytes: Uint8Array, attempt: number): Job {
    const settle = (state: number): void => {
      this.assertOpen();
      if (!this.#taken.has(position)) return;
      if (this.#settle(position, state, LONG_LOCK_PATIENCE_MS)) return;
      const who = this.#lock.owner();
      throw new ShmError(
        'ERR_SHM_LOCK_TIMEOUT',
        `the lock of ${this.name} was not had within ${LONG_LOCK_PATIENCE_MS} ms; it is held by process ${who?.pid ?? '?'}, which is ${who?.liveness ?? 'gone'}`,
      );
    };
    return {
      bytes,
      attempt,
      again: attempt > 1,
      done: () => settle(STATE_DONE),
      giveBack: () => settle(STATE_WAITS),
    };
  }

  #settle(position: number, state: number, patienceMs: number): boolean {
    const settled = this.#locked(patienceMs, () => {
      const record = this.#recordWord(position);
      // Somebody who believed us dead may have it: then it is not ours to settle.
      if (load(this.#words, record + MESSAGE_STATE) === this.#segment.participant.token) {
        const next = load(this.#words, this.#base + NEXT_WORD);
        if (state === STATE_WAITS && ((position - next) | 0) < 0)
          store(this.#words, this.#base + NEXT_WORD, position);
        // publish: it is done, or anybody's. pairs with: #findLeft, #findFresh
        store(this.#words, record + MESSAGE_STATE, state);
      }
      if (state === STATE_DONE) this.#moveHead();
      return true;
    });
    if (settled === undefined) return false;
    this.#taken.delete(position);
    this.waiting.signal(state === STATE_DONE ? this.#writable : this.#readable);
    return true;
  }

  #putNow(message: Uint8Array): boolean {
    const isIn = this.#locked(LOCK_PATIENCE_MS, () => {
      const words = this.#words;
      const units = messageUnits(message.length);
      let position = load(words, this.#base + TAIL_WORD);
      const rest = this.#capacity - (position & (this.#capacity - 1));
      const needed = rest < units ? rest + units : units;
      this.#moveHead();
      if (this.#capacity - ((position - load(words, this.#base + HEAD_WORD)) | 0) < needed) return false;
      if (rest < units) {
        const padding = this.#recordWord(position);
        words[padding + MESSAGE_LENGTH] = rest * UNIT_BYTES;
        words[padding + MESSAGE_MARK] = ~position;
        position = (position + rest) | 0;
      }
      const record = this.#recordWord(position);
      words[record + MESSAGE_LENGTH] = message.length;
      words[record + MESSAGE_MARK] = position;
      words[record + MESSAGE_STATE] = STATE_WAITS;
      words[record + MESSAGE_TAKEN] = 0;
      this.#segment.bytes.set(message, record * WORD_BYTES + MESSAGE_HEADER_BYTES);
      step('queue: message copied');
      // publish: the message is visible to whoever sees this tail. pairs with: #findFresh, load of TAIL
      store(words, this.#base + TAIL_WORD, (position + units) | 0);
      return true;
    });
    if (isIn !== true) return false;
    this.waiting.signal(this.#readable);
    return true;
  }

  /** A message whose taker is proven dead, looked for now and then, so that it does not wait for all others. */
  #findLeftInTime(): number | undefined {
    return performance.now() - this.#reclaimedAt < RECLAIM_INTERVAL_MS ? undefined : this.#findLeft();
  }

  #findLeft(): number | undefined {
    this.#reclaimedAt = performance.now();
    const { participants } = this.#segment;
    const head = load(this.#words, this.#base + HEAD_WORD);
    const next = load(this.#words, this.#base + NEXT_WORD);
    return this.#find(head, next, (state) => state > 0 && participants.isDead(state));
  }

  /** The first message that nobody has taken. */
  #findFresh(): number | undefined {
    const tail = load(this.#words, this.#base + TAIL_WORD);
    const next = load(this.#words, this.#base + NEXT_WORD);
    const found = this.#find(next, tail, (state) => state === STATE_WAITS);
    const behind = found === undefined ? tail : found;
    if (behind !== next) store(this.#words, this.#base + NEXT_WORD, behind);
    return found;
  }

  /** Frees the room of what is done, as far as nothing before it is not. */
  #moveHead(): void {
    const head = load(this.#words, this.#base + HEAD_WORD);
    const tail = load(this.#words, this.#base + TAIL_WORD);
    const kept = this.#find(head, tail, (state) => state !== STATE_DONE) ?? tail;
    if (kept === head) return;
    const next = load(this.#words, this.#base + NEXT_WORD);
    if (((next - kept) | 0) < 0) store(this.#words, this.#base + NEXT_WORD, kept);
    // publish: nobody looks at anything before it any more. pairs with: #putNow, load of HEAD
    store(this.#words, this.#base + HEAD_WORD, kept);
  }

  /** The first message from `from` on, before `end`, whose state is wanted. */
  #find(from: number, end: number, isWanted: (state: number) => boolean): number | undefined {
    let position = from;
    for (let left = (end - from) | 0; left !== 0; ) {
      const record = this.#recordWord(position);
      const length = this.#words[record + MESSAGE_LENGTH] ?? 0;
      const mark = this.#words[record + MESSAGE_MARK];
      const rest = this.#capacity - (position & (this.#capacity - 1));
      const isMessage = mark === position && length >= 0 && length <= this.maxMessageBytes;
      const units = isMessage ? messageUnits(length) : rest;
      if (
        left < 0 ||
        left > this.#capacity ||
        units > Math.min(left, rest) ||
        (!isMessage && mark !== ~position)
      ) {
        throw new ShmError('ERR_SHM_CORRUPT', `the queue ${this.name} has no message at ${position}`);
      }
      if (isMessage && isWanted(load(this.#words, record + MESSAGE_STATE))) return position;
      position = (position + units) | 0;
      left -= units;
    }
    return undefined;
  }

  #flush(queue: Iterable<Queued<void>>): void {
    for (const queued of queue) {
      try {
        if (!this.#putNow(queued.message)) break;
        queued.resolve();
      } catch (error) {
        if (ShmError.is(error) && error.code === 'ERR_SHM_CORRUPT') throw error;
        queued.reject(error);
      }
    }
    if (this.#queue.length > 0 && this.#lockWasBusy) this.#lookSoon();
  }

  /** Nobody rings for the lock: it is had again in the next turn. */
  #lookSoon(): void {
    this.#retry ??= setImmediate(() => {
      this.#retry = undefined;
      if (!this.closed) this.waiting.look();
    });
  }

  #locked<T>(patienceMs: number, work: () => T): T | undefined {
    let outcome = this.#lock.tryAcquire();
    if (outcome !== LockOutcome.Acquired) outcome = this.#lock.acquireSync(patienceMs);
    // What the dead leave is right as it is: see the head of this file.
    this.#lockWasBusy = outcome !== LockOutcome.Acquired && outcome !== LockOutcome.Recovered;
    if (this.#lockWasBusy) return undefined;
    try {
      return work();
    } finally {
      this.#lock.release();
    }
  }

  #recordWord(position: number): number {
    return this.#base + DATA_WORD + (position & (this.#capacity - 1)) * (UNIT_BYTES / WORD_BYTES);
  }
}

/**
 * Opens, or makes, the work queue called `name`.
 *
 * @throws {RangeError} when an option is out of range.
 * @throws {@link ShmError} as every opener: `ERR_SHM_NOT_FOUND`, `ERR_SHM_EXISTS`, `ERR_SHM_KIND`, `ERR_SHM_PARAMS`, …
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { openQueue } from '@chat/shm';
 *
 * const queue = openQueue('thumbnails'); // any number of processes put, any number take
 * await queue.put(new TextEncoder().encode('cat.jpg'));
 *
 * for await (const job of queue) {
 *   assert.deepEqual([new TextDecoder().decode(job.bytes), job.again], ['cat.jpg', false]);
 *   job.done(); // asking for the next one says the same
 *   break;
 * }
 * queue.closeAndRemoveIfLast();
 * ```
 */
export function openQueue(name: string, options: QueueOptions = {}): WorkQueue {
  assertOptions(options, 'openQueue');
  const { capacityBytes = DEFAULT_CAPACITY_BYTES, keepAlive = false, maxQueuedBytes } = options;
  checkCapacity(capacityBytes);
  checkMaxQueuedBytes(maxQueuedBytes);
  const segment = Segment.open(
    {
      kind: SegmentKind.Queue,
      params: [
        { name: 'capacityBytes', value: capacityBytes, required: options.capacityBytes !== undefined },
      ],
      payloadBytes: ([capacity = 0]) => queueBytes(capacity),
    },
    name,
    options,
    Role.Both,
  );
  const queue = new WorkQueue(segment, maxQueuedBytes);
  return keepAlive ? queue.ref() : queue;
}
