/** Block rows: read with their checksum, and never without it. */

import { type Block, type BlockEntry, readBlock } from '../../log/block.js';
import type { SqliteDatabase, SqliteRow, SqliteStatement } from '../driver.js';
import { crc32 } from '../file/crc32.js';

/** A row of `block`. `bytes` is undefined where they are not those that were written. */
export interface StoredBlock {
  readonly first: number;
  readonly last: number;
  readonly at: number;
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

function verify(row: SqliteRow | undefined): StoredBlock | undefined {
  if (!row) return undefined;
  const { first, last, at, crc, bytes } = row as Record<string, number> & { bytes: unknown };
  const block = { first: first!, last: last!, at: at! };
  const isWhole = bytes instanceof Uint8Array && blockCrc({ ...block, bytes }) === crc;
  return { ...block, bytes: isWhole ? bytes : undefined };
}
