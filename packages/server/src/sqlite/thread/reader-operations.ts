/** What the thread that reads old history does when it is called. */
import type { StoredWish } from '../../log/event-log.js';
import { type PackedPage, type PackedScan, StoreReader, type StoreReaderOptions } from '../store-reader.js';
import { Transferred } from './transferred.js';

export interface ReaderOperations {
  read(argument: { readonly room: string; readonly wish: StoredWish }): Transferred<PackedPage>;
  scan(argument: { readonly after: number; readonly name?: Uint8Array }): Transferred<PackedScan>;
  close(argument: undefined): void;
}

export function readerOperations(options: StoreReaderOptions): ReaderOperations {
  const reader = new StoreReader(options);
  return {
    read: ({ room, wish }) => transferBytes(reader.read(room, wish)),
    scan: ({ after, name }) => transferBytes(reader.scan(after, name)),
    close: () => reader.close(),
  };
}

function transferBytes<T extends { readonly bytes: Uint8Array }>(page: T): Transferred<T> {
  // Small buffers of Node share one: what goes over has to have its own.
  const bytes = Uint8Array.from(page.bytes);
  return new Transferred({ ...page, bytes }, [bytes.buffer as ArrayBuffer]);
}
