/**
 * A log: many processes append entries, many read them, and all see the same order.
 *
 * It is the last `capacityBytes` of an endless sequence of numbered entries. Writers append under a lock (`writer.ts`); readers
 * have cursors of their own (`cursor.ts`) and are either overtaken, and told exactly how many entries they lost, or waited for. This file is
 * the handle: who sleeps and who rings, and the queue of those who wait for room.
 *
 * One `sleepers` word keeps the price of that off the busy path: a writer that finds it clear, as it does unless somebody
 * went to sleep since the last ring, looks at no participant. A sleeper sets its own word first and `sleepers` after it, and then looks
 * at the tail once more; a writer stores the tail and then looks at `sleepers`. One of them sees the other.
 */

import { ShmError } from '../errors.js';
import { assertOptions } from '../option-names.js';
import { load, store } from '../platform/atomics.js';
import { SegmentKind, slotWord, WORD_BYTES } from '../segment/layout.js';
import { Role } from '../segment/participants.js';
import { type OpenOptions, Segment } from '../segment/segment.js';
import { arm, Doorbell, disarm } from '../waiting/doorbell.js';
import { Parking } from '../waiting/parking.js';
import { checkMaxQueuedBytes, WaitQueue } from '../waiting/wait-queue.js';
import { LogCursor } from './cursor.js';
import {
  BLOCKED_WORD,
  DEFAULT_LOG_BYTES,
  logBytes,
  MAX_LOG_BYTES,
  MIN_LOG_BYTES,
  maxEntryBytes,
  SLEEPERS_WORD,
  SLOT_SLEEPS,
} from './layout.js';
import { LogReader, type LogReaderOptions, type LogWaitOptions } from './reader.js';
import { LogRoster } from './roster.js';
import { LogWriter } from './writer.js';

/** Options of {@link openLog}. */
export interface LogOptions extends OpenOptions {
  /**
   * Bytes that are kept, 16 for the header of each entry included: a power of two from 4096 to 2^30. An eighth of it is the longest
   * entry. An existing log must have the same if it is given.
   * @defaultValue 4194304
   */
  readonly capacityBytes?: number;
  /**
   * Bytes of entries that may wait for room in this handle, 64 for each entry included: {@link Log.append} beyond it is refused.
   * @defaultValue 67108864
   */
  readonly maxQueuedBytes?: number;
  /**
   * Whether the open log keeps the process alive.
   * @defaultValue false
   */
  readonly keepAlive?: boolean;
}

/** A handle on a log. Made by {@link openLog}. */
export class Log {
  readonly capacityBytes: number;
  /** Longest entry. */
  readonly maxEntryBytes: number;
  readonly #segment: Segment;
  readonly #words: Int32Array;
  readonly #base: number;
  readonly #sleepsWord: number;
  readonly #roster: LogRoster;
  readonly #writer: LogWriter;
  readonly #readers = new Set<LogReader>();
  readonly #parking = new Parking();
  readonly #queue: WaitQueue<number>;
  #doorbell: Doorbell | undefined;
  #keepAlive = false;
  #closed = false;

  /** @internal */
  constructor(segment: Segment, maxQueuedBytes?: number) {
    this.#queue = new WaitQueue(maxQueuedBytes);
    const [capacityBytes = 0] = segment.params;
    this.capacityBytes = capacityBytes;
    this.maxEntryBytes = maxEntryBytes(capacityBytes);
    this.#segment = segment;
    this.#words = segment.words;
    this.#base = segment.payloadOffset / WORD_BYTES;
    this.#sleepsWord = slotWord(segment.participant.slot) + SLOT_SLEEPS;
    this.#roster = new LogRoster(segment);
    this.#writer = new LogWriter(segment, this.#base, capacityBytes, this.#roster);
  }

  /** The segment it lies in: its name, `incarnation`, `retired`, `unlink()`. */
  get segment(): Segment {
    return this.#segment;
  }

  /** Whether {@link close} was called. */
  get closed(): boolean {
    return this.#closed;
  }

