/**
 * The log of a process that is to survive its end: entries are stored before anybody is shown them.
 *
 * Drafts of one turn are copied into blocks, which a thread stores in one transaction. When it answers, they are
 * delivered, and what came meanwhile is the next group: so a busy server groups by itself, and an idle one waits for one
 * commit. Positions are given out here; those of a group that could not be stored are given out again.
 */
import { FailureCode } from '@chat/protocol';
import { ServerErrorCode } from '../errors.js';
import { readBlock } from '../log/block.js';
import { CLAIM, type Draft } from '../log/entry.js';
import type { Durability, EventLog, LogCondition, LogConsumer, Recovered } from '../log/event-log.js';
import { type PendingBlock, PendingBlocks } from '../log/shared/pending-blocks.js';
import { CommitTimes } from './commit-times.js';
import type { Loss } from './file/store-file.js';
import { resolveOptions, type SqliteLogOptions } from './sqlite-options.js';
import { SqliteStore } from './sqlite-store.js';
import { fromErrorMessage } from './store-error.js';
import { StoreThread } from './thread/store-thread.js';
import type { OpenAnswer, WriteAnswer, WriterOperations } from './thread/writer-operations.js';

/** Why a publish was refused that could not be stored. */
const UNAVAILABLE = FailureCode.Unavailable;
/** Bytes that one transaction stores, about. */
const GROUP_BYTES = 1_048_576;
/** After this time a full disk is looked at again, and a refused publish is worth a second try. */
const RETRY_MS = 1000;

/**
 * Opens the store in a folder as a log for `createChatServer`.
 *
 * @throws ServerError `ERR_SERVER_BAD_OPTION`, `ERR_SERVER_SQLITE_MISSING`, `ERR_SERVER_STORE_LOCKED`, `ERR_SERVER_STORE_CORRUPT`,
 * `ERR_SERVER_STORE_NEWER`, `ERR_SERVER_STORE_READONLY`, `ERR_SERVER_STORE_FULL`, `ERR_SERVER_STORE_FAILED`
 */
export async function openSqliteLog(options: SqliteLogOptions): Promise<SqliteLog> {
  const settings = resolveOptions(options);
  const { directory, durability, retention, reserveBytes, search, tailBytes } = settings;
  const thread = new StoreThread<WriterOperations>('writer', {
    directory,
    durability,
    retention,
    reserveBytes,
  });
  try {
    const opened = await thread.call('open', tailBytes);
    const store = new SqliteStore(directory, (wish) => thread.call('remove', wish), search);
    return new SqliteLog(thread, opened, store, settings);
  } catch (error) {
    await thread.terminate();
    throw error;
  }
}

/** What the log itself has to know of the options. */
interface LogSettings {
  readonly durability: 'process' | 'disk';
  readonly onStoreFailure: 'refuse' | 'memory';
  readonly maxPendingBytes: number;
}

/** How a store is doing. */
export interface StoreStats {
  /** Position of the newest entry that is stored. */
  readonly storedPosition: number;
  /** Bytes of drafts that wait for the disk. */
  readonly pendingBytes: number;
  readonly entries: number;
  /** Bytes of the database and its journal. */
  readonly fileBytes: number;
  /** Times of the last 256 transactions in milliseconds; 0 when there was none. */
  readonly commitMs: { readonly p50: number; readonly p99: number };
  /** Searches that were given up because they took too long. */
  readonly slowQueries: number;
}

/** A log in a file. Made by {@link openSqliteLog}. */
export class SqliteLog implements EventLog {
  /** Why the epoch before this one ended, if this start began a new one. */
  readonly loss: Loss | undefined;
  /** Name of the SQLite library that is used. */
  readonly driver: string;
  readonly epoch: string;
  readonly store: SqliteStore;
  onCondition: ((condition: LogCondition) => void) | undefined;
  readonly #thread: StoreThread<WriterOperations>;
  readonly #settings: LogSettings;
  #opened: OpenAnswer;
  readonly #pending: PendingBlocks = new PendingBlocks();
  #consumer: LogConsumer | undefined;
  #condition: LogCondition = { state: 'open' };
  /** Position that was given out last. */
  #position: number;
  #storedPosition: number;
  /** Bytes that the thread has. */
  #inFlightBytes = 0;
  #isFlushing = false;
  #isScheduled = false;
  /** Entries are in memory only from here on. */
  #isInMemory = false;
  #isClosing = false;
  #closed: Promise<void> | undefined;
  #retryTimer: NodeJS.Timeout | undefined;
  readonly #commitTimes: CommitTimes = new CommitTimes();
  #whenIdle: (() => void) | undefined;

