/**
 * One process has a data folder open.
 *
 * The lock is SQLite's own, an exclusive transaction on an empty database beside the real one. The operating system
 * gives it up with the process, however that ends; and the real database stays readable for people and for backups, which
 * `PRAGMA locking_mode = EXCLUSIVE` on it would prevent.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { ServerError, ServerErrorCode } from '../../errors.js';
import { SqliteCode, type SqliteDatabase, type SqliteDriver, SqliteError } from '../driver.js';

export class FolderLock {
  readonly #database: SqliteDatabase;

  /** @throws ServerError `ERR_SERVER_STORE_LOCKED` */
  constructor(driver: SqliteDriver, path: string) {
    this.#database = driver.open(path);
    try {
      this.#database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
    } catch (error) {
      this.#database.close();
      if (!(error instanceof SqliteError) || error.code !== SqliteCode.Busy) throw error;
      throw new ServerError(ServerErrorCode.StoreLocked, `the data folder is open in ${holder(path)}`);
    }
    // A word for people, not the lock: it may be out of date.
    writeFileSync(ownerFile(path), `${process.pid}\n`);
  }

  release(): void {
    this.#database.close();
  }
}

function holder(path: string): string {
  try {
    return `process ${Number.parseInt(readFileSync(ownerFile(path), 'latin1'), 10)}`;
  } catch {
    return 'another process';
  }
}

function ownerFile(path: string): string {
  return `${path}.owner`;
}
