/**
 * What follows from the log alone: who is here, under which name, in which rooms, up to which publish, and who is
 * banned. Nothing here knows of connections, clocks, options or hooks, so it is the same in everybody who has read the
 * log up to the same position.
 */
import type { CloseCode } from '@chat/protocol';
import { Names } from '../../names/names.js';
import { personOf, type Rule, Rules } from './rules.js';
import { deviceOf, MAX_DEVICE, sessionNumber, userOf } from './session-number.js';
import { type ReadPosition, ReadPositions } from './users/read-positions.js';

/** So many kicks are remembered. */
const MAX_KICKS = 10_000;

/** What other processes know of the connection of a session. */
export interface SessionPlace {
  readonly address: string;
  readonly dialect: 'binary' | 'websocket' | 'line';
  /** Number of the hello that it came with. */
  readonly attempt?: number | undefined;
}

/** One session, from its opening until its end. */
export interface SessionState {
  /** Number of the session: see `session-number.ts`. */
  readonly memberId: number;
  /** Public name of the session, for resuming. */
  readonly id: string;
  name: string;
  readonly secretHash: string;
  readonly clientHash: string | undefined;
  /** The name that `authenticate` gave it. */
  readonly account: string | undefined;
  /** Whether it may come back over another connection. */
  readonly isResumable: boolean;
  /** Number of its latest publish in the log. */
  lastPublish: number;
  /**
   * The process that has its connection, or keeps it for the resume window: entries of it that come from another one do
   * not count. 0: the only one; `undefined`: its process is gone, and any may go on with it.
   */
  holder?: number | undefined;
  /** Where it is connected from; known where several processes share the log. */
  place?: SessionPlace | undefined;
  /** Server time in milliseconds since 1970 at which its process was declared gone. */
  unheldSince?: number | undefined;
}

/**
 * Somebody with an account: one name, over one session or several. It begins with its first session and ends with its
 * last. A guest is a session, and no more.
 */
export interface UserState {
  /** Number among all users of the epoch, guests as well, from 1. */
  readonly id: number;
  readonly account: string;
  /** By number. */
  readonly sessions: Map<number, SessionState>;
}

/** One room, from its first member until it is forgotten. */
export interface RoomState {
  /** Number among all rooms of the epoch, from 1. */
  readonly handle: number;
  readonly key: string;
  /** As its first member wrote it. */
  readonly name: string;
  /** Position of the notice with which each session came in, by its number; in the order of joining. */
  readonly members: Map<number, number>;
  /** How many of them are further sessions of a user who is in it already; it follows from the members. */
  further: number;
}

/** Why a session was ended by an operator: what its client is told when it tries to resume. */
export interface SessionKicked {
  readonly code: CloseCode;
  readonly reason: string;
  /** What was banned with it, as `banKeys`: the end of either ban ends this as well. */
  readonly banned?: readonly string[];
  /** Server time in milliseconds since 1970 up to which its client might try to go on. */
  readonly until: number;
}

/** A session that was ended on purpose: its client is not to go on with it. */
export interface KickState extends SessionKicked {
  /** Position of the entry that ended it. */
  readonly position: number;
  readonly id: string;
  readonly secretHash: string;
  readonly clientHash: string | undefined;
  readonly banned: readonly string[];
}

/** What is written down of a state at a position; JSON. */
export interface StateSnapshot {
  readonly position: number;
  readonly lastMember: number;
  readonly lastRoom: number;
  readonly sessions: readonly SessionState[];
  readonly rooms: readonly (Omit<RoomState, 'members' | 'further'> & {
    readonly members: readonly (readonly [memberId: number, joined: number])[];
  })[];
  /** What is banned (see `banKeys`), and until when; `null`: for ever. */
  readonly bans: readonly (readonly [key: string, until: number | null])[];
  /** Those that share the log, the oldest first. */
  readonly processes?: readonly number[];
  /** The oldest first. Absent in what older versions wrote down. */
  readonly kicks?: readonly KickState[];
  /** Absent in what older versions wrote down. */
  readonly rules?: readonly Rule[];
  /** In the order in which they were changed. Absent in what older versions wrote down. */
  readonly reads?: readonly ReadPosition[];
}

