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
import { Handle, handleOn } from '../handle.js';
import { assertOptions } from '../option-names.js';
import { load } from '../platform/atomics.js';
import { Content } from '../record/codec.js';
import { maxRecordBytes, READABLE_WORD, WRITABLE_WORD } from '../record/layout.js';
import { type RecordOptions, recordSpec } from '../record/options.js';
import { Records } from '../record/records.js';
import { Counter } from '../segment/counters.js';
import { SegmentKind, WORD_BYTES } from '../segment/layout.js';
import { Role } from '../segment/participants.js';
import { Segment } from '../segment/segment.js';
import { WaitBit, WaitPoint } from '../waiting/wait-point.js';
import { WaitQueue } from '../waiting/wait-queue.js';
import type { WaitOptions } from '../waiting/waiting.js';
import { LogCursor, type LogStart } from './cursor.js';
import { DEFAULT_LOG_BYTES, ENTRY_HEADER_BYTES, logBytes } from './layout.js';
import { type NamedCursorInfo, NamedCursors } from './named.js';
import { LogReader, type LogReaderOptions } from './reader.js';
import { LogRoster } from './roster.js';
import { LogWriter } from './writer.js';

/** Options of {@link openLog}. */
export type LogOptions<T = Uint8Array> = RecordOptions<T>;

const DEFAULT_SLOW_MS = 10_000;
const MAX_SLOW_MS: number = 2 ** 30;

/** A handle on a log. Made by {@link openLog}. To close it closes its readers, and refuses waiting appends; entries stay for others. */
export class Log<T = Uint8Array> extends Handle {
  readonly capacityBytes: number;
  /** Longest entry, as bytes. */
  readonly maxEntryBytes: number;
  readonly #segment: Segment;
  readonly #words: Int32Array;
  readonly #readable: WaitPoint;
  readonly #writable: WaitPoint;
  readonly #sleepersHint: number;
  readonly #records: Records;
  readonly #content: Content<T>;
  readonly #writer: LogWriter;
  readonly #named: NamedCursors;
  readonly #readers = new Set<LogReader<T>>();
  readonly #queue: WaitQueue<number>;

  /** @internal */
  constructor(segment: Segment, { codec, maxQueuedBytes }: LogOptions<T> = {}) {
    super(segment, 'log');
    const [capacityBytes = 0] = segment.params;
    const { words, bytes, name } = segment;
    const base = segment.payloadOffset / WORD_BYTES;
    this.capacityBytes = capacityBytes;
    this.maxEntryBytes = maxRecordBytes(capacityBytes);
    this.#segment = segment;
    this.#words = words;
    this.#sleepersHint = base + READABLE_WORD;
    this.#readable = new WaitPoint(segment, base + READABLE_WORD, WaitBit.Readable);
    this.#writable = new WaitPoint(segment, base + WRITABLE_WORD, WaitBit.Writable);
    this.#records = new Records(
      { words, bytes, base, capacityBytes, name: `log ${name}` },
      ENTRY_HEADER_BYTES,
    );
    this.#content = new Content(codec, 'an entry', this.maxEntryBytes, `maxEntryBytes of ${name}`);
    const writer = new LogWriter(segment, this.#records, new LogRoster(segment));
    this.#writer = writer;
    this.#named = new NamedCursors(segment);
    this.#queue = new WaitQueue<number>(
      {
        waiting: this.waiting,
        point: this.#writable,
        send: (entry) => {
          const number = writer.append(entry);
          if (number === 0) return undefined;
          segment.counters.add(Counter.sent);
          return { result: number };
        },
        sent: () => this.waiting.signal(this.#readable),
        get lockWasBusy() {
          return writer.lock.wasBusy;
        },
      },
      maxQueuedBytes,
    );
  }

