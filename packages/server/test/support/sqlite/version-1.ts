/**
 * A data folder as version 1 of the store left it. `fixtures/store-version-1.sql` is what the `sqlite3` program says
 * (`.dump`) of one that this version made: two members in a room, something that waits for one of them, a ban.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findDriver } from '../../../src/sqlite/driver.js';
import { APPLICATION_ID } from '../../../src/sqlite/file/schema.js';
import { TailFile } from '../../../src/sqlite/file/tail-file.js';
import { dataFolder } from './folder.js';

/** The epoch of that store, and the position of its newest entry. */
export const VERSION_1 = { epoch: 'alvHkFxD71OS', position: 11 } as const;

const DUMP = fileURLToPath(new URL('../../fixtures/store-version-1.sql', import.meta.url));

export function folderOfVersion1(): string {
  const directory = dataFolder();
  const database = findDriver().open(join(directory, 'chat.sqlite'));
  database.exec('PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL');
  database.exec(readFileSync(DUMP, 'utf8'));
  database.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = 1`);
  database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  database.close();
  const tail = new TailFile(join(directory, 'chat.tail'));
  tail.write({ ...VERSION_1, durability: 'process', state: 'closed', bootId: 'another-start' });
  tail.close();
  return directory;
}