/** To be changed by `applyEntry` only. */
export class ChatState {
  /** Position of the latest entry that was applied. */
  position = 0;
  /** The ids that were given out last. */
  lastMember = 0;
  lastRoom = 0;
  readonly sessions: Map<number, SessionState> = new Map();
  readonly sessionsById: Map<string, SessionState> = new Map();
  /** Those with an account, by id. */
  readonly users: Map<number, UserState> = new Map();
  readonly #names: Names<SessionState | UserState> = new Names();
  /** Users by account; several only where the program has let an account in under several names. */
  readonly #byAccount: Map<string, Set<UserState>> = new Map();
  /** By key. */
  readonly rooms: Map<string, RoomState> = new Map();
  /** Server time at which each ban ends, `Infinity` for never, by `banKeys`. */
  readonly bans: Map<string, number> = new Map();
  /** Those that share the log, the oldest first. None where there is but one. */
  readonly processes: Set<number> = new Set();
  /** Sessions whose process is gone. */
  readonly unheld: Set<SessionState> = new Set();
  /** By position, the oldest first. */
  readonly kicks: Map<number, KickState> = new Map();
  /** What was decided about the server and its rooms. */
  readonly rules: Rules = new Rules();
  /** How far users with an account have read. */
  readonly reads: ReadPositions = new ReadPositions();
  /** In how many rooms each session is that is in one; it follows from the rooms. */
  readonly #places: Map<number, number> = new Map();

  /** Takes what was written down of a state; to be called on an empty one. */
  load(snapshot: StateSnapshot): this {
    this.position = snapshot.position;
    this.lastMember = snapshot.lastMember;
    this.lastRoom = snapshot.lastRoom;
    for (const process of snapshot.processes ?? []) this.processes.add(process);
    for (const session of snapshot.sessions) {
      const state = { ...session };
      this.addSession(state);
      if (state.unheldSince !== undefined) this.unheld.add(state);
    }
    for (const { members, ...room } of snapshot.rooms) {
      const state = { ...room, members: new Map<number, number>(), further: 0 };
      this.rooms.set(room.key, state);
      for (const [memberId, joined] of members) this.enter(state, memberId, joined);
    }
    for (const [key, until] of snapshot.bans) this.bans.set(key, until ?? Number.POSITIVE_INFINITY);
    for (const kick of snapshot.kicks ?? []) this.kicks.set(kick.position, kick);
    for (const rule of snapshot.rules ?? []) this.rules.load(rule);
    for (const read of snapshot.reads ?? []) this.reads.note(read);
    return this;
  }

  /** A copy that later entries do not change. */
  snapshot(): StateSnapshot {
    return {
      position: this.position,
      lastMember: this.lastMember,
      lastRoom: this.lastRoom,
      sessions: Array.from(this.sessions.values(), (session) => ({ ...session })),
      rooms: Array.from(this.rooms.values(), ({ members, further: _, ...room }) => ({
        ...room,
        members: [...members],
      })),
      bans: Array.from(this.bans, ([key, until]) => [key, Number.isFinite(until) ? until : null] as const),
      ...(this.processes.size === 0 ? {} : { processes: [...this.processes] }),
      kicks: [...this.kicks.values()],
      rules: [...this.rules],
      reads: [...this.reads],
    };
  }

  /** Adds a session whose name is free, or that of its user. */
  addSession(session: SessionState): void {
    const { memberId, account, name } = session;
    this.sessions.set(memberId, session);
    this.sessionsById.set(session.id, session);
    if (account === undefined) {
      this.#names.tryClaim(name, session);
      return;
    }
    const id = userOf(memberId);
    let user = this.users.get(id);
    if (!user) {
      user = { id, account, sessions: new Map() };
      this.users.set(id, user);
      const others = this.#byAccount.get(account) ?? new Set();
      this.#byAccount.set(account, others.add(user));
      this.#names.tryClaim(name, user);
    }
    user.sessions.set(memberId, session);
  }

  /** The session of that name, or of one that looks like it: of a user with several, the one with the lowest number. */
  holderOf(name: string): SessionState | undefined {
    const owner = this.#names.find(name);
    return owner && 'sessions' in owner ? firstOf(owner.sessions.values()) : owner;
  }

