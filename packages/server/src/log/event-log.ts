/**
 * The port at which the server scales: one total order of everything that happens.
 *
 * `append` is fire and forget. Entries come back through the consumer, in order, in batches, to every process
 * that shares the log, to the one that appended them as well; only then do they count. So sessions, names, rooms,
 * members and positions are a function of the log alone (`state/`), whether it is an array in this process, a file,
 * shared memory between worker processes, or a stream between machines.
 */
import type { Draft, LogEntry } from './entry.js';
import type { StateSnapshot } from './state/chat-state.js';

/**
 * Takes entries in order. Must not throw.
 *
 * @param from the process that appended them; 0, which it is where it is left out: the only one
 */
export type LogConsumer = (entries: readonly LogEntry[], from?: number) => void;

/**
 * What an entry survives once it was delivered: nothing, the end of every process (the file is in the hands of the
 * system), or the loss of power (it is on the disk).
 */
export type Durability = 'none' | 'process' | 'disk';

/**
 * Whether a log takes entries; if not, why, in words for an operator. One that is stalled still takes them, up to a
 * bound, and cannot say when they come back. One that has failed is over.
 */
export type LogCondition =
  | { readonly state: 'open' }
  | { readonly state: 'stalled' | 'full' | 'failed'; readonly reason: string };

/** What a log knows when it is opened. */
export interface Recovered {
  /** The state at the position of the newest entry; `undefined` for a new log. */
  readonly state: StateSnapshot | undefined;
  /** The newest entries, oldest first, as far as the heap is to hold them. The state knows them already. */
  readonly tail: readonly LogEntry[];
  /**
   * Position after which the tail has everything of a room, or of an inbox, by its key. Of one that is not named here it
   * has everything from its first entry on.
   */
  readonly floors: ReadonlyMap<string, number>;
}

/** All that a process has to know of the past to go on from there: the state, and what people said last. */
export interface ChatSnapshot {
  readonly state: StateSnapshot;
  readonly tail: readonly LogEntry[];
  readonly floors: ReadonlyMap<string, number>;
}

/** One total order of entries. */
export interface EventLog {
  /** Names one life of the log: positions are comparable within an epoch only. Known once it is open. */
  readonly epoch: string;
  /** @defaultValue 'none' */
  readonly durability?: Durability;
  /** Names this process among those that share the log, from 1 on; absent where nobody shares it. Known from the beginning. */
  readonly process?: number;
  /** @defaultValue open */
  readonly condition?: LogCondition;
  /** Set by the server, and told each time that the condition changes. */
  onCondition?: ((condition: LogCondition) => void) | undefined;
  /** What the heap no longer holds; absent where nothing else does. */
  readonly store?: EventStore;
  /**
   * Starts delivery, unless there is a `start`. Called once, before the first append.
   *
   * @returns what is known from an earlier life; nothing for a log that begins empty
   */
  open(consumer: LogConsumer): Recovered | undefined | Promise<Recovered | undefined>;
  /**
   * Starts delivery in a log that is shared, once the server has taken what `open` gave. Resolved when this process is one
   * of those that share it, and has everything that came before.
   */
  start?(): Promise<void>;
  /** Set by the server: answers what a process that comes later has to know, at the position of the entry that came last. */
  onSnapshot?: (() => ChatSnapshot) | undefined;
  /** Told by the server when the others have declared this process gone: it has to begin anew as another one. */
  givenUp?(): void;
  /** Set by the server: takes out of the heap what another process has removed from the store. */
  onForget?: ((wish: RemovalWish) => void) | undefined;
  /** Adds an entry; it comes back through the consumer, possibly before this call returns. Must not throw. */
  append(draft: Draft): void;
  /** Writes what is under way, and stops delivery. Idempotent. */
  close(): void | Promise<void>;
}

/** Which part of a room's past is wanted: the newest before a position, or the oldest after it. */
export interface StoredWish {
  readonly before?: number;
  readonly after?: number;
  /** Entries, at the most. */
  readonly limit: number;
  /** Bytes of names and bodies, at the most; one entry always fits. */
  readonly maxBytes: number;
}

/** A part of a room's past. */
export interface StoredPage {
  /** Messages and notices of the room, oldest first, without a hole but for `damaged`. Owned. */
  readonly entries: readonly LogEntry[];
  /** Position in the room before the first of them: 0 when there is none. */
  readonly previous: number;
  /** Whether nothing lies beyond in the direction that was asked for. */
  readonly end: boolean;
  /** Positions that were there and cannot be read any more. */
  readonly damaged: readonly { readonly from: number; readonly to: number }[];
}

/** A part of all that is stored, in the order of the log. */
export interface StoredScan {
  /** Oldest first, claims and direct messages included; some may lie before the position that was asked for. Owned. */
  readonly entries: readonly (LogEntry & {
    /** It is in the log, and changed nothing. */
    readonly isVoid: boolean;
  })[];
  /** Positions behind the one that was asked for, both ends included, that are not stored any more. */
  readonly missing: readonly { readonly from: number; readonly to: number }[];
  /** The position to go on from; `undefined` at the end. */
  readonly next: number | undefined;
}

/** What a search looks for, beside its words. */
export interface SearchScope {
  /** Keys of the rooms that may be looked at. */
  readonly rooms: readonly string[];
  /** Name of the sender, as it was written. */
  readonly from?: string;
  readonly before?: number;
  /** Hits, at the most. */
  readonly limit: number;
}

/** A message that was found. */
export interface SearchHit {
  readonly room: string;
  readonly seq: number;
  readonly at: number;
  readonly sender: number;
  readonly name: string;
  /** The text around the words that were found. */
  readonly snippet: string;
  /** Where they stand in it: pairs of begin and end in UTF-16 units. */
  readonly marks: readonly (readonly [from: number, to: number])[];
}

/** What a search has found. */
export interface FoundPage {
  /** The newest first. */
  readonly hits: readonly SearchHit[];
  /** All from here on was looked at, and there may be more before it; `undefined` when there is not. */
  readonly next: number | undefined;
  /** Whether there is something newer that cannot be found yet. */
  readonly isBehind: boolean;
}

/** What is to be forgotten: everything that all of its fields are true of. */
export interface RemovalWish {
  /** Key of the room, or of an inbox. */
  readonly room?: string;
  /** Name of the member who said it, as it was written. */
  readonly name?: string;
  /** Id of that member. */
  readonly member?: number;
}

/** Answers for what is older than the heap. */
export interface EventStore {
  /** A page of the past of a room, by its key; the newest where the wish has no position. */
  read(room: string, wish: StoredWish, signal?: AbortSignal): Promise<StoredPage>;
  /**
   * Finds messages, within a bounded time.
   *
   * @returns `undefined` where nothing can be searched
   */
  search(query: string, scope: SearchScope, signal?: AbortSignal): Promise<FoundPage | undefined>;
  /** Reads all rooms behind a position, a part at a time. */
  scan?(after: number): Promise<StoredScan>;
  /** Removes what is there now; resolves with how many entries went, when they are gone. */
  remove?(wish: RemovalWish): Promise<number>;
}
