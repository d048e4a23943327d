/**
 * SQLite by itself, in a process of its own: rows of messages in transactions of a given size, flushed one by one. What a
 * program pays that has no server, no rooms and no order to keep.
 */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { serveRemote } from '../harness/remote.js';
import { createPayload, writePayloadNumber } from '../ways/stream/payload.js';

export interface BareResult {
  readonly messages: number;
  readonly elapsedMs: number;
  readonly cpuMs: number;
  /** Median duration of a transaction. */
  readonly commitMs: number;
}

/** How much the store of our server has. */
export interface StoredCount {
  readonly blocks: number;
  readonly entries: number;
}

/** What this process is asked to do. */
export interface BareOperations {
  run(params: { folder: string; group: number; payloadBytes: number; durationMs: number }): BareResult;
  /** Looks into the store of our server, which may be in use. */
  count(params: { folder: string }): StoredCount;
  [name: string]: (params: never) => unknown;
}

/** The part that the libraries have in common. */
interface Database {
  exec(sql: string): unknown;
  prepare(sql: string): { run(...values: unknown[]): unknown; get(): unknown };
  close(): void;
}

type DatabaseClass = new (path: string) => Database;

/** `node:sqlite`, where this Node has it, else `libsql`: as the server does. */
function openDatabase(path: string): Database {
  const require = createRequire(import.meta.url);
  try {
    const { DatabaseSync } = require('node:sqlite') as { DatabaseSync: DatabaseClass };
    return new DatabaseSync(path);
  } catch {
    const Libsql = require('libsql') as DatabaseClass;
    return new Libsql(path);
  }
}

const operations: BareOperations = {
  count({ folder }) {
    const database = openDatabase(join(folder, 'chat.sqlite'));
    try {
      return database
        .prepare('SELECT count(*) AS blocks, max(last) AS entries FROM block')
        .get() as StoredCount;
    } finally {
      database.close();
    }
  },
  run({ folder, group, payloadBytes, durationMs }) {
    const database = openDatabase(join(folder, `bare-${group}.sqlite`));
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
    database.exec(
      'CREATE TABLE IF NOT EXISTS message (seq INTEGER PRIMARY KEY, room TEXT, name TEXT, at INTEGER, body BLOB)',
    );
    const insert = database.prepare('INSERT INTO message (room, name, at, body) VALUES (?, ?, ?, ?)');
    const commits: number[] = [];
    const cpuBefore = process.cpuUsage();
    const begin = performance.now();
    let messages = 0;
    for (let now = begin; now - begin < durationMs; ) {
      const startedAt = now;
      database.exec('BEGIN');
      for (let i = 0; i < group; i++) {
        const body = createPayload(payloadBytes);
        writePayloadNumber(body, 0, ++messages);
        insert.run('room', 'publisher', Date.now(), body);
      }
      database.exec('COMMIT');
      now = performance.now();
      commits.push(now - startedAt);
    }
    const elapsedMs = performance.now() - begin;
    const { user, system } = process.cpuUsage(cpuBefore);
    database.close();
    commits.sort((one, other) => one - other);
    return { messages, elapsedMs, cpuMs: (user + system) / 1000, commitMs: commits[commits.length >> 1]! };
  },
};

serveRemote(operations);
