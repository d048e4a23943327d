/**
 * What sessions and their parts work with. Each part says in its constructor which of these it takes; one object has
 * them all, so that a session costs no more than what is its own.
 */
import type { AddressLimits } from '../limits/address-limits.js';
import type { Bans } from '../limits/bans.js';
import type { RefusalLog } from '../limits/refusal-log.js';
import type { EventLog } from '../log/event-log.js';
import type { ResolvedOptions } from '../options/options.js';
import type { FanOut } from '../room/fan-out.js';
import type { Rooms } from '../room/rooms.js';
import type { TimerWheel } from '../time/timer-wheel.js';
import type { Counters } from './counters.js';
import type { KickedSessions } from './kicked-sessions.js';
import type { Sessions } from './sessions.js';

/** What a session, and what belongs to it, needs of the server. */
export interface SessionContext {
  readonly options: ResolvedOptions;
  readonly log: EventLog;
  readonly rooms: Rooms;
  readonly fanOut: FanOut;
  readonly sessions: Sessions;
  readonly kicked: KickedSessions;
  readonly bans: Bans;
  readonly addresses: AddressLimits;
  readonly wheel: TimerWheel;
  readonly counters: Counters;
  readonly refusals: RefusalLog;
  /** Largest body of a message in bytes. */
  readonly maxMessageBytes: number;
}
