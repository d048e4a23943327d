/**
 * All sessions, by id, by member and by name; and who is told of what happens to them.
 */
import type { AddressLimit } from '../limits/addresses/address-limit.js';
import type { ChatState, SessionState } from '../log/state/chat-state.js';
import type { SessionInfo } from '../options/hooks.js';
import type { SessionDirectory, SessionPerson } from './context.js';
import type { Counters } from './counters.js';
import type { Session } from './session.js';

/** Told when a session begins, is away, comes back or ends, and when it comes into a room or leaves it. */
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

  /**
   * @param state knows names and ids
   * @param held counts sessions by address, those away included
   */
  constructor(state: ChatState, held: AddressLimit, counters: Counters, emit: EmitSessionEvent) {
    this.#state = state;
    this.#held = held;
    this.#counters = counters;
    this.#emit = emit;
  }

  get count(): number {
    return this.#byMember.size;
  }

  /** The oldest first. */
  [Symbol.iterator](): IterableIterator<Session> {
    return this.#byMember.values();
  }

  byId(id: string): Session | undefined {
    return this.#ofState(this.#state.sessionsById.get(id));
  }

  byMember(memberId: number): Session | undefined {
    return this.#byMember.get(memberId);
  }

  find(name: string): Session | undefined {
    return this.#ofState(this.#state.names.find(name));
  }

  /** Takes a session that was here before the server was started again; it is away. */
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

  /** Lets go of a session that has left its rooms. */
  ended(session: Session): void {
    this.#byMember.delete(session.memberId);
    this.#held.leave(session.info.address);
    this.#emit('session-ended', session.info);
  }

  #ofState(state: SessionState | undefined): Session | undefined {
    return state && this.#byMember.get(state.memberId);
  }
}
