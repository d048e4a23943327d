/**
 * Which SQLite library is used, and the little of it that the store needs.
 *
 * All of them are synchronous and ship their binaries; what differs is how a blob comes back and how an error tells its
 * code. Only what all of them can do is used, so a file moves freely between them.
 */
import { createRequire } from 'node:module';
import { ServerError, ServerErrorCode } from '../errors.js';

/** What a column holds; a blob is owned. */
export type SqliteValue = number | string | Uint8Array | null;
/** A row, by the names of its columns. */
export type SqliteRow = Readonly<Record<string, SqliteValue>>;

/** A statement that was compiled. */
export interface SqliteStatement {
  /** Carries it out. */
  run(...values: SqliteValue[]): void;
  /** Its first row. */
  get(...values: SqliteValue[]): SqliteRow | undefined;
  /** All of its rows. */
  all(...values: SqliteValue[]): SqliteRow[];
}

/** An open file. Its calls block, and throw an error that has the primary result code of SQLite. */
export interface SqliteDatabase {
  /** Carries out statements that have no parameters and no rows. */
  exec(sql: string): void;
  /** Compiles a statement. */
  prepare(sql: string): SqliteStatement;
  /** Lets go of the file. */
  close(): void;
}

/** A library for SQLite. */
export interface SqliteDriver {
  /** Name and version, as an operator may want to see it. */
  readonly name: string;
  /** Opens the file at `path`. */
  open(file: string): SqliteDatabase;
}

/** Primary result codes that the store tells apart. */
export const SqliteCode = {
  /** A statement does not fit the tables. */
  Error: 1,
  Busy: 5,
  Readonly: 8,
  Io: 10,
  Corrupt: 11,
  Full: 13,
  CannotOpen: 14,
  NotADatabase: 26,
} as const;

/** What SQLite answered instead of a result. */
export class SqliteError extends Error {
  /** Primary result code, 0 when the library told none. */
  readonly code: number;

  constructor(code: number, message: string, cause: unknown) {
    super(message, { cause });
    this.name = 'SqliteError';
    this.code = code;
  }
}

/** What the libraries have in common. */
interface RawDatabase {
  exec(sql: string): unknown;
  prepare(sql: string): RawStatement;
  close(): void;
}
interface RawStatement {
  run(...values: unknown[]): unknown;
  get(...values: unknown[]): unknown;
  all(...values: unknown[]): unknown[];
}
type RawConstructor = new (file: string) => RawDatabase;

const INSTALL = 'npm install libsql';

/**
 * The first of these that is there: `node:sqlite` on Node 24 and later, `libsql`, `better-sqlite3` from 13 on, and
 * `node:sqlite` on Node 22, which prints a warning.
 *
 * @throws ServerError `ERR_SERVER_SQLITE_MISSING`
 */
export function findDriver(
  nodeVersion: string = process.versions.node,
  load: (name: string) => unknown = loadModule,
): SqliteDriver {
  const [major = 0, minor = 0] = nodeVersion.split('.').map(Number);
  const failures: unknown[] = [];
  const attempt = (name: string, pick: (library: unknown) => RawConstructor): SqliteDriver | undefined => {
    try {
      return driverOf(name, pick(load(name)));
    } catch (error) {
      failures.push(error);
      return undefined;
    }
  };
  const builtIn = (): SqliteDriver | undefined =>
    attempt('node:sqlite', (library) => (library as { DatabaseSync: RawConstructor }).DatabaseSync);
  // better-sqlite3 crashes the process where the Node-API is older than 10, so it is not even loaded there.
  const hasNodeApi10 = major > 22 || (major === 22 && minor >= 14);
  const driver =
    (major >= 24 ? builtIn() : undefined) ??
    attempt('libsql', (library) => library as RawConstructor) ??
    (hasNodeApi10 ? attempt('better-sqlite3', (library) => library as RawConstructor) : undefined) ??
    (major === 22 || major === 23 ? builtIn() : undefined);
  if (driver) return driver;
  throw new ServerError(
    ServerErrorCode.SqliteMissing,
    `no SQLite library works on Node ${nodeVersion}: ${INSTALL}, or use Node 24 or later`,
    { cause: new AggregateError(failures) },
  );
}

function loadModule(name: string): unknown {
  return createRequire(import.meta.url)(name);
}

function driverOf(name: string, Database: RawConstructor): SqliteDriver {
  if (typeof Database !== 'function') throw new TypeError(`${name} has no database`);
  return { name, open: (file) => guard(() => wrap(new Database(file))) };
}

function wrap(database: RawDatabase): SqliteDatabase {
  return {
    exec: (sql) => guard(() => void database.exec(sql)),
    prepare: (sql) => {
      const statement = guard(() => database.prepare(sql));
      return {
        run: (...values) => guard(() => void statement.run(...values)),
        get: (...values) => guard(() => clean(statement.get(...values))),
        all: (...values) => guard(() => statement.all(...values).map((row) => clean(row)!)),
      };
    },
    close: () => guard(() => database.close()),
  };
}

/** libsql answers a blob as an ArrayBuffer. */
function clean(row: unknown): SqliteRow | undefined {
  if (row === undefined) return undefined;
  const values = row as Record<string, SqliteValue | ArrayBuffer>;
  for (const [column, value] of Object.entries(values)) {
    if (value instanceof ArrayBuffer) values[column] = new Uint8Array(value);
  }
  return values as SqliteRow;
}

function guard<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw error instanceof SqliteError ? error : new SqliteError(codeOf(error), messageOf(error), error);
  }
}

/** libsql tells `rawCode`, node:sqlite `errcode`, better-sqlite3 the name only; libsql has it in the message of an open. */
function codeOf(error: unknown): number {
  const { rawCode, errcode, code } = (error ?? {}) as Record<string, unknown>;
  if (typeof rawCode === 'number') return rawCode & 0xff;
  if (typeof errcode === 'number') return errcode & 0xff;
  for (const [prefix, number] of CODES_BY_NAME) {
    if (typeof code === 'string' && code.startsWith(prefix)) return number;
  }
  return Number(/: (\d+)"\)$/.exec(messageOf(error))?.[1] ?? 0) & 0xff;
}

const CODES_BY_NAME: readonly (readonly [string, number])[] = [
  ['SQLITE_BUSY', SqliteCode.Busy],
  ['SQLITE_READONLY', SqliteCode.Readonly],
  ['SQLITE_IOERR', SqliteCode.Io],
  ['SQLITE_CORRUPT', SqliteCode.Corrupt],
  ['SQLITE_FULL', SqliteCode.Full],
  ['SQLITE_CANTOPEN', SqliteCode.CannotOpen],
  ['SQLITE_NOTADB', SqliteCode.NotADatabase],
];

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
