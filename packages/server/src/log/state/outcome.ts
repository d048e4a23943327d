/** What entries bring about. */
import type { MessageChange } from '../messages/change-message.js';
import type { KickState, RoomState, SessionPlace, SessionState } from './chat-state.js';
import type { Decision } from './decision.js';
import type { PlaceRead } from './users/read-positions.js';

/** What an entry has brought about. */
export type Outcome =
  /** A message or notice is to be shown to those who are in its room, or to the member whose inbox it is in. */
  | { readonly kind: 'shown' }
  /** A publish that is in the log already: nobody is shown it again. */
  | { readonly kind: 'repeated' }
  /** It came too late to change anything. */
  | { readonly kind: 'void'; readonly reason: VoidReason }
  | { readonly kind: 'joined'; readonly room: RoomState; readonly member: number }
  | { readonly kind: 'left'; readonly room: RoomState | undefined; readonly member: number }
  /** A session came into the room of its user, or left it while another one stays: nobody is shown it. */
  | { readonly kind: 'also-joined' | 'also-left'; readonly room: RoomState; readonly member: number }
  | { readonly kind: 'session-opened' | 'session-renamed'; readonly session: SessionState }
  | {
      readonly kind: 'session-ended';
      readonly session: SessionState;
      readonly rooms: readonly RoomState[];
      /** Those of its rooms that its user is in no more. */
      readonly left: readonly RoomState[];
    }
  | {
      readonly kind: 'session-kicked';
      readonly session: SessionState;
      readonly rooms: readonly RoomState[];
      readonly left: readonly RoomState[];
      readonly kick: KickState;
    }
  /** It goes on at the process that appended the entry; `former` held it, and `place` is where it was connected. */
  | {
      readonly kind: 'session-taken';
      readonly session: SessionState;
      readonly former: number | undefined;
      readonly place: SessionPlace | undefined;
    }
  /** The process that holds the session is asked to do it. */
  | { readonly kind: 'eviction-asked' | 'credentials-asked'; readonly session: SessionState }
  | { readonly kind: 'barrier' }
  | { readonly kind: 'process-came'; readonly process: number }
  | {
      readonly kind: 'process-gone';
      readonly process: number;
      /** Those that it held. */
      readonly sessions: readonly SessionState[];
    }
  /** To be passed on to the members of its room. */
  | { readonly kind: 'signal' }
  | { readonly kind: 'room-opened' | 'room-forgotten'; readonly room: RoomState }
  | { readonly kind: 'banned'; readonly keys: readonly string[] }
  | {
      readonly kind: 'unbanned';
      /** Of bans that there were. */
      readonly keys: readonly string[];
      /** Of all that is not banned any more. */
      readonly ended: readonly string[];
      readonly pardoned: readonly KickState[];
    }
  /** A message is another one now, and the notice that says so is to be shown. */
  | { readonly kind: 'corrected'; readonly seq: number; readonly change: MessageChange }
  /** The user of the session has read further. */
  | { readonly kind: 'read'; readonly session: SessionState; readonly reads: readonly PlaceRead[] }
  | { readonly kind: 'blocks-changed'; readonly session: SessionState }
  /** It is decided, and counts from here on. */
  | { readonly kind: 'moderated'; readonly scope: string; readonly decision: Decision };

/** Why an entry changes nothing. */
export type VoidReason =
  | 'name-taken'
  | 'banned'
  | 'no-such-session'
  | 'no-such-room'
  | 'already-in-room'
  | 'room-exists'
  | 'room-in-use'
  /** Its session goes on at another process. */
  | 'held-elsewhere'
  /** A later hello of the same client was there before. */
  | 'outdated'
  /** The process that appended it is not here: it was declared gone, or has not come. */
  | 'no-such-process'
  | 'process-exists'
  /** At its place in the log, its sender may not do that, or not any more. */
  | 'forbidden'
  | 'muted'
  /** Its receiver takes no direct messages from its sender. */
  | 'blocked'
  /** Of a newer version: passed over by all alike. */
  | 'unknown-claim'
  | 'unknown-entry';

/** The outcome of an entry that changes nothing. */
export function ignored(reason: VoidReason): Outcome {
  return { kind: 'void', reason };
}

/** Whether another process than `from` holds the session. */
export function isHeldElsewhere({ holder }: SessionState, from: number): boolean {
  return holder !== undefined && holder !== from;
}
