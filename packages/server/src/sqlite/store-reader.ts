/**
 * Reads what is stored, over a connection that does not write. Runs in a thread of its own, so that a reader of old
 * history never waits for a flush, and nobody who writes waits for a reader.
 */
import { join } from 'node:path';
import type { RecordPlace } from '../log/block.js';
import type { StoredPage, StoredWish } from '../log/event-log.js';
import { findDriver, type SqliteDatabase, type SqliteDriver, type SqliteStatement } from './driver.js';
import { readVersion } from './file/migrate.js';
import { StoreFiles } from './file/store-file.js';
import { BlockCache, Blocks, entriesOf, type RoomRecords, type StoredBlock } from './rows/blocks.js';
import { streamName } from './rows/streams.js';
import { storeError } from './store-error.js';

/** Positions, both ends included, that were stored and cannot be read any more. */
type Damage = StoredPage['damaged'][number];

/** Entries of one room, as they travel between threads. */
export interface PackedPage {
  /** Records, oldest first, and the position of each. */
  readonly bytes: Uint8Array;
  readonly positions: Float64Array;
  /** Position of the entry before the first, also when that was removed; 0: there never was one. */
  readonly previous: number;
  /** Whether nothing lies beyond in the direction that was asked for. */
  readonly end: boolean;
  readonly damaged: readonly Damage[];
}

/** Entries of any room, as they travel between threads. */
export interface PackedScan {
  readonly bytes: Uint8Array;
  readonly positions: Float64Array;
  /** Where to go on; `undefined` at the end. */
  readonly next: number | undefined;
  /** What is damaged, or was removed with all that was stored beside it. */
  readonly missing: readonly Damage[];
}

/** A row of `part`. */
interface Part {
  readonly first: number;
  readonly last: number;
  readonly previous: number;
  readonly block: number;
}

/** Blocks that a reader keeps, in bytes. */
const CACHE_BYTES = 33_554_432;
/** Rows that are read ahead at first: a page of a busy room lies in one or two blocks. Then twice as many each time. */
const FIRST_PARTS = 4;
const MOST_PARTS = 64;
/** Blocks that one scan reads before others have their turn. */
const BLOCKS_PER_SCAN = 64;

export interface StoreReaderOptions {
  readonly directory: string;
  /** @defaultValue the one that {@link findDriver} finds */
  readonly driver?: SqliteDriver;
}

/** Opens the database of a folder for reading. The folder must be open for writing, in this process or another. */
export function openForReading(driver: SqliteDriver, path: string): SqliteDatabase {
  const database = driver.open(path);
  // Not every library opens a file for reading only. A reader must not checkpoint either.
  database.exec('PRAGMA query_only = ON; PRAGMA wal_autocheckpoint = 0; PRAGMA busy_timeout = 5000');
  try {
    readVersion(database);
  } catch (error) {
    database.close();
    throw error;
  }
  return database;
}

/** Has `read` see one state of the database, whatever is written meanwhile. */
export function inOneView<T>(database: SqliteDatabase, read: () => T): T {
  database.exec('BEGIN');
  try {
    return read();
  } finally {
    // To be ended before the database is closed: that alone does not end what a library still holds.
    database.exec('ROLLBACK');
  }
}

export class StoreReader {
  readonly #directory: string;
  readonly #database: SqliteDatabase;
  readonly #blocks: Blocks;
  readonly #cache: BlockCache;
  readonly #stream: SqliteStatement;
  /** Up to where entries were removed, of whatever stream. */
  readonly #cut: SqliteStatement;
  readonly #partsBefore: SqliteStatement;
  readonly #partsAfter: SqliteStatement;
  readonly #partBefore: SqliteStatement;

