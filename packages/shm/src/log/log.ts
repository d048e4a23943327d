/**
 * A log: many processes append entries, many read them, and all see the same order.
 *
 * It is the last `capacityBytes` of an endless sequence of numbered entries. Writers append under a lock (`log/writer.ts`); readers
 * have cursors of their own (`log/cursor.ts`) and are either overtaken, and told exactly how many entries they lost, or waited for. This file is
 * the handle: who sleeps and who rings, and the queue of those who wait for room.
 *
 * Readers sleep until there is an entry, writers until a reliable reader has made room: see `waiting/wait-point.ts`.
 */

import { ShmError } from '../errors.js';
import { Handle } from '../handle.js';
import { assertOptions } from '../option-names.js';
import { load } from '../platform/atomics.js';
import { SegmentKind, WORD_BYTES } from '../segment/layout.js';
import { Role } from '../segment/participants.js';
import { type OpenOptions, Segment } from '../segment/segment.js';
import { WaitBit, WaitPoint } from '../waiting/wait-point.js';
import { checkMaxQueuedBytes, type Queued, WaitQueue } from '../waiting/wait-queue.js';
import type { WaitOptions } from '../waiting/waiting.js';
import { LogCursor } from './cursor.js';
import {
  BLOCKED_WORD,
  DEFAULT_LOG_BYTES,
  logBytes,
  MAX_LOG_BYTES,
  MIN_LOG_BYTES,
  maxEntryBytes,
  SLEEPERS_WORD,
} from './layout.js';
import { LogReader, type LogReaderOptions } from './reader.js';
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
export class Log extends Handle {
  readonly capacityBytes: number;
  /** Longest entry. */
  readonly maxEntryBytes: number;
  readonly #segment: Segment;
  readonly #words: Int32Array;
  readonly #base: number;
  readonly #readable: WaitPoint;
  readonly #writable: WaitPoint;
  readonly #sleepersHint: number;
  readonly #roster: LogRoster;
  readonly #writer: LogWriter;
  readonly #readers = new Set<LogReader>();
  readonly #queue: WaitQueue<number>;
  #retry: NodeJS.Immediate | undefined;
  #closed = false;

  /** @internal */
  constructor(segment: Segment, maxQueuedBytes?: number) {
    super(segment, 'log');
    const [capacityBytes = 0] = segment.params;
    this.capacityBytes = capacityBytes;
    this.maxEntryBytes = maxEntryBytes(capacityBytes);
    this.#segment = segment;
    this.#words = segment.words;
    this.#base = segment.payloadOffset / WORD_BYTES;
    this.#sleepersHint = this.#base + SLEEPERS_WORD;
    this.#readable = new WaitPoint(segment, this.#sleepersHint, WaitBit.Readable);
    this.#writable = new WaitPoint(segment, this.#base + BLOCKED_WORD, WaitBit.Writable);
    this.#roster = new LogRoster(segment);
    this.#writer = new LogWriter(segment, this.#base, capacityBytes, this.#roster);
    this.#queue = new WaitQueue(
      { waiting: this.waiting, point: this.#writable, flush: (queue) => this.#flush(queue) },
      maxQueuedBytes,
    );
  }

