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

function transferBytes<T extends { readonly bytes: Uint8Array; readonly positions: Float64Array }>(
  page: T,
): Transferred<T> {
  const { positions } = page;
  // Small buffers of Node share one: what goes over has to have its own.
  const isAlone = page.bytes.length === page.bytes.buffer.byteLength;
  const bytes = isAlone ? page.bytes : Uint8Array.from(page.bytes);
  return new Transferred({ ...page, bytes }, [bytes.buffer as ArrayBuffer, positions.buffer as ArrayBuffer]);
}
