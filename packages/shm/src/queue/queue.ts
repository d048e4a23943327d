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
import { Handle, handleOn } from '../handle.js';
import { BriefLock } from '../lock/brief-lock.js';
import { assertOptions } from '../option-names.js';
import { load, store } from '../platform/atomics.js';
import { step } from '../platform/step.js';
import { Content } from '../record/codec.js';
import {
  HEAD_WORD,
  maxRecordBytes,
  READABLE_WORD,
  RECORD_LENGTH,
  RECORD_MARK,
  TAIL_WORD,
  WRITABLE_WORD,
} from '../record/layout.js';
import { type RecordOptions, recordSpec } from '../record/options.js';
import { Records } from '../record/records.js';
import { Counter } from '../segment/counters.js';
import { SegmentKind, WORD_BYTES } from '../segment/layout.js';
import { Role } from '../segment/participants.js';
import { Segment } from '../segment/segment.js';
import { TurnCounter } from '../waiting/turn-counter.js';
import { WaitBit, WaitPoint } from '../waiting/wait-point.js';
import { WaitQueue } from '../waiting/wait-queue.js';
import type { WaitOptions } from '../waiting/waiting.js';
import {
  LOCK_WORD,
  MESSAGE_HEADER_BYTES,
  MESSAGE_STATE,
  MESSAGE_TAKEN,
  NEXT_WORD,
  STATE_DONE,
  STATE_WAITS,
} from './layout.js';

/** Options of {@link openQueue}. */
export type QueueOptions<T = Uint8Array> = RecordOptions<T>;

/** A message that was taken, and is ours until it is done, given back, or we die. */
export interface Job<T = Uint8Array> {
  /** Owned by whoever got it. */
  readonly bytes: Uint8Array;
  /** What the codec makes of them; without one the bytes. Throws `ERR_SHM_PAYLOAD`; the message is still ours then. */
  readonly value: T;
  /** Whether it was taken before, by one that died or gave it back. */
  readonly again: boolean;
  /** How often it was taken, this time included. */
  readonly attempt: number;
  /** It is done with, and never comes again. @throws {@link ShmError} `ERR_SHM_CLOSED`, `ERR_SHM_LOCK_TIMEOUT` */
  done(): void;
  /** It is given back, to be taken by anybody. @throws {@link ShmError} as {@link done} */
  giveBack(): void;
}

/** How often it is looked whether one that has a message died, while there are others to be taken. */
const RECLAIM_INTERVAL_MS = 100;
const JOBS_PER_TURN = 16;

/**
 * A handle on a work queue. Made by {@link openQueue}. To close it gives back what it has taken, and refuses waiting {@link WorkQueue.put}s;
 * messages stay for others.
 */
export class WorkQueue<T = Uint8Array> extends Handle implements AsyncIterable<Job<T>> {
  readonly capacityBytes: number;
  /** Longest message, as bytes. */
  readonly maxMessageBytes: number;
  readonly #segment: Segment;
  readonly #words: Int32Array;
  readonly #base: number;
  readonly #records: Records;
  readonly #content: Content<T>;
  readonly #lock: BriefLock;
  readonly #readable: WaitPoint;
  readonly #writable: WaitPoint;
  readonly #queue: WaitQueue<void>;
  readonly #turns = new TurnCounter(JOBS_PER_TURN);
  /** Positions of the messages that this handle has. */
  readonly #taken = new Set<number>();
  #reclaimedAt = 0;

  /** @internal */
  constructor(segment: Segment, { codec, maxQueuedBytes }: QueueOptions<T> = {}) {
    super(segment, 'queue');
    const [capacityBytes = 0] = segment.params;
    const { words, bytes, name } = segment;
    const base = segment.payloadOffset / WORD_BYTES;
    this.capacityBytes = capacityBytes;
    this.maxMessageBytes = maxRecordBytes(capacityBytes);
    this.#segment = segment;
    this.#words = words;
    this.#base = base;
    this.#records = new Records(
      { words, bytes, base, capacityBytes, name: `queue ${name}` },
      MESSAGE_HEADER_BYTES,
    );
    this.#content = new Content(codec, 'a message', this.maxMessageBytes, `maxMessageBytes of ${name}`);
    const lock = new BriefLock(segment, base + LOCK_WORD);
    this.#lock = lock;
    this.#readable = new WaitPoint(segment, base + READABLE_WORD, WaitBit.Readable);
    this.#writable = new WaitPoint(segment, base + WRITABLE_WORD, WaitBit.Writable);
    this.#queue = new WaitQueue<void>(
      {
        waiting: this.waiting,
        point: this.#writable,
        send: (message) => (this.#putNow(message) ? { result: undefined } : undefined),
        sent: () => this.waiting.signal(this.#readable),
        get lockWasBusy() {
          return lock.wasBusy;
        },
      },
      maxQueuedBytes,
    );
  }

  /**
   * Puts a message in, if there is room for it now.
   *
   * @returns false when there is none, or {@link put}s wait for it, or another process has been at work on the queue for 5 ms.
   * @throws {@link ShmError} `ERR_SHM_TOO_LARGE`, `ERR_SHM_CORRUPT`, `ERR_SHM_CLOSED`
   */
  tryPut(message: T): boolean {
    this.assertOpen();
    return this.#tryPut(this.#content.encode(message));
  }

