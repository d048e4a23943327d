/**
 * The one connection that writes. Runs in the thread of the store; everything here blocks.
 *
 * Blocks that come together are one transaction: the blocks, and which streams have entries in them. When `write`
 * returns they are stored as safely as the durability says.
 */
import { join } from 'node:path';
import { ServerError, ServerErrorCode } from '../errors.js';
import { areRecords, type Block, type BlockEntry, markVoid, readBlock } from '../log/block.js';
import type { RemovalWish } from '../log/event-log.js';
import type { StateSnapshot } from '../log/state/chat-state.js';
import type { Outcome } from '../log/state/outcome.js';
import { findDriver, type SqliteDatabase, type SqliteDriver, type SqliteStatement } from './driver.js';
import { ReserveFile } from './file/reserve-file.js';
import { type Loss, StoreFile, StoreFiles } from './file/store-file.js';
import { Retention, type StoreRetention } from './retention.js';
import { BlockEdits } from './rows/block-edits.js';
import { Blocks, blockCrc } from './rows/blocks.js';
import type { SentBlock } from './rows/process-rows.js';
import { Removals } from './rows/removals.js';
import { StateRows } from './rows/state-rows.js';
import { type StreamHead, StreamHeads } from './rows/stream-heads.js';
import { CLAIMS_KEY, streamKeyOf } from './rows/streams.js';
import { storeError } from './store-error.js';

export interface StoreWriterOptions {
  readonly directory: string;
  readonly durability: 'process' | 'disk';
  /** @defaultValue the one that {@link findDriver} finds */
  readonly driver?: SqliteDriver;
  /** @defaultValue everything is kept */
  readonly retention?: StoreRetention;
  /** Space that is kept for a full disk. @defaultValue 16 MiB */
  readonly reserveBytes?: number;
  /** Names this start of the machine; the system knows it by itself. */
  readonly bootId?: string;
  /** Whether what is stored comes from several processes that share the log. @defaultValue false */
  readonly isShared?: boolean;
}

/** A block to be stored. */
export interface WrittenBlock extends Block {
  /** Whose block it is, where several processes share the log. */
  readonly sent?: Omit<SentBlock, 'first'>;
}

const DEFAULT_RESERVE_BYTES = 16_777_216;
/** Pages that are free within the file, and are left there for what comes next. */
const FREE_PAGES = 64;
/** Pages that one step gives back. */
const PAGES_PER_STEP = 256;

/** What was found in the folder. */
export interface OpenedStore {
  readonly epoch: string;
  /** Position after which entries go on. */
  readonly position: number;
  readonly loss: Loss | undefined;
  /** Name of the SQLite library. */
  readonly driver: string;
  /** The state at that position. */
  readonly state: StateSnapshot;
}

/** Entries of one stream within one block. */
interface Part {
  readonly stream: StreamHead;
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
  readonly #streams: StreamHeads;
  readonly #state: StateRows;
  readonly #edits: BlockEdits;
  /** Of the blocks that are being written. */
  readonly #corrections: Extract<Outcome, { kind: 'corrected' }>[] = [];
  #mustEmptyJournal = false;
  readonly #removals: Removals;
  readonly #retention: Retention;
  readonly #reserve: ReserveFile;

  /** @throws ServerError as {@link StoreFile} does, and `ERR_SERVER_SQLITE_MISSING` */
  constructor({ driver = findDriver(), ...options }: StoreWriterOptions) {
    this.#driver = driver;
    this.#directory = options.directory;
    const { directory, reserveBytes = DEFAULT_RESERVE_BYTES } = options;
    this.#reserve = new ReserveFile(join(directory, StoreFiles.Reserve), reserveBytes);
    this.#file = openWithReserve(() => new StoreFile({ ...options, driver }), this.#reserve);
    this.#database = this.#file.database;
    try {
      this.#statements = prepare(this.#database);
      this.#streams = new StreamHeads(this.#database);
      this.#state = new StateRows(this.#database);
      this.#inTransaction(() => {
        if (options.isShared) this.#state.belongToMany(Date.now());
        else this.#state.belongToOne();
      });
      const edits = new BlockEdits(this.#database);
      this.#edits = edits;
      this.#removals = new Removals(this.#database, edits);
      this.#retention = new Retention(this.#database, edits, options.retention ?? {});
      this.#reserve.fill();
    } catch (error) {
      this.#file.abandon();
      throw storeError(error, this.#directory);
    }
  }