  /** The number of the last entry, 0 if there is none yet. @throws {@link ShmError} `ERR_SHM_CLOSED` */
  get last(): number {
    this.assertOpen();
    return new LogCursor(this.#segment, this.#records).last;
  }

  /**
   * Appends an entry, if that is possible now.
   *
   * @returns its number; undefined when a reliable reader has yet to make room, when {@link append}s wait for it, or when another writer
   * has been in the middle of an append for 5 ms, since its thread does not run.
   * @throws {@link ShmError} `ERR_SHM_TOO_LARGE`, `ERR_SHM_CORRUPT`, `ERR_SHM_CLOSED`
   */
  tryAppend(entry: T): number | undefined {
    return this.#tryAppend(this.#content.encode(entry));
  }

  /**
   * Appends entries next to each other, shown to readers all at once: much cheaper than one at a time.
   *
   * @returns how many of them, from the first on, there was room for. 0 also as {@link tryAppend} returns undefined.
   * @throws {@link ShmError} as {@link tryAppend}; if one is too large, none is appended
   */
  tryAppendAll(entries: readonly T[]): number {
    this.assertOpen();
    const encoded = entries.map((entry) => this.#content.encode(entry));
    if (!this.#queue.isEmpty || encoded.length === 0) return 0;
    const appended = this.#writer.appendAll(encoded);
    this.#segment.counters.add(Counter.sent, appended);
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
  append(entry: T, options?: WaitOptions): Promise<number> {
    const signal = options?.signal;
    try {
      assertOptions(options, 'log.append');
      signal?.throwIfAborted();
      const bytes = this.#content.encode(entry);
      const number = this.#tryAppend(bytes);
      return number === undefined ? this.#queue.push(bytes, signal) : Promise.resolve(number);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Starts reading.
   *
   * @throws {RangeError} when `start` is no entry, or another option is out of range.
   * @throws {@link ShmError} `ERR_SHM_LOCK_TIMEOUT` when a reliable reader cannot be entered because a writer does not come to the end
   * of its append within half a second; `ERR_SHM_ROLE_TAKEN` while another reader has the cursor `name`, `ERR_SHM_CURSORS_FULL`;
   * `ERR_SHM_CORRUPT`, `ERR_SHM_CLOSED`
   */
  reader(options: LogReaderOptions = {}): LogReader<T> {
    assertOptions(options, 'log.reader');
    this.assertOpen();
    const { start = 'next', reliable = false, name, onLost } = options;
    const patience = patienceOf(options);
    let cursor = new LogCursor(this.#segment, this.#records, onLost);
    if (name !== undefined) cursor = this.#enterNamed(name, start, patience, onLost);
    else if (reliable) this.#enterReliable(cursor, start, patience);
    else cursor.seek(start);
    const host = {
      until: (isReady: () => boolean, signal: AbortSignal | undefined) =>
        this.waiting.until(this.#readable, isReady, signal),
      untilSync: (isReady: () => boolean, timeoutMs: number | undefined) =>
        this.waiting.untilSync(this.#readable, isReady, timeoutMs),
      roomMade: () => {
        if (!this.closed) this.waiting.signal(this.#writable);
      },
      left: () => {
        this.#readers.delete(reader);
        this.waiting.look();
      },
    };
    const reader: LogReader<T> = new LogReader<T>(cursor, host, this.#content, this.name, name);
    this.#readers.add(reader);
    return reader;
  }

  /** The named cursors of the log, also those with which nobody reads. @throws {@link ShmError} `ERR_SHM_CLOSED` */
  cursors(): NamedCursorInfo[] {
    this.assertOpen();
    return this.#named.list();
  }

  /**
   * Forgets a named cursor: writers do not wait for it any more.
   *
   * @returns false when there is none.
   * @throws {@link ShmError} `ERR_SHM_ROLE_TAKEN` while somebody not proven dead reads with it; `ERR_SHM_LOCK_TIMEOUT`, `ERR_SHM_CLOSED`
   */
  removeCursor(name: string): boolean {
    this.assertOpen();
    this.#assertNotReading(name);
    const removed = this.#exclusively(() => this.#named.remove(name));
    if (removed) this.waiting.signal(this.#writable);
    return removed;
  }

  /** @internal */
  protected override leave(): void {
    this.#queue.rejectAll(this.closedError());
    for (const reader of [...this.#readers]) reader.close();
  }

  #tryAppend(bytes: Uint8Array): number | undefined {
    if (this.closed) throw this.closedError();
    if (!this.#queue.isEmpty) return undefined;
    const number = this.#writer.append(bytes);
    if (number === 0) return undefined;
    this.#segment.counters.add(Counter.sent);
    if (load(this.#words, this.#sleepersHint) !== 0) this.waiting.signal(this.#readable);
    return number;
  }

  #enterReliable(cursor: LogCursor, start: LogStart, patience: number): void {
    if ([...this.#readers].some((reader) => reader.reliable && reader.name === undefined)) {
      throw new TypeError('one reader of a handle may be reliable: open the log once more, or name it');
    }
    this.#exclusively(() => {
      cursor.seek(start);
      cursor.becomeReliable(patience);
    });
    this.#segment.participant.setRole(Role.Reader);
  }

  #enterNamed(
    name: string,
    start: LogStart,
    patience: number,
    onLost: LogReaderOptions['onLost'],
  ): LogCursor {
    this.#assertNotReading(name);
    return this.#exclusively(() => {
      const { row, isNew } = this.#named.claim(name);
      const cursor = new LogCursor(this.#segment, this.#records, onLost, row);
      try {
        if (isNew) cursor.seek(start);
        else cursor.resume();
        cursor.becomeReliable(patience);
        if (isNew) this.#named.publish(row, name);
      } catch (error) {
        cursor.close();
        throw error;
      }
      return cursor;
    });
  }

  #assertNotReading(name: string): void {
    if (![...this.#readers].some((reader) => reader.name === name)) return;
    throw new ShmError('ERR_SHM_ROLE_TAKEN', `the reader with the cursor ${name} is one of this handle`);
  }

  /** Runs `work` while nobody appends. @throws {@link ShmError} `ERR_SHM_LOCK_TIMEOUT` */
  #exclusively<R>(work: () => R): R {
    const { lock } = this.#writer;
    lock.acquireSurely();
    try {
      return work();
    } finally {
      lock.release();
    }
  }
}

/** How long writers wait, as the row of the reader says it. @throws {RangeError} @throws {TypeError} */
function patienceOf({ whenSlow = 'block', slowAfterMs = DEFAULT_SLOW_MS }: LogReaderOptions): number {
  if (!Number.isInteger(slowAfterMs) || slowAfterMs < 1 || slowAfterMs > MAX_SLOW_MS) {
    throw new RangeError(`slowAfterMs is a whole number of 1 to ${MAX_SLOW_MS}, not ${slowAfterMs}`);
  }
  const signs = { block: 0, lossy: 1, evict: -1 } as const;
  if (!Object.hasOwn(signs, whenSlow)) {
    throw new TypeError(`whenSlow is 'block', 'lossy' or 'evict', not ${JSON.stringify(whenSlow)}`);
  }
  return signs[whenSlow] * slowAfterMs;
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
export function openLog<T = Uint8Array>(name: string, options: LogOptions<T> = {}): Log<T> {
  assertOptions(options, 'openLog');
  const segment = Segment.open(
    recordSpec(SegmentKind.Log, options, DEFAULT_LOG_BYTES, logBytes),
    name,
    options,
    Role.Both,
  );
  return handleOn(segment, options.keepAlive ?? false, () => new Log<T>(segment, options));
}