  /**
   * Puts a message in, and waits for room as long as there is none. Messages of this handle go in the order of the calls; the array must not
   * change until then.
   *
   * @throws {@link ShmError} as {@link tryPut}; `ERR_SHM_QUEUE_FULL`; the reason of `signal`, in which case it was not put in
   */
  async put(message: T, options: WaitOptions = {}): Promise<void> {
    assertOptions(options, 'queue.put');
    options.signal?.throwIfAborted();
    this.assertOpen();
    const bytes = this.#content.encode(message);
    if (!this.#tryPut(bytes)) await this.#queue.push(bytes, options.signal);
  }

  /**
   * Takes the oldest message that nobody has, or whose taker is proven dead.
   *
   * @returns undefined when there is none, or another process has been at work on the queue for 5 ms.
   * @throws {@link ShmError} `ERR_SHM_CORRUPT`, `ERR_SHM_CLOSED`
   */
  tryTake(): Job<T> | undefined {
    this.assertOpen();
    return this.#locked(() => {
      const position = this.#findLeftInTime() ?? this.#findFresh() ?? this.#findLeft();
      if (position === undefined) return undefined;
      const record = this.#records.word(position);
      const attempt = (this.#words[record + MESSAGE_TAKEN] ?? 0) + 1;
      this.#words[record + MESSAGE_TAKEN] = attempt;
      const begin = record * WORD_BYTES + MESSAGE_HEADER_BYTES;
      const bytes = this.#segment.bytes.slice(begin, begin + (this.#words[record + RECORD_LENGTH] ?? 0));
      // publish: it is ours, from here on until we die. pairs with: #findLeft
      store(this.#words, record + MESSAGE_STATE, this.#segment.participant.token);
      this.#segment.counters.add(Counter.received);
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
  async take(options: WaitOptions = {}): Promise<Job<T> | undefined> {
    assertOptions(options, 'queue.take');
    options.signal?.throwIfAborted();
    await this.#turns.next();
    let job: Job<T> | undefined;
    const isThere = (): boolean => {
      if (job !== undefined || this.closed) return true;
      job = this.tryTake();
      if (job === undefined && this.#lock.wasBusy) this.waiting.lookSoon();
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
  async *jobs(options: WaitOptions = {}): AsyncGenerator<Job<T>, void, undefined> {
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

  [Symbol.asyncIterator](): AsyncIterator<Job<T>> {
    return this.jobs();
  }

  /** @internal */
  protected override leave(): void {
    this.#queue.rejectAll(this.closedError());
    // One that cannot be given back now is taken for left behind, since our token is nobody's any more.
    for (const position of [...this.#taken]) this.#settle(position, STATE_WAITS);
  }

  #job(position: number, bytes: Uint8Array, attempt: number): Job<T> {
    const content = this.#content;
    const settle = (state: number): void => {
      this.assertOpen();
      if (this.#taken.has(position)) this.#settle(position, state, true);
    };
    return {
      bytes,
      get value() {
        return content.decode(bytes);
      },
      attempt,
      again: attempt > 1,
      done: () => settle(STATE_DONE),
      giveBack: () => settle(STATE_WAITS),
    };
  }

  /** With `surely`, waits longer for the lock, and throws when it cannot be had. */
  #settle(position: number, state: number, surely = false): void {
    const settled = this.#locked(() => {
      const record = this.#records.word(position);
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
    }, surely);
    if (settled === undefined) return;
    this.#taken.delete(position);
    this.waiting.signal(state === STATE_DONE ? this.#writable : this.#readable);
  }

  #tryPut(bytes: Uint8Array): boolean {
    if (!this.#queue.isEmpty || !this.#putNow(bytes)) return false;
    this.waiting.signal(this.#readable);
    return true;
  }

  #putNow(message: Uint8Array): boolean {
    const isIn = this.#locked(() => {
      const words = this.#words;
      const records = this.#records;
      const tail = load(words, this.#base + TAIL_WORD);
      const units = records.units(message.length);
      this.#moveHead();
      const used = (tail - load(words, this.#base + HEAD_WORD)) | 0;
      if (records.capacity - used < records.needed(tail, units)) return false;
      const position = records.begin(tail, units);
      const record = records.word(position);
      words[record + RECORD_LENGTH] = message.length;
      words[record + RECORD_MARK] = position;
      words[record + MESSAGE_STATE] = STATE_WAITS;
      words[record + MESSAGE_TAKEN] = 0;
      this.#segment.bytes.set(message, record * WORD_BYTES + MESSAGE_HEADER_BYTES);
      step('queue: message copied');
      // publish: the message is visible to whoever sees this tail. pairs with: #findFresh, load of TAIL
      store(words, this.#base + TAIL_WORD, (position + units) | 0);
      this.#segment.counters.add(Counter.sent);
      return true;
    });
    return isIn === true;
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
    const records = this.#records;
    const error = records.checkSpan(end, from);
    if (error !== undefined) throw error;
    for (let left = (end - from) | 0; left !== 0; ) {
      const units = records.measureAt(position, left);
      if (units === 0) throw records.corrupt(`it has no message at ${position}`);
      if (units > 0 && isWanted(load(this.#words, records.word(position) + MESSAGE_STATE))) return position;
      position = (position + Math.abs(units)) | 0;
      left -= Math.abs(units);
    }
    return undefined;
  }

  /** Undefined also when the lock is not to be had; with `surely` that throws `ERR_SHM_LOCK_TIMEOUT`. */
  #locked<R>(work: () => R, surely = false): R | undefined {
    if (surely) this.#lock.acquireSurely();
    else if (!this.#lock.acquire()) return undefined;
    try {
      return work();
    } finally {
      this.#lock.release();
    }
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
export function openQueue<T = Uint8Array>(name: string, options: QueueOptions<T> = {}): WorkQueue<T> {
  assertOptions(options, 'openQueue');
  const segment = Segment.open(recordSpec(SegmentKind.Queue, options), name, options, Role.Both);
  return handleOn(segment, options.keepAlive ?? false, () => new WorkQueue<T>(segment, options));
}
