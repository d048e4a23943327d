/** A process that begins to bring the database at a path forward, says so, and never ends the transaction. */
import { writeSync } from 'node:fs';
import { findDriver } from '../../../src/sqlite/driver.js';
import { MIGRATIONS, SCHEMA_VERSION } from '../../../src/sqlite/file/schema.js';

const database = findDriver().open(process.argv[2]!);
// So that what is not committed gets into the journal.
database.exec('PRAGMA cache_size = 1; BEGIN IMMEDIATE');
for (const statements of MIGRATIONS.slice(1)) database.exec(statements);
database.exec(`UPDATE meta SET value = 'torn'; PRAGMA user_version = ${SCHEMA_VERSION}`);
writeSync(1, 'half\n');
setInterval(() => {}, 60_000);
