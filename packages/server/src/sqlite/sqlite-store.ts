/** What is stored, for those who ask: old history, search, and what a member may want to have or to have gone. */
import { ServerError, ServerErrorCode } from '../errors.js';
import { readRecords } from '../log/block.js';
import type { LogEntry } from '../log/entry.js';
import type {
  EventStore,
  FoundPage,
  RemovalWish,
  SearchScope,
  StoredPage,
  StoredScan,
  StoredWish,
} from '../log/event-log.js';
import type { PackedScan } from './store-reader.js';
import type { ReaderOperations } from './thread/reader-operations.js';
import type { SearchOperations } from './thread/search-operations.js';
import { StoreThread } from './thread/store-thread.js';

type ClosableThread = StoreThread<{ close(argument: undefined): void }>;

export class SqliteStore implements EventStore {
  readonly #directory: string;
  readonly #removeStored: (wish: RemovalWish) => Promise<number>;
  readonly #hasSearch: boolean;
  // Those threads are started when they are needed.
  #readerThread: StoreThread<ReaderOperations> | undefined;
  #searchThread: StoreThread<SearchOperations> | undefined;
  #isClosed = false;
  #slowQueries = 0;

  /**
   * @internal
   * @param removeStored what the connection that writes does
   */
  constructor(directory: string, removeStored: (wish: RemovalWish) => Promise<number>, hasSearch: boolean) {
    this.#directory = directory;
    this.#removeStored = removeStored;
    this.#hasSearch = hasSearch;
    if (hasSearch) this.#search();
  }

  /** Searches that answered less than they might have, because their time was over. */
  get slowQueries(): number {
    return this.#slowQueries;
  }

  /** A page of the room with the key `room`. */
  async read(room: string, wish: StoredWish, signal?: AbortSignal): Promise<StoredPage> {
    signal?.throwIfAborted();
    const { bytes, positions, previous, end, damaged } = await this.#reader().call('read', { room, wish });
    signal?.throwIfAborted();
    return { entries: readRecords(bytes, positions), previous, end, damaged };
  }

  /**
   * Finds messages that have all the words of a query, the newest first: words in any script, "phrases", begin*. What was
   * said in the last moment is found, too, unless the server is very busy.
   *
   * @returns `undefined` where search is off
   * @throws ServerError `ERR_SERVER_STORE_BUSY` when 16 searches wait already
   */
  async search(query: string, scope: SearchScope, signal?: AbortSignal): Promise<FoundPage | undefined> {
    signal?.throwIfAborted();
    if (!this.#hasSearch) return undefined;
    const { isCutShort, ...page } = await this.#search().call('search', { query, scope });
    if (isCutShort) this.#slowQueries++;
    signal?.throwIfAborted();
    return page;
  }

  /**
   * Removes what was said in a room, by a member, or by a member in a room, up to now. Resolves when it is gone from the
   * files.
   *
   * @returns how many entries went
   */
  async remove(wish: RemovalWish): Promise<number> {
    const removed = await this.#removeStored(wish);
    if (this.#hasSearch) await this.#search().call('remove', wish);
    return removed;
  }

  /** Everything that is stored in the order of the log, or what was said under one name. */
  async *entries(
    options: { readonly name?: string; readonly after?: number } = {},
  ): AsyncIterableIterator<LogEntry> {
    const name = options.name === undefined ? {} : { name: new TextEncoder().encode(options.name) };
    for (let next: number | undefined = options.after ?? 0; next !== undefined; ) {
      const page: PackedScan = await this.#reader().call('scan', { after: next, ...name });
      for (const entry of readRecords(page.bytes, page.positions)) if (entry.seq > next) yield entry;
      next = page.next;
    }
  }

  /** Reads all rooms behind a position, some blocks at a time. */
  async scan(after: number): Promise<StoredScan> {
    const { bytes, positions, missing, next } = await this.#reader().call('scan', { after });
    return { entries: readRecords(bytes, positions), missing, next };
  }

  /** @internal */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#end(this.#readerThread as ClosableThread | undefined);
    await this.#end(this.#searchThread as ClosableThread | undefined);
  }

  async #end(thread: ClosableThread | undefined): Promise<void> {
    // It has only read, or written what can be made again.
    await thread?.call('close', undefined).catch(() => undefined);
    await thread?.terminate();
  }

  #reader(): StoreThread<ReaderOperations> {
    this.#assertOpen();
    this.#readerThread ??= new StoreThread('reader', { directory: this.#directory });
    return this.#readerThread;
  }

  #search(): StoreThread<SearchOperations> {
    this.#assertOpen();
    this.#searchThread ??= new StoreThread('search', { directory: this.#directory });
    return this.#searchThread;
  }

  #assertOpen(): void {
    if (this.#isClosed) throw new ServerError(ServerErrorCode.Closed, 'the store is closed');
  }
}
