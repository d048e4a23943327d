/**
 * The one connection that writes. Runs in the thread of the store; everything here blocks.
 *
 * Blocks that come together are one transaction: the blocks, and which streams have entries in them. When `write`
 * returns they are stored as safely as the durability says.
 */
import { type Block, readBlock } from '../log/block.js';
import { findDriver, type SqliteDatabase, type SqliteDriver, type SqliteStatement } from './driver.js';
import { type Loss, StoreFile } from './file/store-file.js';
import { blockCrc } from './rows/blocks.js';
import { streamName } from './rows/streams.js';
import { storeError } from './store-error.js';

export interface StoreWriterOptions {
  readonly directory: string;
  readonly durability: 'process' | 'disk';
  /** @defaultValue the one that {@link findDriver} finds */
  readonly driver?: SqliteDriver;
  /** Names this start of the machine; the system knows it by itself. */
  readonly bootId?: string;
}

/** What was found in the folder. */
export interface OpenedStore {
  readonly epoch: string;
  /** Position after which entries go on. */
  readonly position: number;
  readonly loss: Loss | undefined;
  /** Name of the SQLite library. */
  readonly driver: string;
}

/** A stream as the writer knows it. */
interface Stream {
  readonly id: number;
  /** Position of its newest entry, 0 when there never was one. */
  last: number;
}

/** Entries of one stream within one block. */
interface Part {
  readonly stream: Stream;
  readonly first: number;
  last: number;
  entries: number;
  bytes: number;
}

export class StoreWriter {
  readonly #directory: string;
  readonly #file: StoreFile;
  readonly #database: SqliteDatabase;
  readonly #driver: SqliteDriver;
  readonly #statements: ReturnType<typeof prepare>;
  readonly #streams: Map<string, Stream> = new Map();

  /** @throws ServerError as {@link StoreFile} does, and `ERR_SERVER_SQLITE_MISSING` */
  constructor({ driver = findDriver(), ...options }: StoreWriterOptions) {
    this.#driver = driver;
    this.#directory = options.directory;
    this.#file = new StoreFile({ ...options, driver });
    this.#database = this.#file.database;
    this.#statements = prepare(this.#database);
  }

  get opened(): OpenedStore {
    const { epoch, position, loss } = this.#file;
    return { epoch, position, loss, driver: this.#driver.name };
  }

  /**
   * Stores blocks, all of them or none.
   *
   * @throws ServerError when none is stored
   */
  write(blocks: readonly Block[]): void {
    try {
      this.#database.exec('BEGIN IMMEDIATE');
      for (const block of blocks) this.#writeBlock(block);
      this.#database.exec('COMMIT');
      this.#file.keepPosition(blocks.at(-1)!.last);
    } catch (error) {
      this.#rollBack();
      // What they were before is in the database.
      this.#streams.clear();
      throw storeError(error, this.#directory);
    }
  }

  /** Tells that positions are given out which will not be stored. */
  goBeyond(): void {
    this.#file.goBeyond();
  }

  close(): void {
    this.#file.close();
  }

  #writeBlock(block: Block): void {
    const { first, last, at, bytes } = block;
    const { insertBlock, insertPart, addToTotal } = this.#statements;
    insertBlock.run(first, last, at, blockCrc(block), bytes);
    const parts = new Map<string, Part>();
    let entries = 0;
    for (const { room, seq, name, body } of readBlock(bytes, first)) {
      let part = parts.get(room);
      if (!part) {
        part = { stream: this.#stream(room), first: seq, last: seq, entries: 0, bytes: 0 };
        parts.set(room, part);
      }
      part.last = seq;
      part.entries++;
      part.bytes += name.length + body.length;
      entries++;
    }
    for (const { stream, first: partFirst, last: partLast, entries: count, bytes: size } of parts.values()) {
      insertPart.run(stream.id, partFirst, partLast, count, size, stream.last, first);
      stream.last = partLast;
    }
    addToTotal.run(last, entries, bytes.length);
  }

  /** The stream of a key; made when it is new. */
  #stream(key: string): Stream {
    const known = this.#streams.get(key);
    if (known) return known;
    const { findStream, insertStream, lastOfStream } = this.#statements;
    const { kind, name } = streamName(key);
    let row = findStream.get(kind, name);
    if (!row) {
      insertStream.run(kind, name);
      row = findStream.get(kind, name)!;
    }
    const { id, cut } = row as { id: number; cut: number };
    const stream = { id, last: (lastOfStream.get(id)?.last as number | undefined) ?? cut };
    this.#streams.set(key, stream);
    return stream;
  }

  #rollBack(): void {
    try {
      this.#database.exec('ROLLBACK');
    } catch {
      // SQLite has rolled back by itself, or no transaction had begun.
    }
  }
}

function prepare(database: SqliteDatabase) {
  const statement = (sql: string): SqliteStatement => database.prepare(sql);
  return {
    insertBlock: statement('INSERT INTO block (first, last, at, crc, bytes) VALUES (?, ?, ?, ?, ?)'),
    insertPart: statement(
      'INSERT INTO part (stream, first, last, entries, bytes, previous, block) VALUES (?, ?, ?, ?, ?, ?, ?)',
    ),
    addToTotal: statement('UPDATE total SET position = ?, entries = entries + ?, bytes = bytes + ?'),
    findStream: statement('SELECT id, cut FROM stream WHERE kind = ? AND name = ?'),
    insertStream: statement('INSERT INTO stream (kind, name) VALUES (?, ?)'),
    lastOfStream: statement('SELECT last FROM part WHERE stream = ? ORDER BY first DESC LIMIT 1'),
  };
}
