/**
 * Data folders as older versions of the store left them. `fixtures/store-version-1.sql` is what the `sqlite3` program says
 * (`.dump`) of one that this version made: two members in a room, something that waits for one of them, a ban; from
 * version 2 on there is a kick as well.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findDriver } from '../../../src/sqlite/driver.js';
import { APPLICATION_ID } from '../../../src/sqlite/file/schema.js';
import { TailFile } from '../../../src/sqlite/file/tail-file.js';
import { dataFolder } from './folder.js';

/** The epoch of each store, and the position of its newest entry. */
export const OLD_STORES = {
  1: { epoch: 'alvHkFxD71OS', position: 11 },
  2: { epoch: 'h3F6KlDJTMTq', position: 11 },
} as const;

export function folderOf(version: keyof typeof OLD_STORES): string {
  const dump = fileURLToPath(new URL(`../../fixtures/store-version-${version}.sql`, import.meta.url));
  const directory = dataFolder();
  const database = findDriver().open(join(directory, 'chat.sqlite'));
  database.exec('PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL');
  database.exec(readFileSync(dump, 'utf8'));
  database.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${version}`);
  database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  database.close();
  const tail = new TailFile(join(directory, 'chat.tail'));
  tail.write({ ...OLD_STORES[version], durability: 'process', state: 'closed', bootId: 'another-start' });
  tail.close();
  return directory;
}
