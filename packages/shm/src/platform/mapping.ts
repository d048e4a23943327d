/**
 * Maps open files into memory, once per thread and file: whoever asks again while the mapping is in use gets the same memory.
 *
 * mmap-io itself maps anew each time, counts in int32 without looking, and names errors in text; sizes are therefore
 * checked by the caller against the file before it comes here, and errors get codes here. A worker thread has mappings of
 * its own, at other addresses, of the same memory.
 *
 * The last user of a mapping lets go of the file at once. Its addresses stay reserved, so that a view that somebody kept reads zeros and
 * never crashes, until the garbage collector finds the buffer. The collector is not told how large that is, so a process that opens
 * and closes large segments in a row would run out of addresses: beyond {@link RESERVED_BYTES} the oldest are given back by detaching
 * the buffer, and such a view has no elements. That is not done at once, since V8 checks every access to a typed array
 * from the first detach on.
 *
 * The tables below are module state: they describe the address space of the thread.
 */
import { fstatSync } from 'node:fs';
import { ShmError } from '../errors.js';
import { loadAddon, type ShmAddon } from './addon.js';

/** A file in memory. */
export interface Mapping {
  readonly bytes: Uint8Array;
  readonly words: Int32Array;
  /** Which file it is. */
  readonly file: { readonly dev: number; readonly ino: number };
  /** Whether stores are allowed. A store to a read-only mapping kills the process (SIGSEGV). */
  readonly writable: boolean;
  /** Gives the mapping back; the last one to do so unmaps the file. To be called once. */
  release(): void;
}

interface Entry {
  readonly bytes: Uint8Array;
  readonly words: Int32Array;
  users: number;
}

/** Addresses of closed mappings that may stay reserved. */
const RESERVED_BYTES = 2 ** 30;
/** Smaller ones are left to the collector: a million of them fit. */
const LARGE_BYTES = 2 ** 20;

const mapped = new Map<string, Entry>();
/** Large mappings that are closed, the oldest first. */
const reserved: { readonly bytes: Uint8Array; readonly size: number }[] = [];
let reservedBytes = 0;
let addon: ShmAddon | undefined;

/**
 * Maps the first `totalBytes` of the open file `fd`, shared with every process that maps it. The file may be closed
 * afterwards. `totalBytes` must be a positive multiple of {@link pageBytes} below 2 GiB, and not more than the file has.
 *
 * @throws {@link ShmError} `ERR_SHM_MAP_FAILED`, `ERR_SHM_ADDON_MISSING`, `ERR_SHM_UNSUPPORTED`
 */
export function mapFile(fd: number, totalBytes: number, writable: boolean): Mapping {
  const { dev, ino } = fstatSync(fd);
  // While it is mapped, an inode is not given to another file.
  const key = `${dev}:${ino}:${writable ? 'rw' : 'r'}`;
  let entry = mapped.get(key);
  if (entry === undefined) {
    entry = map(fd, totalBytes, writable);
    mapped.set(key, entry);
  }
  const held = entry;
  held.users++;
  return {
    bytes: held.bytes,
    words: held.words,
    file: { dev, ino },
    writable,
    release(): void {
      if (--held.users > 0) return;
      mapped.delete(key);
      unmap(held.bytes);
    },
  };
}

function unmap(bytes: Uint8Array): void {
  const size = bytes.length;
  addon?.unmap(bytes);
  if (size < LARGE_BYTES) return;
  reserved.push({ bytes, size });
  reservedBytes += size;
  while (reservedBytes > RESERVED_BYTES) {
    const oldest = reserved.shift();
    if (oldest === undefined) break;
    reservedBytes -= oldest.size;
    addon?.giveBack(oldest.bytes);
  }
}

/**
 * Bytes of a page of this machine, which every size is a multiple of.
 *
 * @throws {@link ShmError} `ERR_SHM_ADDON_MISSING`, `ERR_SHM_UNSUPPORTED`
 */
export function pageBytes(): number {
  return loadedAddon().PAGESIZE;
}

/**
 * The addon, loaded once per thread.
 *
 * @throws {@link ShmError} `ERR_SHM_ADDON_MISSING`, `ERR_SHM_UNSUPPORTED`
 */
export function loadedAddon(): ShmAddon {
  addon ??= loadAddon();
  return addon;
}

function map(fd: number, totalBytes: number, writable: boolean): Entry {
  const addon = loadedAddon();
  const protection = writable ? addon.PROT_READ | addon.PROT_WRITE : addon.PROT_READ;
  let bytes: Uint8Array;
  try {
    const buffer = addon.map(totalBytes, protection, addon.MAP_SHARED, fd);
    bytes = new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
  } catch (error) {
    // "mmap failed, 12": the errno is all there is.
    const reason = error instanceof Error ? error.message : String(error);
    throw new ShmError('ERR_SHM_MAP_FAILED', `mapping ${totalBytes} bytes: ${reason}`, { cause: error });
  }
  return { bytes, words: new Int32Array(bytes.buffer, bytes.byteOffset, totalBytes / 4), users: 0 };
}
