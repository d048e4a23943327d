/**
 * One reader of a log, as its user sees it: polls with `read`, sleeps with `readable`, or loops over `entries`.
 *
 * Where it is and what it lost is the business of `log/cursor.ts`; here is waiting, and the end.
 */

import { ShmError } from '../errors.js';
import { assertOptions } from '../option-names.js';
import type { WaitOptions } from '../waiting/waiting.js';
import type { EntryHandler, LogCursor, LogStart } from './cursor.js';

/** Options of {@link Log.reader}. */
export interface LogReaderOptions {
  /**
   * Where to begin. Entries from that of a given number on which are not kept any more count as lost.
   * @defaultValue `'next'`
   */
  readonly start?: LogStart;
  /**
   * Whether writers wait for this reader rather than overtake it. One reader of a handle may be reliable.
   * @defaultValue false
   */
  readonly reliable?: boolean;
  /** Is told how many entries were lost, before the first one after them is handed out. */
  readonly onLost?: (count: number) => void;
}

/** An entry that was copied out. */
export interface LogEntry {
  /** Rises by one from entry to entry, over the whole life of the log, from 1. */
  readonly number: number;
  /** Owned by whoever got it. */
  readonly bytes: Uint8Array;
}

/** What a reader needs of its log. */
export interface LogReaderHost {
  /** Waits until there is something to read, or the log is closed. */
  until(isReady: () => boolean, signal: AbortSignal | undefined): Promise<void>;
  /** A reliable reader has made room. */
  roomMade(): void;
  left(reader: LogReader): void;
}

const TURN_ENTRIES = 1024;
/** After so many batches that were at hand the event loop gets a turn: in a flood there is always one more. */
const BATCHES_PER_TURN = 16;

/** Reads a log. Made by {@link Log.reader}. */
export class LogReader implements AsyncIterable<LogEntry> {
  readonly #cursor: LogCursor;
  readonly #host: LogReaderHost;
  readonly #name: string;
  #batchesSinceTurn = 0;
  #closed = false;

  /** @internal */
  constructor(cursor: LogCursor, host: LogReaderHost, name: string) {
    this.#cursor = cursor;
    this.#host = host;
    this.#name = name;
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
   * Hands at most `limit` entries to `handler`, in the order of the log. If the handler throws, the entry it threw at comes again.
   * A reliable reader lets writers pass what it has read when this returns.
   *
   * @returns how many there were. 0 does not mean that there is nothing: a lossy reader may have been overtaken at each attempt.
   * @throws {@link ShmError} `ERR_SHM_CORRUPT`, `ERR_SHM_CLOSED`
   */
  read(handler: EntryHandler, limit: number = Infinity): number {
    if (this.#closed) this.#throwClosed();
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
  async readable(options: WaitOptions = {}): Promise<boolean> {
    assertOptions(options, 'reader.readable');
    const { signal } = options;
    signal?.throwIfAborted();
    if (++this.#batchesSinceTurn > BATCHES_PER_TURN) {
      this.#batchesSinceTurn = 0;
      await new Promise((resolve) => setImmediate(resolve));
      signal?.throwIfAborted();
    }
    if (!this.#closed && !this.#cursor.available) {
      this.#batchesSinceTurn = 0;
      await this.#host.until(() => this.#closed || this.#cursor.available, signal);
    }
    return !this.#closed;
  }

  /**
   * The entries, as they come. Ends when the reader is closed. The event loop gets a turn now and then, however many there are. A
   * reliable reader lets writers pass an entry when it is handed out, up to a batch of 1024 earlier than the loop has seen it.
   */
  async *entries(options: WaitOptions = {}): AsyncGenerator<LogEntry, void, undefined> {
    assertOptions(options, 'reader.entries');
    while (await this.readable(options)) {
      const batch: LogEntry[] = [];
      this.read(
        (bytes, start, end, number) => batch.push({ number, bytes: bytes.slice(start, end) }),
        TURN_ENTRIES,
      );
      for (const entry of batch) {
        yield entry;
        options.signal?.throwIfAborted();
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  [Symbol.asyncIterator](): AsyncIterator<LogEntry> {
    return this.entries();
  }

  /** Ends it; writers do not wait for it any more. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    const wasReliable = this.#cursor.reliable;
    this.#cursor.close();
    this.#host.left(this);
    if (wasReliable) this.#host.roomMade();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  #throwClosed(): never {
    throw new ShmError('ERR_SHM_CLOSED', `the reader of ${this.#name} is closed`);
  }
}
