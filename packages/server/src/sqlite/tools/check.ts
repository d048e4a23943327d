/** Whether a store is what it was when it was written: every checksum, every position, and the state that follows. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { ServerError, ServerErrorCode } from '../../errors.js';
import { applyEntry } from '../../log/state/apply-entry.js';
import { ChatState, type StateSnapshot } from '../../log/state/chat-state.js';
import { findDriver, type SqliteDatabase, type SqliteDriver } from '../driver.js';
import { StoreFiles } from '../file/store-file.js';
import { Blocks, entriesOf, type StoredBlock } from '../rows/blocks.js';
import { loadState } from '../rows/load-state.js';
import { streamKeyOf, streamName } from '../rows/streams.js';
import { storeError } from '../store-error.js';
import { inOneView, openForReading } from '../store-reader.js';

/** What was found. */
export interface CheckReport {
  readonly blocks: number;
  readonly entries: number;
  /** Position of the newest entry. */
  readonly position: number;
  /** Positions of blocks that are not what was written. */
  readonly damaged: readonly { readonly from: number; readonly to: number }[];
  /** Sentences for an operator; none when all is well. */
  readonly problems: readonly string[];
  /** Whether the state was held against all entries: only where none was ever removed. */
  readonly isStateProven: boolean;
}

/** More sentences than these do not help anybody. */
const MAX_PROBLEMS = 100;

/** A part of a stream, as the blocks say. */
interface Found {
  readonly first: number;
  last: number;
  entries: number;
}

/**
 * Checks the store in a folder; it may be in use. Blocks while it works, and changes nothing.
 *
 * @throws ServerError when there is none, or it cannot be read at all
 */
export function checkStore(options: {
  readonly directory: string;
  readonly driver?: SqliteDriver;
}): CheckReport {
  const { directory, driver = findDriver() } = options;
  const path = join(directory, StoreFiles.Database);
  try {
    if (!existsSync(path)) throw new ServerError(ServerErrorCode.StoreFailed, 'there is no store');
    const database = openForReading(driver, path);
    try {
      return inOneView(database, () => new Check(database).run());
    } finally {
      database.close();
    }
  } catch (error) {
    throw storeError(error, directory);
  }
}

class Check {
  readonly #database: SqliteDatabase;
  readonly #problems: string[] = [];
  readonly #damaged: { from: number; to: number }[] = [];
  readonly #replayed: ChatState = new ChatState();
  readonly #part;
  readonly #stream;
  #blocks = 0;
  #entries = 0;
  #parts = 0;
  #position = 0;

  constructor(database: SqliteDatabase) {
    this.#database = database;
    this.#part = database.prepare('SELECT last, entries, block FROM part WHERE stream = ? AND first = ?');
    this.#stream = database.prepare('SELECT id FROM stream WHERE kind = ? AND name = ?');
  }

  run(): CheckReport {
    for (const row of this.#database.prepare(`PRAGMA integrity_check(${MAX_PROBLEMS})`).all()) {
      const sentence = String(Object.values(row)[0]);
      if (sentence !== 'ok') this.#tell(sentence);
    }
    const blocks = new Blocks(this.#database);
    for (let block = blocks.readAfter(-1); block; block = blocks.readAfter(block.first))
      this.#checkBlock(block);
    const total = this.#database.prepare('SELECT position, entries FROM total').get() as Record<
      string,
      number
    >;
    const { position, entries } = total as { position: number; entries: number };
    if (this.#position > position)
      this.#tell(`an entry has position ${this.#position}, the newest is ${position}`);
    if (this.#damaged.length === 0) this.#checkSums(entries);
    const isStateProven = this.#damaged.length === 0 && this.#entries === position;
    const state = loadStateOr(this.#database, (sentence) => this.#tell(sentence));
    if (isStateProven && state && !isSame(state, this.#replayed.snapshot())) {
      this.#tell('the state is not what the entries come to');
    }
    return {
      blocks: this.#blocks,
      entries: this.#entries,
      position,
      damaged: this.#damaged,
      problems: this.#problems,
      isStateProven,
    };
  }

  #checkBlock(block: StoredBlock): void {
    this.#blocks++;
    const entries = entriesOf(block);
    if (!entries) {
      this.#damaged.push({ from: block.first, to: block.last });
      this.#tell(`block ${block.first}: the checksum is wrong`);
      this.#position = block.last;
      return;
    }
    const parts = new Map<string, Found>();
    for (const entry of entries) {
      if (entry.seq <= this.#position || entry.seq > block.last) {
        this.#tell(`block ${block.first}: position ${entry.seq} is out of order`);
      }
      this.#position = entry.seq;
      this.#entries++;
      applyEntry(this.#replayed, entry);
      const key = streamKeyOf(entry);
      const part = parts.get(key) ?? { first: entry.seq, last: 0, entries: 0 };
      part.last = entry.seq;
      part.entries++;
      parts.set(key, part);
    }
    for (const [key, part] of parts) this.#checkPart(block.first, key, part);
  }

  #checkPart(block: number, key: string, { first, last, entries }: Found): void {
    this.#parts++;
    const { kind, name } = streamName(key);
    const row = this.#part.get(this.#stream.get(kind, name)?.id ?? 0, first);
    const isRight = row?.last === last && row.entries === entries && row.block === block;
    if (!isRight) this.#tell(`block ${block}: its entries of ${kind} ${name} are not where the parts say`);
  }

  #checkSums(entries: number): void {
    if (this.#entries !== entries)
      this.#tell(`there are ${this.#entries} entries, and ${entries} are counted`);
    const parts = this.#database.prepare('SELECT count(*) AS n FROM part').get()!.n;
    if (this.#parts !== parts) this.#tell(`there are ${parts} parts, and ${this.#parts} are in blocks`);
  }

  #tell(problem: string): void {
    if (this.#problems.length < MAX_PROBLEMS) this.#problems.push(problem);
  }
}

function loadStateOr(database: SqliteDatabase, tell: (problem: string) => void): StateSnapshot | undefined {
  try {
    return loadState(database);
  } catch (error) {
    tell(error instanceof Error ? error.message : String(error));
    return undefined;
  }
}

/** Sessions, rooms and bans have no order that counts. */
function isSame(one: StateSnapshot, other: StateSnapshot): boolean {
  const sorted = ({ sessions, rooms, bans, ...rest }: StateSnapshot) => ({
    ...rest,
    sessions: new Map(sessions.map((session) => [session.memberId, session])),
    rooms: new Map(rooms.map((room) => [room.handle, room])),
    bans: new Map(bans),
  });
  return isDeepStrictEqual(sorted(one), sorted(other));
}