  /** The number of the last entry, 0 if there is none yet. @throws {@link ShmError} `ERR_SHM_CLOSED` */
  get last(): number {
    this.#assertOpen();
    return new LogCursor(this.#segment, this.#base, this.capacityBytes).last;
  }

  /**
   * Appends an entry, if that is possible now.
   *
   * @returns its number; undefined when a reliable reader has yet to make room, when {@link append}s wait for it, or when another writer
   * is stopped in the middle of an append.
   * @throws {@link ShmError} `ERR_SHM_TOO_LARGE`, `ERR_SHM_CORRUPT`, `ERR_SHM_CLOSED`
   */
  tryAppend(entry: Uint8Array): number | undefined {
    if (this.#closed) this.#throwClosed();
    this.#writer.check(entry);
    if (this.#queue.length > 0) return undefined;
    const number = this.#writer.append(entry);
    if (number === 0) return undefined;
    if (load(this.#words, this.#base + SLEEPERS_WORD) !== 0) this.#ringSleepers(SLEEPERS_WORD);
    return number;
  }

  /**
   * Appends entries next to each other, shown to readers all at once: much cheaper than one at a time.
   *
   * @returns how many of them, from the first on, there was room for. 0 also as {@link tryAppend} returns undefined.
   * @throws {@link ShmError} as {@link tryAppend}; if one is too large, none is appended
   */
  tryAppendAll(entries: readonly Uint8Array[]): number {
    if (this.#closed) this.#throwClosed();
    for (const entry of entries) this.#writer.check(entry);
    if (this.#queue.length > 0 || entries.length === 0) return 0;
    const appended = this.#writer.appendAll(entries);
    if (appended > 0 && load(this.#words, this.#base + SLEEPERS_WORD) !== 0)
      this.#ringSleepers(SLEEPERS_WORD);
    return appended;
  }

  /**
   * Appends an entry, and waits as long as that is not possible. Entries of this handle go in the order of the calls; the array must not
   * change until then.
   *
   * @returns its number.
   * @throws {@link ShmError} `ERR_SHM_TOO_LARGE`, `ERR_SHM_CORRUPT`, `ERR_SHM_CLOSED`; the reason of `signal`, in which case it was not appended
   */
  append(entry: Uint8Array, options?: LogWaitOptions): Promise<number> {
    const signal = options?.signal;
    try {
      assertOptions(options, 'log.append');
      signal?.throwIfAborted();
      const number = this.tryAppend(entry);
      if (number !== undefined) return Promise.resolve(number);
    } catch (error) {
      return Promise.reject(error);
    }
    const appended = this.#queue.push(entry, signal);
    this.#bell();
    this.#wake();
    return appended;
  }

  /**
   * Starts reading.
   *
   * @throws {RangeError} when `start` is no entry.
   * @throws {@link ShmError} `ERR_SHM_LOCK_TIMEOUT` when a reliable reader cannot be entered because a writer is stopped in the middle of
   * an append; `ERR_SHM_CORRUPT`, `ERR_SHM_CLOSED`
   */
  reader(options: LogReaderOptions = {}): LogReader {
    assertOptions(options, 'log.reader');
    this.#assertOpen();
    const { start = 'next', reliable = false, onLost } = options;
    const cursor = new LogCursor(this.#segment, this.#base, this.capacityBytes, onLost);
    if (reliable) this.#enterReliable(cursor, start);
    else cursor.seek(start);
    const reader = new LogReader(
      cursor,
      {
        park: (isIdle, signal) => this.#park(isIdle, signal),
        roomMade: () => {
          if (!this.#closed && load(this.#words, this.#base + BLOCKED_WORD) !== 0)
            this.#ringSleepers(BLOCKED_WORD);
        },
        left: (one) => {
          this.#readers.delete(one);
          this.#parking.wakeAll();
        },
      },
      this.#segment.name,
    );
    this.#readers.add(reader);
    return reader;
  }

  /** Keeps the process alive while the log is open. */
  ref(): this {
    this.#keepAlive = true;
    this.#bell().ref();
    return this;
  }

  /** Lets the process end although the log is open. */
  unref(): this {
    this.#keepAlive = false;
    this.#doorbell?.unref();
    return this;
  }

  /** Closes the readers of this handle, refuses waiting appends, lets go of the memory. Entries stay for others. Idempotent. */
  close(): void {
    if (this.#leave()) this.#segment.close();
  }

  /**
   * Closes, and removes the log with all its entries if nobody else has it open.
   *
   * @returns whether it was removed.
   */
  closeAndRemoveIfLast(): boolean {
    return this.#leave() && this.#segment.closeAndRemoveIfLast();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  #leave(): boolean {
    if (this.#closed) return false;
    for (const reader of [...this.#readers]) reader.close();
    this.#closed = true;
    disarm(this.#words, this.#sleepsWord);
    this.#queue.rejectAll(this.#closedError());
    this.#parking.wakeAll();
    this.#doorbell?.close();
    return true;
  }

  #enterReliable(cursor: LogCursor, start: LogReaderOptions['start'] & {}): void {
    if ([...this.#readers].some((reader) => reader.reliable)) {
      throw new TypeError('one reader of a handle may be reliable: open the log once more');
    }
    const entered = this.#writer.exclusively(() => {
      cursor.seek(start);
      cursor.becomeReliable();
    });
    if (!entered) {
      throw new ShmError('ERR_SHM_LOCK_TIMEOUT', `a writer of ${this.#segment.name} is stopped in an append`);
    }
    this.#segment.participant.setRole(Role.Reader);
  }

  /** Sleeps until something happens, unless `isIdle` is false at the last look. */
  #park(isIdle: () => boolean, signal: AbortSignal | undefined): Promise<void> {
    this.#bell();
    const parked = this.#parking.park(signal);
    this.#arm(SLEEPERS_WORD);
    if (!isIdle()) this.#parking.wakeAll();
    return parked;
  }

  /** Says that this handle sleeps, and that somebody does. The last look is to follow. */
  #arm(word: number): void {
    arm(this.#words, this.#sleepsWord);
    // publish: "somebody sleeps", after who it is. pairs with: #ringSleepers
    store(this.#words, this.#base + word, 1);
  }

  /** Everything that waits looks again. */
  #wake(): void {
    if (this.#closed) return;
    this.#parking.wakeAll();
    if (this.#queue.length === 0 || this.#appendWaiting()) return;
    this.#arm(BLOCKED_WORD);
    this.#appendWaiting();
  }

  /** Appends what waits, as far as possible. Returns whether that is all. */
  #appendWaiting(): boolean {
    let appended = 0;
    for (const waiting of this.#queue) {
      try {
        const number = this.#writer.append(waiting.message);
        if (number === 0) break;
        appended++;
        waiting.resolve(number);
      } catch (error) {
        if (ShmError.is(error) && error.code === 'ERR_SHM_CORRUPT') this.#queue.rejectAll(error);
        // Only this one is bad: an array that grew since it was checked, or a transferred one.
        else waiting.reject(error);
      }
    }
    if (appended > 0 && load(this.#words, this.#base + SLEEPERS_WORD) !== 0) {
      this.#ringSleepers(SLEEPERS_WORD);
    }
    return this.#queue.length === 0;
  }

  #ringSleepers(word: number): void {
    // Before who sleeps is looked for: whoever arms from now on sets it again.
    store(this.#words, this.#base + word, 0);
    for (const token of this.#roster.takeSleepers()) {
      if (token === this.#segment.participant.token) queueMicrotask(() => this.#wake());
      else this.#bell().ring(token);
    }
  }

  #bell(): Doorbell {
    if (this.#doorbell === undefined) {
      this.#doorbell = new Doorbell(this.#segment, {
        onRing: () => this.#wake(),
        onLook: () => this.#wake(),
      });
      if (this.#keepAlive) this.#doorbell.ref();
    }
    return this.#doorbell;
  }

  #assertOpen(): void {
    if (this.#closed) this.#throwClosed();
  }

  #throwClosed(): never {
    throw this.#closedError();
  }

  #closedError(): ShmError {
    return new ShmError('ERR_SHM_CLOSED', `the log ${this.#segment.name} is closed`);
  }
}

/**
 * Opens, or makes, the log called `name`.
 *
 * @throws {RangeError} when an option is out of range.
 * @throws {@link ShmError} as every opener: `ERR_SHM_NOT_FOUND`, `ERR_SHM_EXISTS`, `ERR_SHM_KIND`, `ERR_SHM_PARAMS`, …
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { openLog, unlink } from '@chat/shm';
 *
 * using log = openLog('audit');
 * log.tryAppend(new TextEncoder().encode('door opened'));
 *
 * using reader = log.reader({ start: 'oldest' });
 * reader.read((bytes, start, end, number) => {
 *   assert.equal(`${number}: ${new TextDecoder().decode(bytes.slice(start, end))}`, '1: door opened');
 * });
 * unlink('audit');
 * ```
 */
export function openLog(name: string, options: LogOptions = {}): Log {
  assertOptions(options, 'openLog');
  const { capacityBytes = DEFAULT_LOG_BYTES, keepAlive = false, maxQueuedBytes } = options;
  checkMaxQueuedBytes(maxQueuedBytes);
  if (
    !Number.isInteger(Math.log2(capacityBytes)) ||
    capacityBytes < MIN_LOG_BYTES ||
    capacityBytes > MAX_LOG_BYTES
  ) {
    throw new RangeError(
      `capacityBytes is a power of two from ${MIN_LOG_BYTES} to ${MAX_LOG_BYTES}, not ${capacityBytes}`,
    );
  }
  const segment = Segment.open(
    {
      kind: SegmentKind.Log,
      params: [
        { name: 'capacityBytes', value: capacityBytes, required: options.capacityBytes !== undefined },
      ],
      payloadBytes: ([capacity = 0]) => logBytes(capacity),
    },
    name,
    options,
    Role.Both,
  );
  const log = new Log(segment, options.maxQueuedBytes);
  return keepAlive ? log.ref() : log;
}
