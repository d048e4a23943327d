/**
 * The version of a database, and the way to the present one: forward only, in one transaction. What goes wrong on the way,
 * a kill included, leaves the file as it was.
 */
import { ServerError, ServerErrorCode } from '../../errors.js';
import type { SqliteDatabase } from '../driver.js';
import { APPLICATION_ID, MIGRATIONS, SCHEMA_VERSION } from './schema.js';

/**
 * The version of the tables; 0 where there are none yet.
 *
 * @throws ServerError `ERR_SERVER_STORE_CORRUPT` for a database of another program, `ERR_SERVER_STORE_NEWER`
 */
export function readVersion(database: SqliteDatabase): number {
  if (readNumber(database, 'page_count') === 0) return 0;
  if (readNumber(database, 'application_id') !== APPLICATION_ID) {
    throw new ServerError(ServerErrorCode.StoreCorrupt, 'the database is not one of this server');
  }
  const version = readNumber(database, 'user_version');
  if (version <= SCHEMA_VERSION) return version;
  throw new ServerError(
    ServerErrorCode.StoreNewer,
    `the database has version ${version}, and this server knows versions up to ${SCHEMA_VERSION}`,
  );
}

/** Brings the tables from `version` to the present one. */
export function migrate(database: SqliteDatabase, version: number): void {
  if (version === SCHEMA_VERSION) return;
  database.exec('BEGIN IMMEDIATE');
  try {
    for (const statements of MIGRATIONS.slice(version)) database.exec(statements);
    if (version === 0) {
      database.prepare("INSERT INTO meta VALUES ('created', ?)").run(new Date().toISOString());
    }
    database.exec(
      `PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${SCHEMA_VERSION}; COMMIT`,
    );
  } catch (error) {
    database.exec('ROLLBACK');
    throw error;
  }
}

/** The value of a pragma that is a number. */
export function readNumber(database: SqliteDatabase, pragma: string): number {
  return Number(Object.values(database.prepare(`PRAGMA ${pragma}`).get()!)[0]);
}
