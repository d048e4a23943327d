/** A member as its rooms see it: a name, and a connection that takes entries, unless it is away. */
import type { Membership } from './room.js';

export interface Member {
  readonly memberId: number;
  readonly name: string;
  /** The connection, `undefined` while the member is away. */
  readonly peer: EntryReceiver | undefined;
  /** It fell behind what the log holds. */
  lagged(membership: Membership): void;
}

/** A connection to which entries are delivered. */
export interface EntryReceiver {
  /** Sends the entries between the membership's cursor and the end, as far as the socket takes them. */
  deliver(membership: Membership): void;
  /** Sends the answers of this turn. */
  flush(): void;
  /** Passes on an encoded signal frame, unless bytes are unsent. */
  signal(frame: Uint8Array): void;
}
