/**
 * All sessions, by id, by member and by name; and who is told of what happens to them.
 */
import type { AddressLimit } from '../limits/addresses/address-limit.js';
import type { ChatState, SessionState } from '../log/state/chat-state.js';
import { userOf } from '../log/state/session-number.js';
import type { SessionInfo } from '../options/hooks.js';
import type { SessionDirectory, SessionPerson } from './context.js';
import type { Counters } from './counters.js';
import type { Session } from './session.js';

/**
 * Told when a session begins, is away, comes back or ends, and when it comes into a room or leaves it. Where several
 * processes share the log, the one that holds the session is told.
 */
export interface SessionEvents {
  /** Somebody came in, under the name that is told. */
  'session-opened': SessionInfo;
  /** A connection broke; the session is away, and may resume within `resumeWindowMs`. */
  'session-away': SessionInfo;
  /** A session that was away goes on over a new connection. */
  'session-resumed': SessionInfo;
  /** A session is gone: it left, was removed, or did not come back in time. */
  'session-ended': SessionInfo;
  /** A session became a member of `room`, for the first time since it was opened or left it. */
  'room-joined': SessionInfo & { readonly room: string };
  /** A session is no member of `room` any more: it left, was evicted from it, or is gone. */
  'room-left': SessionInfo & { readonly room: string };
}

/** Takes the events. Must not throw. */
export type EmitSessionEvent = <Name extends keyof SessionEvents>(
  name: Name,
  info: SessionEvents[Name],
) => void;

export class Sessions implements SessionDirectory {
  /** Told when a session has lost its connection, for whatever reason. */
  onPeerGone: (() => void) | undefined;
  readonly #state: ChatState;
  readonly #byMember = new Map<number, Session>();
  readonly #held: AddressLimit;
  readonly #counters: Counters;
  readonly #emit: EmitSessionEvent;
  /** The number of this process, where it is not the only one. */
  readonly #process: number | undefined;

  /**
   * @param state knows names and ids
   * @param held counts sessions by address, those away included
   * @param process names this process, where it is not the only one
   */
  constructor(
    state: ChatState,
    held: AddressLimit,
    counters: Counters,
    emit: EmitSessionEvent,
    process?: number,
  ) {
    this.#process = process;
    this.#state = state;
    this.#held = held;
    this.#counters = counters;
    this.#emit = emit;
  }

  /** Sessions that this process holds. */
  get count(): number {
    return this.#byMember.size;
  }

  /** All of the chat, whichever process holds them. */
  get total(): number {
    return this.#process === undefined ? this.#byMember.size : this.#state.sessions.size;
  }

  /** Everybody who is here, whichever process holds the session. */
  get everybody(): Iterable<SessionState> {
    return this.#state.sessions.values();
  }

  /** Those that this process holds, the oldest first. */
  [Symbol.iterator](): IterableIterator<Session> {
    return this.#byMember.values();
  }

  /** The session of that id, whichever process holds it. */
  byId(id: string): SessionState | undefined {
    return this.#ifHere(this.#state.sessionsById.get(id));
  }

  byMember(memberId: number): Session | undefined {
    return this.#byMember.get(memberId);
  }

  find(name: string): Session | undefined {
    for (const { memberId } of this.allOf(name)) {
      const session = this.#byMember.get(memberId);
      if (session) return session;
    }
    return undefined;
  }

  holderOf(name: string): SessionState | undefined {
    return this.allOf(name)[0];
  }

  allOf(name: string): SessionState[] {
    const holder = this.#state.holderOf(name);
    return holder ? this.ofUser(userOf(holder.memberId)) : [];
  }

  ofUser(user: number): SessionState[] {
    return [...this.#state.sessionsOf(user)].filter((session) => this.#ifHere(session));
  }

  ofAccount(account: string): SessionState[] {
    const user = this.#state.userOfAccount(account);
    return user ? this.ofUser(user.id) : [];
  }

  isHere(session: SessionState): boolean {
    return this.#state.sessions.has(session.memberId) && this.#ifHere(session) !== undefined;
  }

  isAway(session: SessionState): boolean {
    if (this.isElsewhere(session)) return session.holder === undefined;
    return this.#byMember.get(session.memberId)?.peer === undefined;
  }

  /** Whether another process holds it, or one did that is gone. */
  isElsewhere({ holder }: SessionState): boolean {
    return this.#process !== undefined && holder !== this.#process;
  }

  /** What is known of a member, whichever process holds its session. */
  stateOf(memberId: number): SessionState | undefined {
    return this.#state.sessions.get(memberId);
  }

  /** Takes a session that comes from an earlier life of the server, or from another process; it has no connection yet. */
  recovered(session: Session): void {
    this.#byMember.set(session.memberId, session);
    this.#held.enter(session.info.address);
  }

  /** Takes a new session, which its address was counted for. */
  opened(session: Session): void {
    this.#byMember.set(session.memberId, session);
    this.#counters.sessionsOpened++;
    this.#emit('session-opened', session.info);
  }

  resumed(session: Session): void {
    this.#counters.sessionsResumed++;
    this.#emit('session-resumed', session.info);
  }

  away(session: SessionPerson): void {
    this.#counters.sessionsAway++;
    this.#emit('session-away', session.info);
  }

  roomJoined(session: SessionPerson, room: string): void {
    this.#emit('room-joined', { ...session.info, room });
  }

  roomLeft(session: SessionPerson, room: string): void {
    this.#emit('room-left', { ...session.info, room });
  }

  /** Ends the sessions that `isMeant` finds, of those that this process holds; answers how many. */
  revoke(isMeant: (session: SessionInfo) => boolean, reason: string): number {
    const meant = [...this].filter((session) => isMeant(session.info));
    for (const session of meant) session.revoke(reason);
    return meant.length;
  }

  /** Lets go of a session that has left its rooms. */
  ended(session: Session): void {
    this.#byMember.delete(session.memberId);
    this.#held.leave(session.info.address);
    this.#emit('session-ended', session.info);
  }

  /** Lets go of a session that goes on at another process, or may. */
  letGo(session: Session): void {
    this.#byMember.delete(session.memberId);
    this.#held.leave(session.info.address);
  }

  /** Not one that has ended here, which the log has not told yet. */
  #ifHere(state: SessionState | undefined): SessionState | undefined {
    if (!state || this.isElsewhere(state) || this.#byMember.has(state.memberId)) return state;
    return undefined;
  }
}
