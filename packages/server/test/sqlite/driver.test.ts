import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findDriver, SqliteCode, SqliteError } from '../../src/sqlite/driver.js';
import { dataFolder } from '../support/sqlite/folder.js';

class Library {}

/** The name of the library that is taken where only `installed` can be loaded, and what was tried. */
function choice(version: string, installed: readonly string[]): { name: string; tried: string[] } {
  const tried: string[] = [];
  const { name } = findDriver(version, (library) => {
    tried.push(library);
    if (!installed.includes(library)) throw new Error(`no ${library}`);
    return library === 'node:sqlite' ? { DatabaseSync: Library } : Library;
  });
  return { name, tried };
}

describe('findDriver', () => {
  it('takes what comes with Node from 24 on', () => {
    expect(choice('24.0.0', ['node:sqlite', 'libsql', 'better-sqlite3'])).toEqual({
      name: 'node:sqlite',
      tried: ['node:sqlite'],
    });
  });

  it('takes libsql on 20 and 22, then better-sqlite3, then what prints a warning', () => {
    expect(choice('20.19.0', ['node:sqlite', 'libsql', 'better-sqlite3']).name).toBe('libsql');
    expect(choice('22.14.0', ['node:sqlite', 'libsql', 'better-sqlite3']).name).toBe('libsql');
    expect(choice('22.14.0', ['node:sqlite', 'better-sqlite3']).name).toBe('better-sqlite3');
    expect(choice('22.13.0', ['node:sqlite', 'better-sqlite3']).name).toBe('node:sqlite');
  });

  it('does not even load better-sqlite3 where it would crash', () => {
    const tried: string[] = [];
    const load = (library: string): never => {
      tried.push(library);
      throw new Error(`no ${library}`);
    };
    expect(() => findDriver('20.20.0', load)).toThrow(
      /no SQLite library works on Node 20.20.0: npm install libsql/,
    );
    expect(tried).toEqual(['libsql']);
    expect(() => findDriver('20.20.0', load)).toThrow(
      expect.objectContaining({ code: 'ERR_SERVER_SQLITE_MISSING' }),
    );
  });
});

describe('the driver of this Node', () => {
  const open = () => findDriver().open(join(dataFolder(), 'test.sqlite'));

  it('carries integers of 48 bits, texts of any script and blobs', () => {
    const database = open();
    database.exec('CREATE TABLE t (a INTEGER, b TEXT, c BLOB)');
    const blob = Uint8Array.of(0, 1, 2, 3).subarray(1);
    database.prepare('INSERT INTO t VALUES (?, ?, ?)').run(2 ** 48 - 1, 'مريم 🎈', blob);
    const { a, b, c } = database.prepare('SELECT a, b, c FROM t').get()!;
    expect([a, b, Uint8Array.from(c as Uint8Array)]).toEqual([
      2 ** 48 - 1,
      'مريم 🎈',
      Uint8Array.of(1, 2, 3),
    ]);
    expect(database.prepare('SELECT a FROM t WHERE a = 1').get()).toBeUndefined();
    expect(
      database
        .prepare('SELECT a FROM t')
        .all()
        .map((row) => row.a),
    ).toEqual([2 ** 48 - 1]);
    database.close();
  });

  it('tells the code of an error', () => {
    const database = open();
    database.exec('CREATE TABLE t (a INTEGER PRIMARY KEY); INSERT INTO t VALUES (1)');
    const failure = (work: () => void): unknown => {
      try {
        work();
        return undefined;
      } catch (error) {
        return error;
      }
    };
    expect(failure(() => database.prepare('INSERT INTO t VALUES (?)').run(1))).toMatchObject({ code: 19 });
    expect(failure(() => database.exec('nonsense'))).toBeInstanceOf(SqliteError);
    expect(failure(() => findDriver().open('/nowhere/at/all.sqlite'))).toMatchObject({
      code: SqliteCode.CannotOpen,
    });
    database.close();
  });

  it('has FTS5, and tables of it that can delete without having the text', () => {
    const database = open();
    database.exec(
      "CREATE VIRTUAL TABLE f USING fts5(t, content='', contentless_delete=1, tokenize='ascii'); INSERT INTO f(rowid, t) VALUES (7, 'one two')",
    );
    expect(database.prepare('SELECT rowid FROM f WHERE f MATCH \'t:"two"\'').get()?.rowid).toBe(7);
    database.close();
  });
});
