/**
 * One reader of a log, as its user sees it: polls with `read`, sleeps with `readable`, or loops over `entries`.
 *
 * Where it is and what it lost is the business of `log/cursor.ts`; here is waiting, and the end.
 */

import { ShmError } from '../errors.js';
import { assertOptions } from '../option-names.js';
import type { Content } from '../record/codec.js';
import { Messages, type MessagesHost } from '../ring/messages.js';
import { TurnCounter } from '../waiting/turn-counter.js';
import type { SyncOptions, WaitOptions } from '../waiting/waiting.js';
import type { EntryHandler, LogCursor, LogStart } from './cursor.js';

/** Options of {@link Log.reader}. */
export interface LogReaderOptions {
  /**
   * Where to begin. Entries from that of a given number on which are not kept any more count as lost.
   * @defaultValue `'next'`
   */
  readonly start?: LogStart;
  /**
   * Whether writers wait for this reader rather than overtake it. One reader of a handle may be reliable without a name.
   * @defaultValue false
   */
  readonly reliable?: boolean;
  /**
   * A cursor of this name, at most 64 bytes, in the log, which outlives its readers: the next reader of the name goes on where this one was
   * done, and `start` counts for the first one only. Writers wait for it as for a reliable reader, also while nobody reads with it. A log has
   * room for 16; `log.removeCursor(name)` makes some.
   * @defaultValue none
   */
  readonly name?: string;
  /**
   * What becomes of this reader, reliable or named, when a writer needs the room of an entry that it has not read, and it has not moved for
   * `slowAfterMs`: `block` lets writers wait as long as it takes, `lossy` lets them overtake it, which it is told as a loss, `evict` gives it up,
   * which it is told by `ERR_SHM_EVICTED`.
   * @defaultValue `'block'`
   */
  readonly whenSlow?: 'block' | 'lossy' | 'evict';
  /** @defaultValue 10000 */
  readonly slowAfterMs?: number;
  /** Is told how many entries were lost, before the first one after them is handed out. */
  readonly onLost?: (count: number) => void;
}

/** An entry that was copied out. */
export interface LogEntry<T = Uint8Array> {
  /** Rises by one from entry to entry, over the whole life of the log, from 1. */
  readonly number: number;
  /** Owned by whoever got it. */
  readonly bytes: Uint8Array;
  /** What the codec of the log made of it; without one the bytes. */
  readonly value: T;
}

/** What a reader needs of its log. */
export interface LogReaderHost {
  /** Waits until there is something to read, or the log is closed. */
  until(isReady: () => boolean, signal: AbortSignal | undefined): Promise<void>;
  untilSync(isReady: () => boolean, timeoutMs: number | undefined): boolean;
  /** A reliable reader has made room. */
  roomMade(): void;
  /** The reader was closed. */
  left(): void;
}

/** After so many batches that were at hand the event loop gets a turn: in a flood there is always one more. */
const BATCHES_PER_TURN = 16;

