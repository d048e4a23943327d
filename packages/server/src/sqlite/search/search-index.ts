/**
 * An index of what was said, in a file of its own beside the database. It is made from the database and can be made
 * again at any time, so nobody who writes waits for it, and nothing is lost when it is damaged.
 *
 * It holds words and positions, no text (FTS5, contentless): a hit is read from its block, and shown only if it is still
 * there and has the words. Every step is bounded: a query walks back in windows of the log and stops at its limit or
 * when its time is over.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { jsonCodec } from '@chat/protocol';
import { FrameType, NoticeKind, type TakenBack } from '@chat/protocol/frames';
import type { BlockEntry } from '../../log/block.js';
import type { FoundPage, RemovalWish, SearchHit, SearchScope } from '../../log/event-log.js';
import { textOfMessage } from '../../log/messages/rich-text.js';
import { findDriver, type SqliteDatabase, type SqliteDriver, type SqliteStatement } from '../driver.js';
import { crc32 } from '../file/crc32.js';
import { readMeta, StoreFiles, writeMeta } from '../file/store-file.js';
import { Blocks, entriesOf, type StoredBlock } from '../rows/blocks.js';
import { REMOVALS_DONE } from '../rows/removals.js';
import { openForReading } from '../store-reader.js';
import { findTerms, matchOf, PREFIX_LENGTHS, parseQuery, type Term } from './query.js';
import { snippetOf } from './snippet.js';
import { wordsOf } from './words.js';

/** Of the tables, and of what counts as a word: another version makes the index anew. */
const INDEX_VERSION = '2';
/**
 * Positions that one step of a query looks at. Each entry has the number of its window as a word, which every query asks
 * for: so FTS5 stops at the border of the window, where it would else look for the next place of rare words, or of common
 * ones that never meet, through all that there is.
 */
const WINDOW = 65_536;
/** Rows that are read at a time. */
const ROWS_AT_ONCE = 64;
/** Bytes of text that one step looks through. */
const BYTES_PER_STEP = 65_536;
/** Positions that one step takes in, and what is left of the last block. */
const ENTRIES_PER_STEP = 256;
/** Rows that one step removes. */
const REMOVALS_PER_STEP = 2000;
/** With more rooms than these the index is not asked for the room; hits of others are passed over. */
const MAX_ROOMS_IN_MATCH = 100;

const SCHEMA = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = NORMAL;
  CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  CREATE VIRTUAL TABLE IF NOT EXISTS word USING fts5(
    body, room, sender, place, content = '', contentless_delete = 1, tokenize = 'ascii', prefix = '${PREFIX_LENGTHS.join(' ')}'
  );