  /** @internal */
  constructor(
    thread: StoreThread<WriterOperations>,
    opened: OpenAnswer,
    store: SqliteStore,
    settings: LogSettings,
  ) {
    this.#thread = thread;
    this.#settings = settings;
    this.#opened = opened;
    this.store = store;
    this.epoch = opened.epoch;
    this.loss = opened.loss;
    this.driver = opened.driver;
    this.#position = opened.position;
    this.#storedPosition = opened.position;
    thread.onDeath = (error) => this.#fail(error.message);
  }

  /** What an entry has survived when it is delivered. */
  get durability(): Durability {
    return this.#isInMemory ? 'none' : this.#settings.durability;
  }

  get condition(): LogCondition {
    return this.#condition;
  }

  open(consumer: LogConsumer): Recovered {
    this.#consumer = consumer;
    const { state, tail, floors, position } = this.#opened;
    const isNew = position === 0;
    // The rooms have it from here on.
    this.#opened = { ...this.#opened, tail: [] };
    const entries = tail.flatMap(({ bytes, first }) => readBlock(bytes, first));
    return {
      state: isNew ? undefined : state,
      tail: entries.filter(({ isVoid, type }) => !isVoid && type !== CLAIM),
      floors,
    };
  }

  append(draft: Draft): void {
    if (!this.#consumer || this.#isClosing) return;
    if (this.#isInMemory) {
      this.#consumer([{ ...draft, seq: ++this.#position }]);
      return;
    }
    if (this.#condition.state !== 'open') {
      this.#refuse(draft, `the store is ${this.#condition.state}: ${this.#condition.reason}`);
      return;
    }
    if (this.#pending.bytes + this.#inFlightBytes > this.#settings.maxPendingBytes) {
      this.#refuse(draft, 'the disk does not keep up');
      return;
    }
    this.#pending.add(draft, ++this.#position);
    if (this.#isFlushing || this.#isScheduled) return;
    this.#isScheduled = true;
    // Everything that this turn appends is one group.
    setImmediate(() => {
      this.#isScheduled = false;
      void this.#flush();
    });
  }

  /** Stores what was appended, and delivers it; appends nothing more. Idempotent. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** How the store is doing. */
  async stats(): Promise<StoreStats> {
    const { entries, fileBytes } = await this.#thread.call('totals', undefined);
    return {
      storedPosition: this.#storedPosition,
      pendingBytes: this.#pending.bytes + this.#inFlightBytes,
      entries,
      fileBytes,
      commitMs: { p50: this.#commitTimes.quantile(0.5), p99: this.#commitTimes.quantile(0.99) },
      slowQueries: this.store.slowQueries,
    };
  }

  /** Has group after group stored and delivered, until nothing is left. */
  async #flush(): Promise<void> {
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    while (!this.#pending.isEmpty && this.#condition.state === 'open') await this.#flushGroup();
    this.#isFlushing = false;
    this.#whenIdle?.();
  }

  async #flushGroup(): Promise<void> {
    const group = this.#pending.take(GROUP_BYTES);
    const blocks = group.map(({ block }) => block);
    const buffers = blocks.map(({ bytes }) => bytes.buffer as ArrayBuffer);
    this.#inFlightBytes = buffers.reduce((sum, { byteLength }) => sum + byteLength, 0);
    const last = blocks.at(-1)!.last;
    let answer: WriteAnswer;
    try {
      answer = await this.#thread.call('write', blocks, buffers);
    } catch {
      // The thread is gone, and the bytes with it: those who wait for the group learn it after a restart.
      this.#inFlightBytes = 0;
      return;
    }
    this.#inFlightBytes = 0;
    if (answer.error) {
      this.#onFailure(group, answer);
      return;
    }
    this.#storedPosition = last;
    this.#commitTimes.add(answer.commitMs);
    this.#deliver(group, answer);
  }

  #deliver(group: readonly PendingBlock[], { blocks }: WriteAnswer): void {
    for (let i = 0; i < group.length; i++) this.#consumer?.(group[i]!.fill(blocks[i]!.bytes));
  }

  /** A group is not stored. */
  #onFailure(group: readonly PendingBlock[], answer: WriteAnswer): void {
    const { code, message: reason } = fromErrorMessage(answer.error!);
    const condition: LogCondition = { state: code === ServerErrorCode.StoreFull ? 'full' : 'failed', reason };
    if (this.#settings.onStoreFailure === 'memory') {
      // Said before anybody is shown an entry that the next start will not know.
      void this.#thread.call('goBeyond', undefined).catch(() => undefined);
      this.#deliver(group, answer);
      this.#goOnInMemory(condition);
      return;
    }
    const rest = this.#pending.take(Number.POSITIVE_INFINITY);
    this.#position = this.#storedPosition;
    this.#setCondition(condition);
    // After any other failure nobody can say what is on the disk: those who wait for the group learn it after a restart.
    if (condition.state === 'full') this.#refuseAll(group, reason);
    this.#refuseAll(rest, reason);
    if (condition.state === 'full') this.#retryLater();
  }

