/**
 * What sessions and their parts work with. Each part says in its constructor which of these it takes; one object has
 * them all, so that a session costs no more than what is its own.
 */
import type { Failure } from '@chat/protocol';
import type { AddressLimits } from '../limits/address-limits.js';
import type { Bans } from '../limits/bans.js';
import type { InputAccount } from '../limits/input-account.js';
import type { RefusalLog } from '../limits/refusal-log.js';
import type { EventLog } from '../log/event-log.js';
import type { SessionState } from '../log/state/chat-state.js';
import type { Rules } from '../log/state/rules.js';
import type { ReadPositions } from '../log/state/users/read-positions.js';
import type { SteadyAppender } from '../log/steady-appender.js';
import type { SessionInfo } from '../options/hooks.js';
import type { ResolvedOptions } from '../options/options.js';
import type { FanOut } from '../room/fan-out.js';
import type { Member, Membership } from '../room/room.js';
import type { Rooms } from '../room/rooms.js';
import type { TimerWheel } from '../time/timer-wheel.js';
import type { Counters } from './counters.js';
import type { Inboxes } from './directs/inbox.js';
import type { KickedSessions } from './kicked-sessions.js';
import type { Peer } from './peer.js';

/** A session as its parts see it, and the directory that it is in. */
export interface SessionPerson extends Member {
  /** The name in UTF-8. Not to be written to. */
  readonly nameBytes: Uint8Array;
  readonly info: SessionInfo;
  /** The name that `authenticate` gave it. */
  readonly account: string | undefined;
  /** Whether it has left for good. */
  readonly ended: boolean;
  /** Where its direct messages wait while it is away. Made if need be. */
  readonly waiting: WaitingSpace;
  readonly peer: Peer | undefined;
  /** What it sends and causes is charged here. */
  readonly input: InputAccount;
  /** The rooms that it is in, by handle. */
  readonly rooms: ReadonlyMap<number, Membership>;
}

/** Space for direct messages to somebody who is away. */
export interface WaitingSpace {
  /** Keeps space for a message of `bytes` that is on its way; or says why there is none. */
  expect(bytes: number): Failure | undefined;
  /** A message that was expected is here, or does not come. */
  arrived(bytes: number): void;
}

/** The directory of sessions, as a session sees it; see `Sessions`. */
export interface SessionDirectory {
  /** Told when a session has lost its connection, for whatever reason. */
  readonly onPeerGone: (() => void) | undefined;
  /** A session of the user of that name, or of one that looks like it, that this process holds. */
  find(name: string): SessionPerson | undefined;
  /** The same, whichever process holds it. */
  holderOf(name: string): SessionState | undefined;
  /** All sessions of the user of that name, whichever processes hold them; none when nobody has it. */
  allOf(name: string): SessionState[];
  /** All sessions of the user with that id. */
  ofUser(user: number): SessionState[];
  /** The session of that member, if this process holds it. */
  byMember(memberId: number): SessionPerson | undefined;
  /** Whether that session is known to have no connection. */
  isAway(session: SessionState): boolean;
  /** Whether that session has not ended, whichever process holds it. */
  isHere(session: SessionState): boolean;
  away(session: SessionPerson): void;
  ended(session: SessionPerson): void;
  roomJoined(session: SessionPerson, room: string): void;
  roomLeft(session: SessionPerson, room: string): void;
}

/** What a session, and what belongs to it, needs of the server. */
export interface SessionContext {
  readonly options: ResolvedOptions;
  readonly log: EventLog;
  /** For what has happened whether or not the log can take it now. */
  readonly steady: SteadyAppender;
  readonly rooms: Rooms;
  /** What was decided about the server and its rooms. */
  readonly rules: Rules;
  /** How far users have read. */
  readonly reads: ReadPositions;
  readonly fanOut: FanOut;
  readonly sessions: SessionDirectory;
  readonly inboxes: Inboxes;
  readonly kicked: KickedSessions;
  readonly bans: Bans;
  readonly addresses: AddressLimits;
  readonly wheel: TimerWheel;
  readonly counters: Counters;
  readonly refusals: RefusalLog;
  /** Largest body of a message in bytes. */
  readonly maxMessageBytes: number;
}