/** Reads a log. Made by {@link Log.reader}. */
export class LogReader<T = Uint8Array> implements AsyncIterable<LogEntry<T>> {
  /** Of its cursor, if that outlives it. */
  readonly name: string | undefined;
  readonly #cursor: LogCursor;
  readonly #host: LogReaderHost;
  readonly #content: Content<T>;
  readonly #log: string;
  readonly #turns = new TurnCounter(BATCHES_PER_TURN);
  readonly #loops: MessagesHost<LogEntry<T>> = {
    open: () => !this.#closed,
    take: () => {
      const taken = this.#closed ? undefined : this.#cursor.take();
      return taken && { ...taken, value: this.#content.decode(taken.bytes) };
    },
    release: () => this.release(),
    readable: (options) => this.readable(options),
    rewind: () => {
      if (!this.#closed) this.#cursor.rewind();
    },
    loopingError: () => new ShmError('ERR_SHM_BUSY', `a loop over the entries of ${this.#log} is running`),
  };
  #closed = false;

  /** @internal */
  constructor(cursor: LogCursor, host: LogReaderHost, content: Content<T>, log: string, name?: string) {
    this.#cursor = cursor;
    this.#host = host;
    this.#content = content;
    this.#log = log;
    this.name = name;
  }

  /** How many entries it has lost so far. */
  get lost(): number {
    return this.#cursor.lost;
  }

  /** The number of the next entry, as far as it is known: 0 before the first one of a reader that starts at the oldest. */
  get next(): number {
    return this.#cursor.next;
  }

  /** Whether writers wait for it. */
  get reliable(): boolean {
    return this.#cursor.reliable;
  }

  /** Whether it, or its log, was closed. */
  get closed(): boolean {
    return this.#closed;
  }

  /**
   * Hands at most `limit` entries to `handler`, in the order of the log, as bytes. If the handler throws, the entry it threw at comes again.
   * A reliable reader lets writers pass what it has read when this returns.
   *
   * @returns how many there were. 0 does not mean that there is nothing: a lossy reader may have been overtaken at each attempt.
   * @throws {@link ShmError} `ERR_SHM_CORRUPT`, `ERR_SHM_EVICTED`, `ERR_SHM_CLOSED`, `ERR_SHM_BUSY` while a loop over the entries runs
   */
  read(handler: EntryHandler, limit: number = Infinity): number {
    if (this.#closed) throw this.#closedError();
    if (this.#loops.loop !== undefined) throw this.#loops.loopingError();
    try {
      return this.#cursor.read(handler, limit);
    } finally {
      if (this.#cursor.reliable) this.#host.roomMade();
    }
  }

  /**
   * Waits until there is an entry: `while (await reader.readable()) reader.read(…)`. The event loop gets a turn now and then, also
   * when there always is one.
   *
   * @returns false when the reader was closed.
   * @throws the reason of `signal`
   */
  async readable(options?: WaitOptions): Promise<boolean> {
    assertOptions(options, 'reader.readable');
    const signal = options?.signal;
    signal?.throwIfAborted();
    const isOver = (): boolean => this.#closed || this.#cursor.available;
    const waits = this.#turns.until(isOver, () => this.#host.until(isOver, signal));
    if (waits !== undefined) await waits;
    return !this.#closed;
  }

  /**
   * Waits until there is an entry, with the thread blocked: for worker threads.
   *
   * @returns false when the time was up.
   * @throws {@link ShmError} `ERR_SHM_CLOSED`
   */
  readableSync(options: SyncOptions = {}): boolean {
    assertOptions(options, 'readableSync');
    if (this.#closed) throw this.#closedError();
    return this.#host.untilSync(() => this.#cursor.available, options.timeoutMs);
  }

  /**
   * The entries, as they come, each at least once. Asking for the next one lets writers pass the one before. A loop that is left by an error or
   * `break` gets the entry at hand again, unless {@link release} was called. One that cannot be decoded ends the loop with `ERR_SHM_PAYLOAD`, and
   * does not come again. One loop at a time. Ends when the reader is closed.
   */
  entries(options: WaitOptions = {}): AsyncIterableIterator<LogEntry<T>> {
    assertOptions(options, 'reader.entries');
    return new Messages<LogEntry<T>>(this.#loops, options);
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<LogEntry<T>> {
    return this.entries();
  }

  /** Is done with the entry at hand in a loop: it does not come again. @throws {@link ShmError} `ERR_SHM_CLOSED` */
  release(): void {
    if (this.#closed) throw this.#closedError();
    if (this.#cursor.release()) this.#host.roomMade();
  }

  /** Ends it; writers do not wait for it any more, unless its cursor has a name. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    const wasReliable = this.#cursor.reliable;
    this.#cursor.close();
    this.#host.left();
    if (wasReliable) this.#host.roomMade();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  #closedError(): ShmError {
    return new ShmError('ERR_SHM_CLOSED', `the reader of ${this.#log} is closed`);
  }
}
