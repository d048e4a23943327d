/**
 * The state of the chat as rows: what changed since the last transaction is written with the entries that changed it.
 * So the state that is read at the next start is that of the newest block, and no entry has to be applied again.
 *
 * Each row has a checksum, as SQLite itself does not notice a bit that has turned.
 */
import type { LogEntry } from '../../log/entry.js';
import { applyEntry } from '../../log/state/apply-entry.js';
import {
  ChatState,
  type KickState,
  type SessionState,
  type StateSnapshot,
} from '../../log/state/chat-state.js';
import type { Outcome } from '../../log/state/outcome.js';
import type { RuleName } from '../../log/state/rules.js';
import { userOf } from '../../log/state/session-number.js';
import type { SqliteDatabase, SqliteStatement, SqliteValue } from '../driver.js';
import { rowCrc } from './checked-rows.js';
import { loadState, STATE_COLUMNS, type StateTable } from './load-state.js';
import { ProcessRows, type SentBlock } from './process-rows.js';

/** Applies entries, and writes what they changed. */
export class StateRows {
  readonly #database: SqliteDatabase;
  readonly #upserts: Readonly<Record<StateTable, SqliteStatement>>;
  readonly #deletes: Readonly<Record<Exclude<StateTable, 'state'>, SqliteStatement>>;
  readonly #expireBans: SqliteStatement;
  readonly #expireKicks: SqliteStatement;
  #state: ChatState;
  readonly #processes: ProcessRows;
  // What changed since the rows were written last.
  readonly #sessions: Set<number> = new Set();
  readonly #rooms: Map<number, string> = new Map();
  /** Members by room handle, with the key of the room. */
  readonly #members: Map<number, { readonly key: string; readonly members: Set<number> }> = new Map();
  readonly #bans: Set<string> = new Set();
  #newestBan: number | undefined;
  readonly #kicks: Set<number> = new Set();
  #newestKick: number | undefined;
  /** By all that names them. */
  readonly #rules: Map<string, RuleName> = new Map();
  /** By both that name them. */
  readonly #reads: Map<string, readonly [account: string, place: string]> = new Map();
  #counters = '';