`;

export interface SearchIndexOptions {
  readonly directory: string;
  /** @defaultValue the one that {@link findDriver} finds */
  readonly driver?: SqliteDriver;
}

/** What was found up to a step of a query. */
export type Found = Pick<FoundPage, 'hits' | 'next'>;

export class SearchIndex {
  readonly #driver: SqliteDriver;
  readonly #path: string;
  readonly #main: SqliteDatabase;
  readonly #blocks: Blocks;
  readonly #streamIds: SqliteStatement;
  #database: SqliteDatabase;
  /** Everything up to here is in the index. */
  #position = 0;
  /** Everything before is out of it. */
  #floor = 0;
  /** The block that was read last in this step: hits stand side by side. */
  #read:
    | { readonly first: number; readonly last: number; readonly entries: readonly BlockEntry[] }
    | undefined;

  constructor({ directory, driver = findDriver() }: SearchIndexOptions) {
    this.#driver = driver;
    this.#path = join(directory, StoreFiles.Search);
    this.#main = openForReading(driver, join(directory, StoreFiles.Database));
    this.#blocks = new Blocks(this.#main);
    this.#streamIds = this.#main.prepare("SELECT id FROM stream WHERE kind = 'room' AND name = ?");
    try {
      this.#database = this.#open();
    } catch {
      this.#database = this.#make();
    }
  }

  /** Position up to which entries are found. */
  get position(): number {
    return this.#position;
  }

  /** Position of the newest entry that is stored. */
  get storedPosition(): number {
    return this.#main.prepare('SELECT position FROM total').get()!.position as number;
  }

  /** Takes the next blocks in. Answers false when there is none. */
  fill(): boolean {
    const blocks = this.#nextBlocks();
    const last = blocks.at(-1)?.last;
    if (last === undefined) return false;
    const insert = this.#database.prepare(
      'INSERT INTO word (rowid, body, room, sender, place) VALUES (?, ?, ?, ?, ?)',
    );
    const streams = new Map<string, string>();
    this.#inTransaction(() => {
      for (const entry of blocks.flatMap((block) => entriesOf(block) ?? [])) {
        const corrected = correctedBy(entry);
        if (corrected !== undefined) {
          this.#database.prepare('DELETE FROM word WHERE rowid = ?').run(corrected);
          this.#read = undefined;
        }
        const meant = corrected === undefined ? entry : this.#entryAt(corrected);
        const said = meant && textOf(meant);
        if (said === undefined) continue;
        const words = wordsOf(said);
        if (words.length === 0) continue;
        let room = streams.get(meant!.room);
        if (room === undefined) {
          room = this.#roomWord(meant!.room) ?? '';
          streams.set(meant!.room, room);
        }
        const text = words.map(({ form }) => form).join(' ');
        insert.run(meant!.seq, text, room, nameWord(meant!.name), placeWord(meant!.seq));
      }
      writeMeta(this.#database, 'position', String(last));
    });
    this.#position = last;
    return true;
  }

  /** Small blocks are taken in together: a transaction costs as much as some ten entries. */
  #nextBlocks(): StoredBlock[] {
    const blocks: StoredBlock[] = [];
    const start = this.#position;
    for (let last = start; last - start < ENTRIES_PER_STEP; last = blocks.at(-1)!.last) {
      const block = this.#blocks.readAfter(last);
      if (!block) break;
      blocks.push(block);
    }
    return blocks;
  }

  /** Takes some of what retention has removed out of the index. Answers false when there is nothing. */
  trim(): boolean {
    const oldest = this.#blocks.readAfter(-1)?.first ?? this.#position + 1;
    if (this.#floor >= oldest) return false;
    const next = this.#database
      .prepare('SELECT rowid FROM word WHERE rowid >= ? ORDER BY rowid LIMIT 1')
      .get(this.#floor)?.rowid as number | undefined;
    const floor = Math.min(oldest, Math.max(this.#floor, next ?? oldest) + REMOVALS_PER_STEP);
    this.#inTransaction(() => {
      this.#database.prepare('DELETE FROM word WHERE rowid < ?').run(floor);
      writeMeta(this.#database, 'floor', String(floor));
    });
    this.#floor = floor;
    return true;
  }

  /** Takes out of the index what a removal has taken out of the database; in steps, each as the iterator is asked. */
  *remove({ room, name }: RemovalWish): Generator<void> {
    const words = [
      ...(room === undefined ? [] : [`(room : "${this.#roomWord(room) ?? 'r0'}")`]),
      ...(name === undefined ? [] : [`(sender : "${nameWord(Buffer.from(name))}")`]),
    ];
    // The index knows no ids of members: for those, all rows are looked at.
    const match = words.length === 0 ? [] : [words.join(' AND ')];
    const where = words.length === 0 ? '' : 'word MATCH ? AND';
    const candidates = this.#database.prepare(
      `SELECT rowid FROM word WHERE ${where} rowid < ? ORDER BY rowid DESC LIMIT ${ROWS_AT_ONCE}`,
    );
    const drop = this.#database.prepare('DELETE FROM word WHERE rowid = ?');
    for (let before = Number.MAX_SAFE_INTEGER; ; ) {
      const rows = candidates.all(...match, before);
      if (rows.length === 0) break;
      this.#read = undefined;
      this.#inTransaction(() => {
        for (const { rowid } of rows) if (!this.#entryAt(rowid as number)) drop.run(rowid!);
      });
      before = rows.at(-1)!.rowid as number;
      yield;
    }
    // The words themselves go when segments are merged, and their bytes when the file is written anew.
    this.#database.exec("INSERT INTO word (word) VALUES ('optimize')");
    this.#keepRemovals();
    this.#database.exec('VACUUM');
    this.#database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  }

  /**
   * Finds messages, the newest first, until there are enough; in steps, each as the iterator is asked.
   *
   * @returns what was found, as each step before it yields it
   */
  *search(query: string, scope: SearchScope): Generator<Found, Found> {
    const terms = parseQuery(query);
    const hits: SearchHit[] = [];
    const match = terms.length === 0 ? undefined : this.#matchOf(terms, scope);
    if (match === undefined) return { hits, next: undefined };
    const rooms = new Set(scope.rooms);
    const from = scope.from === undefined ? undefined : Buffer.from(scope.from);
    const statement = this.#database.prepare(
      `SELECT rowid FROM word WHERE word MATCH ? AND rowid BETWEEN ? AND ? ORDER BY rowid DESC LIMIT ${ROWS_AT_ONCE}`,
    );
    let to = Math.min((scope.before ?? Number.MAX_SAFE_INTEGER) - 1, this.#position);
    while (to >= Math.max(1, this.#floor) && hits.length < scope.limit) {
      const start = to - (to % WINDOW);
      const rows = statement.all(`(place : "${placeWord(to)}") AND ${match}`, start, to);
      let bytes = 0;
      this.#read = undefined;
      for (const { rowid } of rows) {
        const entry = this.#entryAt(rowid as number);
        const isMeant = entry && rooms.has(entry.room) && (!from || from.equals(entry.name));
        const hit = isMeant && hitOf(entry, terms);
        if (hit) hits.push(hit);
        if (hits.length === scope.limit) return { hits, next: rowid as number };
        bytes += isMeant ? entry.body.length : 0;
        if (bytes < BYTES_PER_STEP) continue;
        yield { hits, next: rowid as number };
        bytes = 0;
        this.#read = undefined;
      }
      to = rows.length < ROWS_AT_ONCE ? start - 1 : (rows.at(-1)!.rowid as number) - 1;
      yield { hits, next: to + 1 };
    }
    return { hits, next: undefined };
  }

  close(): void {
    this.#database.close();
    this.#main.close();
  }

  /** Makes the index anew, from nothing. */
  rebuild(): void {
    this.#database.close();
    this.#database = this.#make();
  }

  #matchOf(terms: readonly Term[], { rooms, from }: SearchScope): string | undefined {
    const parts = [matchOf(terms)];
    if (from !== undefined) parts.push(`(sender : "${nameWord(Buffer.from(from))}")`);
    if (rooms.length > MAX_ROOMS_IN_MATCH) return parts.join(' AND ');
    const words = rooms.flatMap((room) => this.#roomWord(room) ?? []);
    // Nothing was ever said in any of them.
    if (words.length === 0) return undefined;
    parts.push(`(room : (${words.map((word) => `"${word}"`).join(' OR ')}))`);
    return parts.join(' AND ');
  }

  /** The entry at a position, if it is stored and people are shown it. */
  #entryAt(position: number): BlockEntry | undefined {
    if (!this.#read || position < this.#read.first || position > this.#read.last) {
      const block = this.#blocks.readBefore(position + 1);
      const entries = block && entriesOf(block);
      if (!block || !entries) return undefined;
      this.#read = { first: block.first, last: block.last, entries };
    }
    const entry = this.#read.entries.find(({ seq }) => seq === position);
    return entry?.isVoid ? undefined : entry;
  }

  /** How a room stands in the index; `undefined` when nothing was ever said there. */
  #roomWord(room: string): string | undefined {
    const id = this.#streamIds.get(room)?.id;
    return id === undefined ? undefined : `r${id}`;
  }

  #open(): SqliteDatabase {
    const database = this.#driver.open(this.#path);
    try {
      database.exec(SCHEMA);
      const isOurs =
        readMeta(database, 'version') === INDEX_VERSION &&
        readMeta(database, 'created') === readMeta(this.#main, 'created') &&
        readMeta(database, REMOVALS_DONE) === (readMeta(this.#main, REMOVALS_DONE) ?? '0');
      if (!isOurs) throw new Error('an index of something else');
      this.#position = Number(readMeta(database, 'position') ?? 0);
      this.#floor = Number(readMeta(database, 'floor') ?? 0);
      return database;
    } catch (error) {
      database.close();
      throw error;
    }
  }

  #make(): SqliteDatabase {
    for (const suffix of ['', '-wal', '-shm']) rmSync(`${this.#path}${suffix}`, { force: true });
    const database = this.#driver.open(this.#path);
    database.exec(SCHEMA);
    writeMeta(database, 'version', INDEX_VERSION);
    writeMeta(database, 'created', readMeta(this.#main, 'created') ?? '');
    writeMeta(database, REMOVALS_DONE, readMeta(this.#main, REMOVALS_DONE) ?? '0');
    this.#position = 0;
    this.#floor = 0;
    return database;
  }

  #keepRemovals(): void {
    writeMeta(this.#database, REMOVALS_DONE, readMeta(this.#main, REMOVALS_DONE) ?? '0');
  }

  #inTransaction(work: () => void): void {
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      work();
      this.#database.exec('COMMIT');
    } catch (error) {
      this.#database.exec('ROLLBACK');
      throw error;
    }
  }
}

/** Position of the message that has another text by this entry, or none any more. */
function correctedBy({ type, kind, isVoid, body }: BlockEntry): number | undefined {
  const isCorrection = kind === NoticeKind.TakenBack || kind === NoticeKind.Edited;
  if (type !== FrameType.Notice || !isCorrection || isVoid) return undefined;
  return (jsonCodec.decode(body) as TakenBack).seq;
}

/** What of an entry can be searched. */
function textOf({ type, codec, isVoid, room, body }: BlockEntry): string | undefined {
  // Inboxes are nobody's but the member's, and it has them.
  if (type !== FrameType.Message || isVoid || room.charCodeAt(0) === 0) return undefined;
  return textOfMessage(codec, body);
}

function hitOf(entry: BlockEntry, terms: readonly Term[]): SearchHit | undefined {
  const text = textOf(entry);
  const found = text === undefined ? undefined : findTerms(terms, wordsOf(text));
  if (!found) return undefined;
  const { room, seq, at, sender, name } = entry;
  return { room, seq, at, sender, name: Buffer.from(name).toString(), ...snippetOf(text!, found) };
}

/** The window of the log in which a position is, as a word. */
function placeWord(position: number): string {
  return `p${Math.floor(position / WINDOW)}`;
}

function nameWord(name: Uint8Array): string {
  return `n${crc32(name).toString(16)}`;
}
