/** Removes what was said from a store that no server has open. */
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ServerError, ServerErrorCode } from '../../errors.js';
import type { RemovalWish } from '../../log/event-log.js';
import type { SqliteDriver } from '../driver.js';
import { StoreFiles } from '../file/store-file.js';
import { storeError } from '../store-error.js';
import { StoreWriter } from '../store-writer.js';

/** What is removed, and from where. */
export interface ForgetOptions extends RemovalWish {
  readonly directory: string;
  /** @internal */
  readonly driver?: SqliteDriver;
}

/**
 * Removes messages and notices from a store: of a room, of a member by name or id, or of a member in a room. Their bytes are
 * written over, and the space is given back. What can be searched is deleted, and made again by the next start.
 *
 * Blocks while it works. A running server has `forget` of its own.
 *
 * @returns how many entries went
 * @throws ServerError `ERR_SERVER_STORE_LOCKED` while a server has the store open, and as `openSqliteLog`
 */
export function forgetStored({ directory, driver, ...wish }: ForgetOptions): number {
  try {
    if (!existsSync(join(directory, StoreFiles.Database))) {
      throw new ServerError(ServerErrorCode.StoreFailed, 'there is no store');
    }
    const writer = new StoreWriter({ directory, durability: 'disk', ...(driver ? { driver } : {}) });
    try {
      if (!writer.beginRemoval(wish)) return 0;
      let removed = 0;
      for (let step = writer.keepHouse(0); step.worked; step = writer.keepHouse(0)) removed += step.removed;
      for (const end of ['', '-wal', '-shm', '-journal']) {
        rmSync(join(directory, StoreFiles.Search + end), { force: true });
      }
      return removed;
    } finally {
      writer.close();
    }
  } catch (error) {
    throw storeError(error, directory);
  }
}