  get opened(): OpenedStore {
    const { epoch, position, loss } = this.#file;
    return { epoch, position, loss, driver: this.#driver.name, state: this.#state.snapshot };
  }

  /** The last block of each process that shares the log. */
  get sent(): readonly SentBlock[] {
    return this.#state.sent;
  }

  /**
   * Stores blocks, all of them or none.
   *
   * @throws ServerError when none is stored
   */
  write(blocks: readonly WrittenBlock[]): void {
    this.#inTransaction(() => {
      for (const block of blocks) this.#writeBlock(block);
      this.#state.write();
      this.#rewrite();
    });
    this.#file.keepPosition(blocks.at(-1)!.last);
  }

  /**
   * The newest blocks, oldest first, with `maxBytes` at the most, back to one that cannot be read: behind it nothing
   * is missing.
   */
  readTail(maxBytes: number): Block[] {
    const blocks = new Blocks(this.#database);
    const tail: Block[] = [];
    let left = maxBytes;
    let block = this.#guard(() => blocks.readBefore(Number.MAX_SAFE_INTEGER));
    while (block && left >= (block.bytes?.length ?? 0)) {
      const { first, bytes } = block;
      if (!bytes || !areRecords(bytes)) break;
      tail.push({ ...block, bytes });
      left -= bytes.length;
      block = this.#guard(() => blocks.readBefore(first));
    }
    return tail.reverse();
  }

  /**
   * The block that begins at `first`; without bytes when it was removed.
   *
   * @throws ServerError `ERR_SERVER_STORE_CORRUPT`
   */
  readBlock(first: number): Pick<Block, 'last' | 'bytes'> {
    const block = this.#guard(() => new Blocks(this.#database).read(first));
    if (!block) return { last: first, bytes: new Uint8Array(0) };
    const { last, bytes } = block;
    if (bytes) return { last, bytes };
    throw new ServerError(ServerErrorCode.StoreCorrupt, `block ${first} is damaged`);
  }

  /** As {@link StreamHeads.floors}. */
  readFloors(before: number = Number.MAX_SAFE_INTEGER): Map<string, number> {
    return this.#streams.floors(before);
  }

  /** How much is stored. */
  totals(): { entries: number; blockBytes: number; fileBytes: number } {
    const { entries, bytes } = this.#statements.total.get() as { entries: number; bytes: number };
    return { entries, blockBytes: bytes, fileBytes: this.#file.bytes };
  }

  /**
   * Begins to remove entries that are stored now; {@link StoreWriter.keepHouse} goes on with it, over restarts, too.
   *
   * @returns false when nothing is stored of what is to be removed
   */
  beginRemoval(wish: RemovalWish): boolean {
    return this.#inTransaction(() => this.#removals.begin(wish));
  }

  /** Whether a removal is under way. */
  get isRemoving(): boolean {
    return this.#removals.isPending;
  }

  /**
   * Does a small part of what can wait: removals, retention, giving space back.
   *
   * @param now milliseconds since 1970
   * @returns whether there was something to do, and the entries that were removed
   */
  keepHouse(now: number): { readonly worked: boolean; readonly removed: number } {
    if (this.#mustEmptyJournal) {
      this.#mustEmptyJournal = false;
      this.#checkpoint();
      return { worked: true, removed: 0 };
    }
    const wasRemoving = this.isRemoving;
    const removed = this.#inTransaction(() =>
      wasRemoving ? this.#removals.step() : this.#retention.step(now),
    );
    if (wasRemoving || removed > 0) {
      // What the newest entry of a stream is may have changed.
      this.#streams.forget();
      // What was removed is in the journal as well.
      if (wasRemoving && !this.isRemoving) this.#checkpoint();
      return { worked: true, removed };
    }
    const { freelist_count: free } = this.#database.prepare('PRAGMA freelist_count').get()!;
    if ((free as number) <= FREE_PAGES) return { worked: false, removed: 0 };
    this.#guard(() => this.#database.exec(`PRAGMA incremental_vacuum(${PAGES_PER_STEP})`));
    return { worked: true, removed: 0 };
  }

  /**
   * Makes room on a full disk: gives the reserve up, so that retention can work and the file can shrink.
   *
   * @param now milliseconds since 1970
   * @returns whether there is space for entries again
   */
  makeRoom(now: number): boolean {
    this.#reserve.giveUp();
    try {
      this.#checkpoint();
      while (this.keepHouse(now).worked);
      this.#checkpoint();
      return this.#reserve.hasSpace() && this.#reserve.fill();
    } catch {
      return false;
    }
  }

  /**
   * Stores blocks of another store, whose entries came to something there; what the state is then is said at the end.
   *
   * @throws ServerError when none is stored
   */
  import(blocks: readonly Block[], state?: StateSnapshot): void {
    this.#inTransaction(() => {
      for (const block of blocks) this.#writeBlock(block, () => false);
      if (state) this.#state.replace(state);
    });
    const last = blocks.at(-1)?.last;
    if (last !== undefined) this.#file.keepPosition(last);
  }

  /** Tells that positions are given out which will not be stored. */
  goBeyond(): void {
    this.#file.goBeyond();
  }

  close(): void {
    this.#file.close();
  }

  /** @param isVoid has the entry take effect, and answers whether it comes to nothing */
  #writeBlock(
    block: WrittenBlock,
    isVoid: (entry: BlockEntry) => boolean = (entry) => this.#apply(entry, block.sent?.process),
  ): void {
    const { first, last, at, bytes, sent } = block;
    const { insertBlock, insertPart, addToTotal } = this.#statements;
    const parts = new Map<string, Part>();
    const entries = readBlock(bytes, first);
    for (const entry of entries) {
      const cameToNothing = isVoid(entry);
      if (cameToNothing) markVoid(bytes, entry);
      const key = cameToNothing ? CLAIMS_KEY : streamKeyOf(entry);
      const { seq, name, body } = entry;
      let part = parts.get(key);
      if (!part) {
        part = { stream: this.#streams.of(key), first: seq, last: seq, entries: 0, bytes: 0 };
        parts.set(key, part);
      }
      part.last = seq;
      part.entries++;
      part.bytes += name.length + body.length;
    }
    insertBlock.run(first, last, at, blockCrc(block), bytes);
    for (const { stream, first: partFirst, last: partLast, entries: count, bytes: size } of parts.values()) {
      insertPart.run(stream.id, partFirst, partLast, count, size, stream.last, first);
      stream.last = partLast;
      this.#retention.touch(stream.id);
    }
    addToTotal.run(last, entries.length, bytes.length);
    if (sent) this.#state.addSent({ ...sent, first });
  }

  #apply(entry: BlockEntry, from: number | undefined): boolean {
    const outcome = this.#state.apply(entry, from);
    if (outcome.kind === 'corrected') this.#corrections.push(outcome);
    return outcome.kind === 'void' || outcome.kind === 'repeated';
  }

  /** Messages that were edited or taken back have their new body in the place of the old one. */
  #rewrite(): void {
    const corrections = this.#corrections.splice(0);
    if (corrections.length === 0) return;
    // What was said is written over, not only let go; the journal has it until it is emptied.
    this.#database.exec('PRAGMA secure_delete = ON');
    for (const { seq, change } of corrections) this.#edits.rewrite(seq, change);
    this.#database.exec('PRAGMA secure_delete = FAST');
    this.#mustEmptyJournal = true;
  }

  #inTransaction<T>(work: () => T): T {
    return this.#guard(() => {
      try {
        this.#database.exec('BEGIN IMMEDIATE');
        const result = work();
        this.#database.exec('COMMIT');
        return result;
      } catch (error) {
        this.#rollBack();
        // What was before is in the database.
        this.#streams.forget();
        this.#corrections.length = 0;
        this.#state.revert();
        throw error;
      }
    });
  }

  #checkpoint(): void {
    this.#guard(() => this.#database.exec('PRAGMA wal_checkpoint(TRUNCATE)'));
  }

  #guard<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw storeError(error, this.#directory);
    }
  }

  #rollBack(): void {
    try {
      this.#database.exec('ROLLBACK');
    } catch {
      // SQLite has rolled back by itself, or no transaction had begun.
    }
  }
}

/** Opening takes a little space, too; on a full disk that is what is kept for it. */
function openWithReserve(open: () => StoreFile, reserve: ReserveFile): StoreFile {
  try {
    return open();
  } catch (error) {
    if (!ServerError.is(error) || error.code !== ServerErrorCode.StoreFull || !reserve.giveUp()) throw error;
    return open();
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
    total: statement('SELECT entries, bytes FROM total'),
  };
}
