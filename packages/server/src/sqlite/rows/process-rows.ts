/**
 * The part of the state that is about processes, as rows: which of them share the log, up to which block each has come,
 * and which of them holds which session. There is nothing in it where one process has the log for itself.
 */
import type { ChatState, SessionPlace, SessionState, StateSnapshot } from '../../log/state/chat-state.js';
import type { Outcome } from '../../log/state/outcome.js';
import type { SqliteDatabase, SqliteStatement, SqliteValue } from '../driver.js';
import { readRows, rowCrc } from './checked-rows.js';

/** The block that a process sent last. */
export interface SentBlock {
  readonly process: number;
  /** Number of the block among those of the process. */
  readonly number: number;
  /** Position at which the block begins. */
  readonly first: number;
}

/** What is known of a session beside what it is where one process has the log for itself. */
type Holding = Pick<SessionState, 'holder' | 'unheldSince' | 'place'>;

const PROCESS_COLUMNS = ['id', 'came', 'number', 'block'] as const;
const HOLDING_COLUMNS = ['member', 'holder', 'unheld_since', 'place'] as const;

/** Adds what the rows say of processes to a state that was read without. */
export function withProcesses(database: SqliteDatabase, snapshot: StateSnapshot): StateSnapshot {
  const here = readRows(database, 'process', PROCESS_COLUMNS).filter(({ came }) => came !== null);
  if (here.length === 0 && readRows(database, 'holding', HOLDING_COLUMNS).length === 0) return snapshot;
  const holdings = new Map(
    readRows(database, 'holding', HOLDING_COLUMNS).map((row): [number, Holding] => [
      row.member as number,
      {
        holder: (row.holder as number | null) ?? undefined,
        unheldSince: (row.unheld_since as number | null) ?? undefined,
        place: row.place === null ? undefined : (JSON.parse(row.place as string) as SessionPlace),
      },
    ]),
  );
  return {
    ...snapshot,
    sessions: snapshot.sessions.map((session) => ({ ...session, ...holdings.get(session.memberId) })),
    processes: here
      .sort((one, other) => (one.came as number) - (other.came as number))
      .map(({ id }) => id as number),
  };
}

/** Keeps those rows; `write` and `clear` in a transaction of the caller. */
export class ProcessRows {
  readonly #database: SqliteDatabase;
  readonly #putProcess: SqliteStatement;
  readonly #putHolding: SqliteStatement;
  readonly #deleteHolding: SqliteStatement;
  // What changed since the rows were written last.
  readonly #holdings: Set<number> = new Set();
  readonly #changed: Set<number> = new Set();
  /** When each process came that is here, and what it sent last. */
  #came: Map<number, number> = new Map();
  #sent: Map<number, SentBlock> = new Map();

  constructor(database: SqliteDatabase) {
    this.#database = database;
    this.#putProcess = database.prepare('INSERT OR REPLACE INTO process VALUES (?, ?, ?, ?, ?)');
    this.#putHolding = database.prepare('INSERT OR REPLACE INTO holding VALUES (?, ?, ?, ?, ?)');
    this.#deleteHolding = database.prepare('DELETE FROM holding WHERE member = ?');
    this.load();
  }

  /** The last block of each process, also of those that are gone. */
  get sent(): readonly SentBlock[] {
    return [...this.#sent.values()];
  }

  get isEmpty(): boolean {
    return !this.#database.prepare('SELECT 1 FROM process UNION ALL SELECT 1 FROM holding LIMIT 1').get();
  }

  /** Reads the rows; what was not written does not count. */
  load(): void {
    this.forget();
    const rows = readRows(this.#database, 'process', PROCESS_COLUMNS);
    this.#came = new Map(
      rows.flatMap(({ id, came }) => (came === null ? [] : [[id as number, came as number]])),
    );
    this.#sent = new Map(
      rows.map(({ id, number, block }) => [
        id as number,
        { process: id as number, number: number as number, first: block as number },
      ]),
    );
  }

  /** A block of a process is being stored. */
  addSent(block: SentBlock): void {
    this.#sent.set(block.process, block);
    this.#changed.add(block.process);
  }

  /** Takes note of what an entry has brought about. */
  mark(position: number, outcome: Outcome): void {
    switch (outcome.kind) {
      case 'session-opened':
        if (outcome.session.holder !== undefined) this.#holdings.add(outcome.session.memberId);
        return;
      case 'session-taken':
      case 'session-ended':
      case 'session-kicked':
        this.#holdings.add(outcome.session.memberId);
        return;
      case 'process-came':
        this.#came.set(outcome.process, position);
        this.#changed.add(outcome.process);
        return;
      case 'process-gone':
        this.#came.delete(outcome.process);
        this.#changed.add(outcome.process);
        for (const { memberId } of outcome.sessions) this.#holdings.add(memberId);
        return;
    }
  }

  /** A session changed otherwise than by an entry. */
  markHolding(memberId: number): void {
    this.#holdings.add(memberId);
  }

  write(state: ChatState): void {
    for (const id of this.#changed) {
      const { number, first } = this.#sent.get(id) ?? { number: 0, first: 0 };
      put(this.#putProcess, id, this.#came.get(id) ?? null, number, first);
    }
    for (const id of this.#holdings) {
      const { holder = null, unheldSince = null, place } = state.sessions.get(id) ?? {};
      if (holder === null && unheldSince === null) this.#deleteHolding.run(id);
      else put(this.#putHolding, id, holder, unheldSince, place ? JSON.stringify(place) : null);
    }
    this.forget();
  }

  /** Forgets all processes, as nobody shares the log. */
  clear(): void {
    this.#database.exec('DELETE FROM process; DELETE FROM holding');
    this.#came.clear();
    this.#sent.clear();
    this.forget();
  }

  /** Forgets processes that are gone: nothing comes from them any more. */
  forgetGone(): void {
    this.#database.exec('DELETE FROM process WHERE came IS NULL');
    for (const id of [...this.#sent.keys()]) if (!this.#came.has(id)) this.#sent.delete(id);
  }

  /** Gives up what was noted and not written. */
  forget(): void {
    this.#holdings.clear();
    this.#changed.clear();
  }
}

function put(statement: SqliteStatement, ...values: SqliteValue[]): void {
  statement.run(...values, rowCrc(values));
}
