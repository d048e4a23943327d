/**
 * Opens a data folder: the lock, the database in its present version, and whether it is the one that was left.
 *
 * Positions are given out once in an epoch. So the epoch goes on only where nothing can have been lost since the folder
 * was open last; every doubt begins a new one, and says why.
 */
import { randomBytes } from 'node:crypto';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { ServerError, ServerErrorCode } from '../../errors.js';
import type { SqliteDatabase, SqliteDriver } from '../driver.js';
import { storeError } from '../store-error.js';
import { bootId } from './boot-id.js';
import { FolderLock } from './folder-lock.js';
import { makeFolder } from './make-folder.js';
import { migrate, readNumber, readVersion } from './migrate.js';
import { TailFile, type TailRecord } from './tail-file.js';

/** Names of the files in a data folder. */
export const StoreFiles = {
  Database: 'chat.sqlite',
  Lock: 'chat.lock',
  Tail: 'chat.tail',
  Reserve: 'chat.reserve',
  Search: 'search.sqlite',
} as const;

export interface StoreFileOptions {
  readonly directory: string;
  readonly durability: 'process' | 'disk';
  readonly driver: SqliteDriver;
  /** Names this start of the machine; the system knows it by itself. */
  readonly bootId?: string;
}

/** Why an epoch ended. */
export interface Loss {
  /** A sentence for the operator. */
  readonly reason: string;
  /** Position of the newest entry that is there. */
  readonly storedPosition: number;
  /** Position of the newest entry that is known to have been there. */
  readonly knownPosition: number;
}

/** SQLite waits so long for a program that has the file open. */
const BUSY_TIMEOUT_MS = 5000;

/** In a larger store the parts are left to the check that an operator asks for. */
const MAX_ENTRIES_CHECKED = 1_000_000;

/** A data folder that this process has to itself. */
export class StoreFile {
  readonly database: SqliteDatabase;
  readonly epoch: string;
  /** What ended the epoch before this one, if something did. */
  readonly loss: Loss | undefined;
  /** Position after which entries go on. */
  readonly position: number;
  readonly #path: string;
  readonly #tail: TailFile;
  readonly #lock: FolderLock;
  #record: TailRecord;

