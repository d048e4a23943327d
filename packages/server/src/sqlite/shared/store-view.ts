/**
 * What is stored, for a process that is not the one which writes: it reads the file itself, in a thread of its own, and asks
 * the one that writes for what only that can do.
 */
import type {
  EventStore,
  FoundPage,
  RemovalWish,
  SearchScope,
  StoredPage,
  StoredScan,
  StoredWish,
} from '../../log/event-log.js';
import { SqliteStore } from '../sqlite-store.js';

/** What the process is asked for that writes. */
export interface StoreWriterPort {
  /** As `EventStore.search`. */
  search(query: string, scope: SearchScope): Promise<FoundPage | undefined>;
  /** As `EventStore.remove`. */
  remove(wish: RemovalWish): Promise<number>;
}

/** Options of {@link openStoreView}. */
export interface StoreViewOptions {
  /** Folder of the store, which another process has open. */
  readonly directory: string;
  readonly writer: StoreWriterPort;
}

/** Reads a store that another process has open. */
export function openStoreView(options: StoreViewOptions): StoreView {
  return new StoreView(options);
}

/** The past, as another process stores it. Made by {@link openStoreView}. */
export class StoreView implements EventStore {
  readonly #files: SqliteStore;
  readonly #writer: StoreWriterPort;

  /** @internal */
  constructor({ directory, writer }: StoreViewOptions) {
    this.#writer = writer;
    this.#files = new SqliteStore(directory, (wish) => writer.remove(wish), false);
  }

  read(room: string, wish: StoredWish, signal?: AbortSignal): Promise<StoredPage> {
    return this.#files.read(room, wish, signal);
  }

  async search(query: string, scope: SearchScope, signal?: AbortSignal): Promise<FoundPage | undefined> {
    signal?.throwIfAborted();
    const page = await this.#writer.search(query, scope);
    signal?.throwIfAborted();
    return page;
  }

  scan(after: number): Promise<StoredScan> {
    return this.#files.scan(after);
  }

  remove(wish: RemovalWish): Promise<number> {
    return this.#writer.remove(wish);
  }

  /** Closes the files of this process; the one that writes goes on. */
  close(): Promise<void> {
    return this.#files.close();
  }
}
