/** The streams of the file as its writer knows them: their numbers, and where each one ends. */
import type { SqliteDatabase, SqliteStatement } from '../driver.js';
import { type StreamName, streamKey, streamName } from './streams.js';

/** A stream, and where it ends. */
export interface StreamHead {
  readonly id: number;
  /** Position of its newest entry, 0 when there never was one. */
  last: number;
}

export class StreamHeads {
  readonly #database: SqliteDatabase;
  readonly #find: SqliteStatement;
  readonly #insert: SqliteStatement;
  readonly #lastOf: SqliteStatement;
  readonly #heads = new Map<string, StreamHead>();

  constructor(database: SqliteDatabase) {
    this.#database = database;
    this.#find = database.prepare('SELECT id, cut FROM stream WHERE kind = ? AND name = ?');
    this.#insert = database.prepare('INSERT INTO stream (kind, name) VALUES (?, ?)');
    this.#lastOf = database.prepare('SELECT last FROM part WHERE stream = ? ORDER BY first DESC LIMIT 1');
  }

  /** The stream with the key that entries carry; made when it is new. */
  of(key: string): StreamHead {
    const known = this.#heads.get(key);
    if (known) return known;
    const { kind, name } = streamName(key);
    let row = this.#find.get(kind, name);
    if (!row) {
      this.#insert.run(kind, name);
      row = this.#find.get(kind, name)!;
    }
    const { id, cut } = row as { id: number; cut: number };
    const head = { id, last: (this.#lastOf.get(id)?.last as number | undefined) ?? cut };
    this.#heads.set(key, head);
    return head;
  }

  /** What is in the file may be another than what was remembered. */
  forget(): void {
    this.#heads.clear();
  }

  /**
   * Of each room that is there, and of the inbox of each session, the position of the last entry before `before`, also
   * where it was removed; by key, and only where there was one.
   */
  floors(before: number): Map<string, number> {
    const rows = this.#database
      .prepare(
        `SELECT kind, name, max(cut, coalesce(
           (SELECT last FROM part WHERE part.stream = stream.id AND first < ? ORDER BY first DESC LIMIT 1), 0)) AS floor
         FROM stream
         WHERE kind = 'room' AND name IN (SELECT key FROM room)
           OR kind = 'inbox' AND name IN (SELECT CAST(member AS TEXT) FROM session)`,
      )
      .all(before) as unknown as (StreamName & { readonly floor: number })[];
    return new Map(rows.filter(({ floor }) => floor > 0).map((row) => [streamKey(row), row.floor]));
  }
}