  /** The number of the last entry, 0 if there is none yet. @throws {@link ShmError} `ERR_SHM_CLOSED` */
  get last(): number {
    this.assertOpen();
    return new LogCursor(this.#segment, this.#base, this.capacityBytes).last;
  }

  /**
   * Appends an entry, if that is possible now.
   *
   * @returns its number; undefined when a reliable reader has yet to make room, when {@link append}s wait for it, or when another writer
   * has been in the middle of an append for 5 ms, since its thread does not run.
   * @throws {@link ShmError} `ERR_SHM_TOO_LARGE`, `ERR_SHM_CORRUPT`, `ERR_SHM_CLOSED`
   */
  tryAppend(entry: Uint8Array): number | undefined {
    if (this.#closed) this.#throwClosed();
    this.#writer.check(entry);
    if (this.#queue.length > 0) return undefined;
    const number = this.#writer.append(entry);
    if (number === 0) return undefined;
    if (load(this.#words, this.#sleepersHint) !== 0) this.waiting.signal(this.#readable);
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
    if (appended > 0) this.waiting.signal(this.#readable);
    return appended;
  }

  /**
   * Appends an entry, and waits as long as that is not possible. Entries of this handle go in the order of the calls; the array must not
   * change until then.
   *
   * @returns its number.
   * @throws {@link ShmError} `ERR_SHM_TOO_LARGE`, `ERR_SHM_CORRUPT`, `ERR_SHM_CLOSED`; the reason of `signal`, in which case it was not appended
   */
  append(entry: Uint8Array, options?: WaitOptions): Promise<number> {
    const signal = options?.signal;
    try {
      assertOptions(options, 'log.append');
      signal?.throwIfAborted();
      const number = this.tryAppend(entry);
      if (number !== undefined) return Promise.resolve(number);
    } catch (error) {
      return Promise.reject(error);
    }
    return this.#queue.push(entry, signal);
  }

  /**
   * Starts reading.
   *
   * @throws {RangeError} when `start` is no entry.
   * @throws {@link ShmError} `ERR_SHM_LOCK_TIMEOUT` when a reliable reader cannot be entered because a writer does not come to the end
   * of its append within half a second; `ERR_SHM_CORRUPT`, `ERR_SHM_CLOSED`
   */
  reader(options: LogReaderOptions = {}): LogReader {
    assertOptions(options, 'log.reader');
    this.assertOpen();
    const { start = 'next', reliable = false, onLost } = options;
    const cursor = new LogCursor(this.#segment, this.#base, this.capacityBytes, onLost);
    if (reliable) this.#enterReliable(cursor, start);
    else cursor.seek(start);
    const reader = new LogReader(
      cursor,
      {
        until: (isReady, signal) => this.waiting.until(this.#readable, isReady, signal),
        roomMade: () => {
          if (!this.#closed) this.waiting.signal(this.#writable);
        },
        left: (one) => {
          this.#readers.delete(one);
          this.waiting.look();
        },
      },
      this.#segment.name,
    );
    this.#readers.add(reader);
    return reader;
  }

  /** Closes the readers of this handle, refuses waiting appends, lets go of the memory. Entries stay for others. Idempotent. */
  override close(): void {
    super.close();
  }

  /** @internal */
  protected override leave(): void {
    clearImmediate(this.#retry);
    this.#queue.rejectAll(this.closedError());
    for (const reader of [...this.#readers]) reader.close();
    this.#closed = true;
  }

  #enterReliable(cursor: LogCursor, start: LogReaderOptions['start'] & {}): void {
    if ([...this.#readers].some((reader) => reader.reliable)) {
      throw new TypeError('one reader of a handle may be reliable: open the log once more');
    }
    this.#writer.exclusively(() => {
      cursor.seek(start);
      cursor.becomeReliable();
    });
    this.#segment.participant.setRole(Role.Reader);
  }

  /** Appends from the front of the queue what is possible now. */
  #flush(queue: Iterable<Queued<number>>): void {
    let appended = 0;
    for (const waiting of queue) {
      try {
        const number = this.#writer.append(waiting.message);
        if (number === 0) break;
        appended++;
        waiting.resolve(number);
      } catch (error) {
        if (ShmError.is(error) && error.code === 'ERR_SHM_CORRUPT') throw error;
        // Only this one is bad: its memory was transferred away since it was checked.
        waiting.reject(error);
      }
    }
    if (appended > 0) this.waiting.signal(this.#readable);
    // Nobody rings for the lock: it is had again in the next turn.
    if (this.#queue.length > 0 && this.#writer.lockWasBusy && this.#retry === undefined) {
      this.#retry = setImmediate(() => {
        this.#retry = undefined;
        if (!this.#closed) this.waiting.look();
      });
    }
  }

  #throwClosed(): never {
    throw this.closedError();
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
