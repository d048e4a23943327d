/** A copy of a store, while it is in use or not. */
import { existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ServerError, ServerErrorCode } from '../../errors.js';
import { findDriver, type SqliteDriver } from '../driver.js';
import { makeFolder } from '../file/make-folder.js';
import { StoreFiles, writeMeta } from '../file/store-file.js';
import { storeError } from '../store-error.js';
import { type CheckReport, checkStore } from './check.js';

/** What is copied, and to where. */
export interface BackupOptions {
  /** Folder of the store. */
  readonly directory: string;
  /** Folder of the copy; it is made if it is not there, and must not have a store. */
  readonly target: string;
  /** @internal */
  readonly driver?: SqliteDriver;
}

/**
 * Copies a store as it is at one moment, and checks the copy. The copy is there whole or not at all, and can be opened as
 * a store: in an epoch of its own, as the original may go on.
 *
 * Blocks while it works; another process may have the store open.
 *
 * @throws ServerError
 */
export function backupStore({ directory, target, driver = findDriver() }: BackupOptions): CheckReport {
  const source = join(directory, StoreFiles.Database);
  const path = join(target, StoreFiles.Database);
  const part = `${path}.part`;
  try {
    if (!existsSync(source)) throw new ServerError(ServerErrorCode.StoreFailed, 'there is no store');
    if (existsSync(path)) throw new ServerError(ServerErrorCode.StoreFailed, `${target} has a store already`);
    makeFolder(target);
    rmSync(part, { force: true });
    const database = driver.open(source);
    try {
      // Somebody else may be writing: this connection must not checkpoint.
      database.exec('PRAGMA busy_timeout = 5000; PRAGMA wal_autocheckpoint = 0');
      database.prepare('VACUUM INTO ?').run(part);
    } finally {
      database.close();
    }
    const copy = driver.open(part);
    try {
      writeMeta(copy, 'copied', new Date().toISOString());
    } finally {
      copy.close();
    }
    renameSync(part, path);
    return checkStore({ directory: target, driver });
  } catch (error) {
    rmSync(part, { force: true });
    throw storeError(error, directory);
  }
}
