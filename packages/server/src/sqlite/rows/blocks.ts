/** Block rows: read with their checksum, and never without it. */

import { type Block, type BlockEntry, findRecords, type RecordPlace, readBlock } from '../../log/block.js';
import type { SqliteDatabase, SqliteRow, SqliteStatement } from '../driver.js';
import { crc32 } from '../file/crc32.js';

/** A row of `block`. `bytes` is undefined where they are not those that were written. */
export interface StoredBlock {
  readonly first: number;
  readonly last: number;
  readonly at: number;
  readonly crc: number;
  readonly bytes: Uint8Array | undefined;
}

/** What is stored beside the bytes of a block. */
export function blockCrc({ first, last, at, bytes }: Block): number {
  return crc32(bytes, crc32(`${first} ${last} ${at} `));
}

export class Blocks {
  readonly #one: SqliteStatement;
  readonly #before: SqliteStatement;
  readonly #after: SqliteStatement;

  constructor(database: SqliteDatabase) {
    const columns = 'SELECT first, last, at, crc, bytes FROM block';
    this.#one = database.prepare(`${columns} WHERE first = ?`);
    this.#before = database.prepare(`${columns} WHERE first < ? ORDER BY first DESC LIMIT 1`);
    this.#after = database.prepare(`${columns} WHERE first > ? ORDER BY first LIMIT 1`);
  }

  /** The block that begins at `first`; `undefined` when there is none. */
  read(first: number): StoredBlock | undefined {
    return verify(this.#one.get(first));
  }

  /** The newest block that begins before `position`. */
  readBefore(position: number): StoredBlock | undefined {
    return verify(this.#before.get(position));
  }

  /** The oldest block that begins after `position`. */
  readAfter(position: number): StoredBlock | undefined {
    return verify(this.#after.get(position));
  }
}

/** The entries of a block; `undefined` when they cannot be told. */
export function entriesOf({ bytes, first }: StoredBlock): BlockEntry[] | undefined {
  if (!bytes) return undefined;
  try {
    return readBlock(bytes, first);
  } catch {
    return undefined;
  }
}

/** A block that is kept. */
interface CachedBlock {
  readonly bytes: Uint8Array;
  readonly crc: number;
  /** Where the records lie of the rooms that were asked for. */
  readonly rooms: Map<string, readonly RecordPlace[]>;
}

/** Records of one room in one block. */
export interface RoomRecords {
  readonly bytes: Uint8Array;
  readonly places: readonly RecordPlace[];
}

/** Keeps the blocks that were read last: whoever reads a room reads on in the same blocks. */
export class BlockCache {
  readonly #blocks: Blocks;
  readonly #crc: SqliteStatement;
  readonly #maxBytes: number;
  readonly #cached: Map<number, CachedBlock> = new Map();
  #bytes = 0;

  constructor(database: SqliteDatabase, maxBytes: number) {
    this.#blocks = new Blocks(database);
    this.#crc = database.prepare('SELECT crc FROM block WHERE first = ?');
    this.#maxBytes = maxBytes;
  }

  /** What is shown in a room, in the block that begins at `first`; `undefined` when the block is not what was written. */
  read(first: number, room: string): RoomRecords | undefined {
    const block = this.#fresh(first) ?? this.#load(first);
    if (!block) return undefined;
    const { bytes, rooms } = block;
    try {
      const places = rooms.get(room) ?? findRecords(bytes, first, room);
      rooms.set(room, places);
      return { bytes, places };
    } catch {
      return undefined;
    }
  }

  /** The block as it is kept, if it is still that. */
  #fresh(first: number): CachedBlock | undefined {
    const cached = this.#cached.get(first);
    if (!cached) return undefined;
    this.#drop(first, cached);
    // Removals change a block, and with it the checksum.
    if (this.#crc.get(first)?.crc !== cached.crc) return undefined;
    this.#keep(first, cached);
    return cached;
  }

  #load(first: number): CachedBlock | undefined {
    const block = this.#blocks.read(first);
    if (!block?.bytes) return undefined;
    const cached = { bytes: block.bytes, crc: block.crc, rooms: new Map() };
    this.#keep(first, cached);
    return cached;
  }

  #keep(first: number, block: CachedBlock): void {
    this.#cached.set(first, block);
    this.#bytes += block.bytes.length;
    for (const [oldest, other] of this.#cached) {
      if (this.#bytes <= this.#maxBytes || oldest === first) return;
      this.#drop(oldest, other);
    }
  }

  #drop(first: number, { bytes }: CachedBlock): void {
    this.#cached.delete(first);
    this.#bytes -= bytes.length;
  }
}

function verify(row: SqliteRow | undefined): StoredBlock | undefined {
  if (!row) return undefined;
  const { first, last, at, crc, bytes } = row as Record<string, number> & { bytes: unknown };
  const block = { first: first!, last: last!, at: at! };
  const isWhole = bytes instanceof Uint8Array && blockCrc({ ...block, bytes }) === crc;
  return { ...block, crc: crc!, bytes: isWhole ? bytes : undefined };
}