  /** Delivers what waits for the store, and from now on everything at once. */
  #goOnInMemory(condition: LogCondition): void {
    // What is appended meanwhile comes behind.
    while (!this.#pending.isEmpty) {
      for (const pending of this.#pending.take(Number.POSITIVE_INFINITY)) {
        this.#consumer?.(pending.fill(pending.block.bytes));
      }
    }
    this.#isInMemory = true;
    this.#setCondition(condition);
  }

  /** Looks from time to time whether a full disk has space again. */
  #retryLater(): void {
    this.#retryTimer = setTimeout(async () => {
      const hasRoom = await this.#thread.call('makeRoom', undefined).catch(() => false);
      if (this.#isClosing || this.#condition.state !== 'full') return;
      if (hasRoom) this.#setCondition({ state: 'open' });
      else this.#retryLater();
    }, RETRY_MS);
    this.#retryTimer.unref();
  }

  /** The thread is gone. */
  #fail(reason: string): void {
    const condition: LogCondition = { state: 'failed', reason };
    if (this.#isInMemory || this.#condition.state === 'failed') return;
    if (this.#settings.onStoreFailure === 'memory') {
      this.#goOnInMemory(condition);
      return;
    }
    const rest = this.#pending.take(Number.POSITIVE_INFINITY);
    this.#setCondition(condition);
    this.#refuseAll(rest, reason);
  }

  #refuseAll(blocks: readonly PendingBlock[], message: string): void {
    for (const { entries } of blocks) for (const entry of entries) this.#refuse(entry, message);
  }

  #refuse({ origin, publishId }: Draft, message: string): void {
    origin?.refused({ code: UNAVAILABLE, message, retryAfterMs: RETRY_MS }, publishId);
  }

  #setCondition(condition: LogCondition): void {
    this.#condition = condition;
    this.onCondition?.(condition);
  }

  async #close(): Promise<void> {
    this.#isClosing = true;
    clearTimeout(this.#retryTimer);
    if (this.#isFlushing || this.#isScheduled) {
      await new Promise<void>((resolve) => {
        this.#whenIdle = resolve;
      });
    }
    this.#consumer = undefined;
    await this.store.close();
    try {
      await this.#thread.call('close', undefined);
    } catch (error) {
      // A store that has failed has said so already.
      if (this.#condition.state === 'open') throw error;
    } finally {
      await this.#thread.terminate();
    }
  }
}