  /**
   * @throws ServerError `ERR_SERVER_STORE_LOCKED`, `ERR_SERVER_STORE_CORRUPT`, `ERR_SERVER_STORE_NEWER`,
   * `ERR_SERVER_STORE_READONLY`, `ERR_SERVER_STORE_FULL`, `ERR_SERVER_STORE_FAILED`
   */
  constructor(options: StoreFileOptions) {
    const { directory, durability, driver } = options;
    const closers: (() => void)[] = [];
    try {
      makeFolder(directory);
      this.#lock = new FolderLock(driver, join(directory, StoreFiles.Lock));
      closers.push(() => this.#lock.release());
      this.#tail = new TailFile(join(directory, StoreFiles.Tail));
      closers.push(() => this.#tail.close());
      this.#path = join(directory, StoreFiles.Database);
      this.database = driver.open(this.#path);
      closers.push(() => this.database.close());
      prepareDatabase(this.database, durability);
      assertWhole(this.database, this.#path);
      assertOrder(this.database);

      const stored = this.database.prepare('SELECT position FROM total').get()!.position as number;
      const before = this.#tail.read();
      const boot = options.bootId ?? bootId();
      const epoch = readMeta(this.database, 'epoch');
      const reason = lossReason(before, stored, epoch, boot, this.database);
      const known = typeof before === 'object' ? Math.max(before.position, stored) : stored;
      this.position = known;
      this.loss = reason ? { reason, storedPosition: stored, knownPosition: known } : undefined;
      if (epoch === undefined || this.loss) {
        this.epoch = randomBytes(9).toString('base64url');
        this.#beginEpoch();
      } else {
        this.epoch = epoch;
      }
      this.#record = { epoch: this.epoch, position: known, durability, state: 'open', bootId: boot };
      this.#tail.write(this.#record);
      this.#tail.sync();
    } catch (error) {
      for (const close of closers.reverse()) close();
      throw storeError(error, directory);
    }
  }

  /** Bytes of the database and its journal. */
  get bytes(): number {
    return sizeOf(this.#path) + sizeOf(`${this.#path}-wal`);
  }

  /** Keeps the position beside the database. To be called after the commit. */
  keepPosition(position: number): void {
    this.#record = { ...this.#record, position };
    this.#tail.write(this.#record);
  }

  /** Positions are given out from here on that are not stored: the epoch ends with this process. */
  goBeyond(): void {
    this.#record = { ...this.#record, state: 'beyond' };
    this.#tail.write(this.#record);
    this.#tail.sync();
  }

  /** Closes all of it. Everything is on the disk afterwards, and known to be, unless that is full. */
  close(): void {
    try {
      this.database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
      if (this.#record.state !== 'open') return;
      this.#record = { ...this.#record, state: 'closed' };
      this.#tail.write(this.#record);
      this.#tail.sync();
    } catch {
      // What was stored stays in the journal; the next start finds it there.
    } finally {
      this.abandon();
    }
  }

  /** Closes a folder that could not be taken into use; what is said beside the database stays. */
  abandon(): void {
    this.#tail.close();
    this.database.close();
    this.#lock.release();
  }

  #beginEpoch(): void {
    this.database.exec('BEGIN IMMEDIATE');
    writeMeta(this.database, 'epoch', this.epoch);
    this.database.prepare("DELETE FROM meta WHERE key = 'copied'").run();
    this.database.prepare('UPDATE total SET position = ?').run(this.position);
    this.database.exec('COMMIT');
  }
}

export function readMeta(database: SqliteDatabase, key: string): string | undefined {
  return database.prepare('SELECT value FROM meta WHERE key = ?').get(key)?.value as string | undefined;
}

export function writeMeta(database: SqliteDatabase, key: string, value: string): void {
  database.prepare('INSERT OR REPLACE INTO meta VALUES (?, ?)').run(key, value);
}

/** Settings of the connection that writes, and tables of the present version. */
function prepareDatabase(database: SqliteDatabase, durability: 'process' | 'disk'): void {
  database.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
  const version = readVersion(database);
  if (version === 0) database.exec('PRAGMA auto_vacuum = INCREMENTAL');
  database.exec(`
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = ${durability === 'disk' ? 'FULL' : 'NORMAL'};
    PRAGMA secure_delete = FAST;
  `);
  migrate(database, version);
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

/** SQLite notices pages that are missing only when it comes to read one. */
function assertWhole(database: SqliteDatabase, path: string): void {
  database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  const expected = readNumber(database, 'page_count') * readNumber(database, 'page_size');
  const actual = sizeOf(path);
  if (actual < expected) {
    throw new ServerError(
      ServerErrorCode.StoreCorrupt,
      `the database was cut: it has ${actual} of ${expected} bytes`,
    );
  }
}

/**
 * What says where entries are has no checksums of its own, but an order: a key that has turned would hide entries without
 * a word. The streams are few; the parts are looked at as long as that takes no second.
 */
function assertOrder(database: SqliteDatabase): void {
  const { entries } = database.prepare('SELECT entries FROM total').get() as { entries: number };
  for (const table of entries <= MAX_ENTRIES_CHECKED ? ['stream', 'part'] : ['stream']) {
    const found = database.prepare(`PRAGMA integrity_check('${table}')`).all();
    const problem = Object.values(found[0] ?? {})[0];
    if (found.length === 1 && problem === 'ok') continue;
    throw new ServerError(ServerErrorCode.StoreCorrupt, `the database is damaged: ${problem}`);
  }
}

/** Why the epoch cannot go on; `undefined` when it can. */
function lossReason(
  before: TailRecord | 'unreadable' | undefined,
  stored: number,
  epoch: string | undefined,
  boot: string,
  database: SqliteDatabase,
): string | undefined {
  if (epoch === undefined) {
    if (typeof before !== 'object' || before.position === 0) return undefined;
    return `the database is empty, and position ${before.position} had been stored`;
  }
  if (readMeta(database, 'copied') !== undefined) return 'the database is a copy';
  if (before === undefined) {
    return stored === 0 ? undefined : `${StoreFiles.Tail} is missing, so the database may be an older copy`;
  }
  if (before === 'unreadable') return `${StoreFiles.Tail} is damaged`;
  if (before.epoch !== epoch) return `${StoreFiles.Tail} belongs to another database`;
  if (before.position > stored) {
    return `the database ends at position ${stored}, and position ${before.position} had been stored`;
  }
  if (before.state === 'beyond') return 'the server went on without the store';
  if (before.state === 'open' && before.durability === 'process' && before.bootId !== boot) {
    return "the machine went down, and durability 'process' does not survive that";
  }
  return undefined;
}