  /** @throws ServerError as {@link loadState} does */
  constructor(database: SqliteDatabase) {
    this.#database = database;
    const upsert = (table: StateTable): SqliteStatement => {
      const columns = STATE_COLUMNS[table];
      const places = columns.map(() => '?').join(', ');
      return database.prepare(
        `INSERT OR REPLACE INTO ${table} (${columns.join(', ')}, crc) VALUES (${places}, ?)`,
      );
    };
    this.#upserts = {
      state: upsert('state'),
      session: upsert('session'),
      room: upsert('room'),
      member: upsert('member'),
      ban: upsert('ban'),
      kick: upsert('kick'),
      rule: upsert('rule'),
      reading: upsert('reading'),
    };
    this.#deletes = {
      session: database.prepare('DELETE FROM session WHERE member = ?'),
      room: database.prepare('DELETE FROM room WHERE handle = ?'),
      member: database.prepare('DELETE FROM member WHERE room = ? AND member = ?'),
      ban: database.prepare('DELETE FROM ban WHERE key = ?'),
      kick: database.prepare('DELETE FROM kick WHERE position = ?'),
      rule: database.prepare('DELETE FROM rule WHERE scope = ? AND what = ? AND key = ?'),
      reading: database.prepare('DELETE FROM reading WHERE account = ? AND place = ?'),
    };
    this.#expireBans = database.prepare('DELETE FROM ban WHERE until <= ?');
    this.#expireKicks = database.prepare('DELETE FROM kick WHERE until <= ? OR position < ?');
    this.#state = this.#load();
    this.#processes = new ProcessRows(database);
  }

  get snapshot(): StateSnapshot {
    return this.#state.snapshot();
  }

  /** The last block of each process that shares the log. */
  get sent(): readonly SentBlock[] {
    return this.#processes.sent;
  }

  /**
   * Applies the entry that comes next.
   *
   * @param from the process that appended it; 0 where there is but one
   */
  apply(entry: LogEntry, from = 0): Outcome {
    const outcome = applyEntry(this.#state, entry, from);
    this.#mark(entry, outcome);
    this.#processes.mark(entry.seq, outcome);
    return outcome;
  }

  /** A block of a process that shares the log is being stored. */
  addSent(block: SentBlock): void {
    this.#processes.addSent(block);
  }

  /** From here on one process has the log for itself: it holds every session. In a transaction of the caller. */
  belongToOne(): void {
    if (this.#processes.isEmpty) return;
    this.#processes.clear();
    this.#state = this.#load();
  }

  /**
   * From here on several processes share the log. A session that none of them held before is held by none since `now`. In a
   * transaction of the caller.
   */
  belongToMany(now: number): void {
    this.#processes.forgetGone();
    for (const session of this.#state.sessions.values()) {
      if (session.holder !== undefined || session.unheldSince !== undefined) continue;
      this.#state.hold(session, undefined, now);
      this.#processes.markHolding(session.memberId);
    }
    this.write();
  }

  /** Writes what changed. In a transaction of the caller; if that fails, {@link StateRows.revert} is to be called. */
  write(): void {
    const state = this.#state;
    const counters = `${state.lastMember} ${state.lastRoom}`;
    if (counters !== this.#counters) this.#put('state', 1, state.lastMember, state.lastRoom);
    for (const id of this.#sessions) this.#writeSession(id, state.sessions.get(id));
    for (const [handle, key] of this.#rooms) {
      const room = state.rooms.get(key);
      if (room?.handle === handle) this.#put('room', handle, key, room.name);
      else this.#deletes.room.run(handle);
    }
    for (const [handle, { key, members }] of this.#members) {
      const room = state.rooms.get(key);
      for (const id of members) {
        const joined = room?.handle === handle ? room.members.get(id) : undefined;
        if (joined === undefined) this.#deletes.member.run(handle, id);
        else this.#put('member', handle, id, joined);
      }
    }
    if (this.#newestBan !== undefined) this.#expireBans.run(this.#newestBan);
    for (const key of this.#bans) {
      const until = state.bans.get(key);
      if (until === undefined) this.#deletes.ban.run(key);
      else this.#put('ban', key, Number.isFinite(until) ? until : null);
    }
    if (this.#newestKick !== undefined) {
      const [oldest] = state.kicks.keys();
      this.#expireKicks.run(this.#newestKick, oldest ?? 0);
    }
    for (const position of this.#kicks) {
      const kick = state.kicks.get(position);
      if (!kick) this.#deletes.kick.run(position);
      else this.#putKick(kick);
    }
    this.#processes.write(state);
    for (const { scope, what, key } of this.#rules.values()) {
      const rule = state.rules.find({ scope, what, key });
      if (!rule) this.#deletes.rule.run(scope, what, key);
      else this.#put('rule', scope, what, key, JSON.stringify(rule.value));
    }
    for (const [account, place] of this.#reads.values()) {
      const read = state.reads.find(account, place);
      if (!read) this.#deletes.reading.run(account, place);
      else this.#put('reading', account, place, read.seq, read.changed);
    }
    this.#counters = counters;
    this.#forget();
  }

  /** Puts another state in the place of all rows. In a transaction of the caller. */
  replace(snapshot: StateSnapshot): void {
    for (const table of Object.keys(STATE_COLUMNS)) this.#database.exec(`DELETE FROM ${table}`);
    // Of the processes there is none any more.
    this.#processes.clear();
    this.#state = this.#watched(new ChatState().load(snapshot));
    this.#counters = '';
    for (const { memberId } of snapshot.sessions) this.#sessions.add(memberId);
    for (const { handle, key, members } of snapshot.rooms) {
      this.#rooms.set(handle, key);
      for (const [member] of members) this.#markMember({ handle, key }, member);
    }
    for (const [key] of snapshot.bans) this.#bans.add(key);
    for (const { position } of snapshot.kicks ?? []) this.#kicks.add(position);
    for (const rule of snapshot.rules ?? []) this.#markRule(rule);
    for (const { account, place } of snapshot.reads ?? []) this.#markRead(account, place);
    this.write();
  }

  /** Goes back to what is in the rows: those of entries that were not stored do not count. */
  revert(): void {
    this.#forget();
    this.#processes.load();
    this.#state = this.#load();
  }

  #load(): ChatState {
    const state = this.#watched(new ChatState().load(loadState(this.#database)));
    this.#counters = `${state.lastMember} ${state.lastRoom}`;
    return state;
  }

  #watched(state: ChatState): ChatState {
    state.rules.onChanged = (rule) => this.#markRule(rule);
    state.reads.onChanged = (account, place) => this.#markRead(account, place);
    return state;
  }

  #markRead(account: string, place: string): void {
    this.#reads.set(`${account}\n${place}`, [account, place]);
  }

  #markRule({ scope, what, key }: RuleName): void {
    this.#rules.set(`${what}\n${key}\n${scope}`, { scope, what, key });
  }

  #forget(): void {
    this.#sessions.clear();
    this.#rooms.clear();
    this.#members.clear();
    this.#bans.clear();
    this.#newestBan = undefined;
    this.#kicks.clear();
    this.#newestKick = undefined;
    this.#rules.clear();
    this.#reads.clear();
  }

  #mark({ sender, publishId, at }: LogEntry, outcome: Outcome): void {
    switch (outcome.kind) {
      case 'shown':
        if (publishId > 0) this.#sessions.add(sender);
        return;
      case 'joined':
      case 'left':
      case 'also-joined':
      case 'also-left':
        if (outcome.room) this.#markMember(outcome.room, outcome.member);
        return;
      case 'session-opened':
      case 'session-taken':
        this.#sessions.add(outcome.session.memberId);
        return;
      case 'session-renamed':
        // All sessions of its user have one name.
        for (const { memberId } of this.#state.sessionsOf(userOf(outcome.session.memberId)))
          this.#sessions.add(memberId);
        return;
      case 'session-ended':
      case 'session-kicked':
        this.#sessions.add(outcome.session.memberId);
        for (const room of outcome.rooms) this.#markMember(room, outcome.session.memberId);
        if (outcome.kind === 'session-kicked') {
          // Kicks that were over by then went with it.
          this.#newestKick = Math.max(this.#newestKick ?? at, at);
          this.#kicks.add(outcome.kick.position);
        }
        return;
      case 'room-opened':
      case 'room-forgotten':
        this.#rooms.set(outcome.room.handle, outcome.room.key);
        return;
      case 'banned':
        // Bans that had ended by then went with it.
        this.#newestBan = Math.max(this.#newestBan ?? at, at);
        for (const key of outcome.keys) this.#bans.add(key);
        return;
      case 'unbanned':
        for (const key of outcome.keys) this.#bans.add(key);
        for (const { position } of outcome.pardoned) this.#kicks.add(position);
        return;
      case 'eviction-asked':
      case 'credentials-asked':
      case 'barrier':
      case 'process-came':
      case 'process-gone':
      case 'signal':
      case 'repeated':
      // Rules and read positions say themselves what has changed, and bodies of messages are no state.
      case 'moderated':
      case 'read':
      case 'blocks-changed':
      case 'corrected':
        return;
      case 'void':
        // A direct message to one who had gone is a publish all the same.
        if (publishId > 0) this.#sessions.add(sender);
        return;
      default:
        outcome satisfies never;
    }
  }

  #putKick({ position, id, secretHash, clientHash, code, reason, banned, until }: KickState): void {
    const hash = clientHash ?? null;
    this.#put('kick', position, id, secretHash, hash, code, reason, JSON.stringify(banned), until);
  }

  #markMember({ handle, key }: { readonly handle: number; readonly key: string }, member: number): void {
    let marked = this.#members.get(handle);
    if (!marked) {
      marked = { key, members: new Set() };
      this.#members.set(handle, marked);
    }
    marked.members.add(member);
  }

  #writeSession(id: number, session: SessionState | undefined): void {
    if (!session) {
      this.#deletes.session.run(id);
      return;
    }
    const { name, secretHash, clientHash = null, account = null, isResumable, lastPublish } = session;
    const resumable = isResumable ? 1 : 0;
    this.#put('session', id, session.id, name, secretHash, clientHash, account, resumable, lastPublish);
  }

  #put(table: StateTable, ...values: SqliteValue[]): void {
    this.#upserts[table].run(...values, rowCrc(values));
  }
}