  constructor({ directory, driver = findDriver() }: StoreReaderOptions) {
    this.#directory = directory;
    this.#database = openForReading(driver, join(directory, StoreFiles.Database));
    this.#blocks = new Blocks(this.#database);
    this.#cache = new BlockCache(this.#database, CACHE_BYTES);
    const parts = 'SELECT first, last, previous, block FROM part WHERE stream = ?';
    this.#stream = this.#database.prepare('SELECT id, cut FROM stream WHERE kind = ? AND name = ?');
    this.#cut = this.#database.prepare('SELECT coalesce(max(cut), 0) AS cut FROM stream');
    this.#partsBefore = this.#database.prepare(`${parts} AND first < ? ORDER BY first DESC LIMIT ?`);
    this.#partsAfter = this.#database.prepare(`${parts} AND first >= ? ORDER BY first LIMIT ?`);
    this.#partBefore = this.#database.prepare(`${parts} AND first <= ? ORDER BY first DESC LIMIT 1`);
  }

  /**
   * A page of the room with the key `room`.
   *
   * @throws ServerError
   */
  read(room: string, wish: StoredWish): PackedPage {
    return this.#inOneView(() => {
      const { kind, name } = streamName(room);
      const stream = this.#stream.get(kind, name) as { id: number; cut: number } | undefined;
      if (!stream) return new Page(room, wish).close(0, true);
      const { id, cut } = stream;
      const page = new Page(room, wish);
      if (wish.after !== undefined) return this.#readUp(id, cut, wish.after, page);
      return this.#readDown(id, cut, wish.before ?? Number.MAX_SAFE_INTEGER, page);
    });
  }

  /**
   * Entries after a position in the order of the log, of one member's name or of all; with them what lies before it in the
   * same block.
   */
  scan(after: number, memberName?: Uint8Array): PackedScan {
    return this.#inOneView(() => {
      const records: Uint8Array[] = [];
      const positions: number[] = [];
      const missing: Damage[] = [];
      const begun = this.#blocks.readBefore(after + 1);
      // That block may go on behind the position.
      let next: number | undefined = begun && begun.last > after ? begun.first - 1 : after;
      let reached = after;
      for (let count = 0; count < BLOCKS_PER_SCAN; count++) {
        const block: StoredBlock | undefined = this.#blocks.readAfter(next);
        if ((!begun && count === 0) || !block) {
          // Positions alone say nothing: of signals there is no block.
          const to = Math.min(this.#cut.get()!.cut as number, (block?.first ?? Infinity) - 1);
          if (to > reached) missing.push({ from: reached + 1, to });
        }
        next = block?.last;
        if (!block || next === undefined) break;
        reached = Math.max(reached, next);
        const entries = entriesOf(block);
        if (!entries) missing.push({ from: Math.max(block.first, after + 1), to: block.last });
        let start = 0;
        for (const { name, body, seq } of entries ?? []) {
          const end = body.byteOffset + body.length - block.bytes!.byteOffset;
          if (!memberName || Buffer.compare(name, memberName) === 0) {
            records.push(block.bytes!.subarray(start, end));
            positions.push(seq);
          }
          start = end;
        }
      }
      return { bytes: Buffer.concat(records), positions: Float64Array.from(positions), next, missing };
    });
  }

  close(): void {
    this.#database.close();
  }

  /** The newest entries before a position. Parts are read from the newest, and each must join on to the next. */
  #readDown(stream: number, cut: number, before: number, page: Page): PackedPage {
    let joint: number | undefined;
    let count = FIRST_PARTS;
    for (let parts = this.#partsBefore.all(stream, before, count); parts.length > 0; ) {
      for (const part of parts as unknown as Part[]) {
        if (joint !== undefined) page.addDamage(part.last + 1, joint);
        const records = this.#recordsOf(part, page.room);
        if (!records) page.addDamage(part.first, Math.min(part.last, before - 1));
        const places = records?.places ?? [];
        for (let i = places.length - 1; i >= 0; i--) {
          const place = places[i]!;
          if (place.seq >= before) continue;
          if (!page.add(records!, place)) return page.close(place.seq, false);
        }
        joint = part.previous;
        if (page.isFull) return page.close(joint, !this.#partBefore.get(stream, part.first - 1));
      }
      count = Math.min(2 * count, MOST_PARTS);
      parts = this.#partsBefore.all(stream, parts.at(-1)!.first as number, count);
    }
    if (joint !== undefined) page.addDamage(cut + 1, joint);
    return page.close(Math.min(joint ?? cut, cut), true);
  }

  /** The oldest entries after a position. */
  #readUp(stream: number, cut: number, after: number, page: Page): PackedPage {
    const before = this.#partBefore.get(stream, after) as Part | undefined;
    let joint = before ? Math.min(before.last, after) : cut;
    let previous: number | undefined;
    // The part in which `after` lies may have more behind it.
    const from = before && before.last > after ? before.first : after + 1;
    let count = FIRST_PARTS;
    for (let parts = this.#partsAfter.all(stream, from, count); parts.length > 0; ) {
      for (const part of parts as unknown as Part[]) {
        const records = this.#recordsOf(part, page.room);
        // The part in which `after` lies joins on to it by itself.
        if (part.first > after) {
          page.addDamage(Math.max(joint, cut, after) + 1, part.previous);
          previous ??= part.previous;
        }
        if (!records) page.addDamage(Math.max(part.first, after + 1), part.last);
        for (const place of records?.places ?? []) {
          if (place.seq <= after) previous = place.seq;
          else if (!page.add(records!, place)) return page.close(previous ?? after, false);
        }
        previous ??= after;
        joint = part.last;
      }
      count = Math.min(2 * count, MOST_PARTS);
      parts = this.#partsAfter.all(stream, joint + 1, count);
    }
    return page.close(previous ?? joint, true);
  }

  /** The records of a part; `undefined` when the block is damaged, or not what the part says. */
  #recordsOf({ block: first, first: from, last }: Part, room: string): RoomRecords | undefined {
    const records = this.#cache.read(first, room);
    const isRight = records?.places[0]?.seq === from && records.places.at(-1)?.seq === last;
    return isRight ? records : undefined;
  }

  /** Rows and blocks of one state of the database, whatever is written meanwhile. */
  #inOneView<T>(read: () => T): T {
    try {
      return inOneView(this.#database, read);
    } catch (error) {
      throw storeError(error, this.#directory);
    }
  }
}