  /** The user of that account that came first. */
  userOfAccount(account: string): UserState | undefined {
    let first: UserState | undefined;
    for (const user of this.#byAccount.get(account) ?? []) if (!first || user.id < first.id) first = user;
    return first;
  }

  /** All sessions of the user with that id. */
  sessionsOf(user: number): Iterable<SessionState> {
    const known = this.users.get(user);
    if (known) return known.sessions.values();
    const session = this.sessions.get(user);
    return session ? [session] : [];
  }

  /** Who the user with that id is, for rules; undefined when it is not here. */
  personOfUser(user: number): string | undefined {
    const [session] = this.sessionsOf(user);
    return session && personOf(session);
  }

  /** Whether a session of the user with that id is here. */
  hasUser(user: number): boolean {
    return this.users.has(user) || this.sessions.has(user);
  }

  /** The number that the next session of a user gets; `undefined` when it can have no more. */
  nextNumber({ id, sessions }: UserState): number | undefined {
    const last = Math.max(...Array.from(sessions.keys(), deviceOf));
    if (last < MAX_DEVICE) return sessionNumber(id, last + 1);
    for (let device = 1; device < MAX_DEVICE; device++) {
      const number = sessionNumber(id, device);
      if (!sessions.has(number)) return number;
    }
    return undefined;
  }

  /** Gives the user of a session another name; answers whether it is free, and changes nothing if not. */
  tryRename(session: SessionState, name: string): boolean {
    const user = this.users.get(userOf(session.memberId));
    if (!this.#names.tryRename(session.name, name, user ?? session)) return false;
    for (const one of user?.sessions.values() ?? [session]) one.name = name;
    return true;
  }

  /** Whether a session of that user is in the room. */
  isUserIn({ members }: RoomState, user: number): boolean {
    if (members.has(user)) return true;
    for (const number of this.users.get(user)?.sessions.keys() ?? []) if (members.has(number)) return true;
    return false;
  }

  /** Takes a session into a room that it is not in. */
  enter(room: RoomState, memberId: number, position: number): void {
    if (this.isUserIn(room, userOf(memberId))) room.further++;
    room.members.set(memberId, position);
    this.#places.set(memberId, (this.#places.get(memberId) ?? 0) + 1);
  }

  leave(room: RoomState, memberId: number): void {
    if (!room.members.delete(memberId)) return;
    if (this.isUserIn(room, userOf(memberId))) room.further--;
    const others = this.#places.get(memberId)! - 1;
    if (others > 0) this.#places.set(memberId, others);
    else this.#places.delete(memberId);
  }

  /** The rooms that a session is in. Looks at all of them, but for one that is in none, as most are that end. */
  roomsOf(memberId: number): RoomState[] {
    if (!this.#places.has(memberId)) return [];
    return [...this.rooms.values()].filter(({ members }) => members.has(memberId));
  }

  /** Remembers a kick, and forgets those that are over at `now`, and the oldest of too many. */
  addKick(kick: KickState, now: number): void {
    for (const { position, until } of this.kicks.values()) if (until <= now) this.kicks.delete(position);
    this.kicks.set(kick.position, kick);
    for (const position of this.kicks.keys()) {
      if (this.kicks.size <= MAX_KICKS) break;
      this.kicks.delete(position);
    }
  }

  removeSession(session: SessionState): void {
    this.sessions.delete(session.memberId);
    this.sessionsById.delete(session.id);
    const user = this.users.get(userOf(session.memberId));
    user?.sessions.delete(session.memberId);
    if (!user) this.#names.release(session.name, session);
    else if (user.sessions.size === 0) this.#removeUser(user, session.name);
    this.unheld.delete(session);
    this.rules.ended(session.memberId);
  }

  #removeUser(user: UserState, name: string): void {
    this.users.delete(user.id);
    this.#names.release(name, user);
    const others = this.#byAccount.get(user.account);
    others?.delete(user);
    if (others?.size === 0) this.#byAccount.delete(user.account);
  }

  /** Says which process holds a session from now on; `undefined`: none, since `at`. */
  hold(session: SessionState, holder: number | undefined, at: number): void {
    session.holder = holder;
    session.unheldSince = holder === undefined ? at : undefined;
    if (holder === undefined) this.unheld.add(session);
    else this.unheld.delete(session);
  }
}

/** The session with the lowest number. */
function firstOf(sessions: Iterable<SessionState>): SessionState | undefined {
  let first: SessionState | undefined;
  for (const session of sessions) if (!first || session.memberId < first.memberId) first = session;
  return first;
}

/** How a ban of a look of a name, of the key of an address, or of a range of addresses is kept. */
export function banKey(kind: 'look' | 'address' | 'range', what: string): string {
  return `${kind}:${what}`;
}

/** How bans are kept: one key for each look of a name, for each address, and for each range. */
export function banKeys(ban: {
  readonly looks: readonly string[];
  readonly addresses: readonly string[];
  readonly ranges?: readonly string[];
}): string[] {
  return [
    ...ban.looks.map((look) => banKey('look', look)),
    ...ban.addresses.map((key) => banKey('address', key)),
    ...(ban.ranges ?? []).map((range) => banKey('range', range)),
  ];
}
