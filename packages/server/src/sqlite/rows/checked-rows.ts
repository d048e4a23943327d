/** Rows with a checksum of their own: SQLite itself does not notice a bit that has turned. */
import { ServerError, ServerErrorCode } from '../../errors.js';
import type { SqliteDatabase, SqliteRow, SqliteValue } from '../driver.js';
import { crc32 } from '../file/crc32.js';

/**
 * All rows of a table, in the order of their keys; none where the file is of a version that has no such table.
 *
 * @throws ServerError `ERR_SERVER_STORE_CORRUPT` when a row is not what was written
 */
export function readRows(database: SqliteDatabase, table: string, columns: readonly string[]): SqliteRow[] {
  if (!isThere(database, table)) return [];
  const rows = database.prepare(`SELECT ${columns.join(', ')}, crc FROM ${table} ORDER BY 1, 2`).all();
  for (const row of rows) {
    if (row.crc === rowCrc(columns.map((column) => row[column]!))) continue;
    throw new ServerError(
      ServerErrorCode.StoreCorrupt,
      `the database is damaged: a row of table ${table} (${columns[0]} ${row[columns[0]!]}) is not what was written`,
    );
  }
  return rows;
}

/** The checksum of a row without it. */
export function rowCrc(values: readonly SqliteValue[]): number {
  return crc32(JSON.stringify(values));
}

/** Tools read a file of an older version as it is. */
function isThere(database: SqliteDatabase, table: string): boolean {
  const found = database.prepare("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?").get(table);
  return found !== undefined;
}