/** A record, and the bytes of its block. */
interface PageRecord extends RecordPlace {
  readonly bytes: Uint8Array;
}

/** Records one behind the other, in memory of their own. Those that are neighbours in a block are copied together. */
function joined(records: readonly PageRecord[]): Uint8Array {
  const all = new Uint8Array(records.reduce((sum, { start, end }) => sum + end - start, 0));
  let used = 0;
  for (let next = 0; next < records.length; ) {
    const { bytes, start, end: firstEnd } = records[next++]!;
    let end = firstEnd;
    while (records[next]?.bytes === bytes && records[next]!.start === end) end = records[next++]!.end;
    all.set(bytes.subarray(start, end), used);
    used += end - start;
  }
  return all;
}

/** Collects a page until it is full. */
class Page {
  readonly room: string;
  #entriesLeft: number;
  #bytesLeft: number;
  #isFull = false;
  readonly #records: PageRecord[] = [];
  readonly #damaged: Damage[] = [];

  constructor(room: string, { limit, maxBytes }: StoredWish) {
    this.room = room;
    this.#entriesLeft = limit;
    this.#bytesLeft = maxBytes;
  }

  get isFull(): boolean {
    return this.#isFull || this.#entriesLeft <= 0;
  }

  /** Adds an entry. Answers false when there is no space for it. */
  add({ bytes }: RoomRecords, { seq, start, end }: RecordPlace): boolean {
    const isFirst = this.#records.length === 0;
    if (this.isFull || (!isFirst && end - start > this.#bytesLeft)) {
      this.#isFull = true;
      return false;
    }
    this.#entriesLeft--;
    this.#bytesLeft -= end - start;
    this.#records.push({ seq, start, end, bytes });
    return true;
  }

  /** Tells of entries that were there, unless `to` lies before `from`. They take the place of one entry. */
  addDamage(from: number, to: number): void {
    if (to < from) return;
    this.#entriesLeft--;
    this.#damaged.push({ from, to });
  }

  /** The page as it travels. */
  close(previous: number, end: boolean): PackedPage {
    const records = this.#records.sort((one, other) => one.seq - other.seq);
    return {
      bytes: joined(records),
      positions: Float64Array.from(records, ({ seq }) => seq),
      previous,
      end,
      damaged: this.#damaged.sort((one, other) => one.from - other.from),
    };
  }
}
