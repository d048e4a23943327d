/** The parts of a server that the program around it speaks and reads through. */
import type { EventLog } from '../../log/event-log.js';
import type { ResolvedOptions } from '../../options/options.js';
import type { FanOut } from '../../room/fan-out.js';
import type { Rooms } from '../../room/rooms.js';
import type { Counters } from '../../session/counters.js';
import type { Sessions } from '../../session/sessions.js';

/** What speaking and reading needs of the server. */
export interface ProgramContext {
  readonly options: ResolvedOptions;
  readonly log: EventLog;
  readonly rooms: Rooms;
  readonly fanOut: FanOut;
  readonly sessions: Sessions;
  readonly counters: Counters;
  /** Largest body of a message in bytes. */
  readonly maxMessageBytes: number;
}
