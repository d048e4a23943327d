/** What entries bring about. */
import type { RoomState, SessionState } from './chat-state.js';

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
  | { readonly kind: 'session-opened' | 'session-renamed'; readonly session: SessionState }
  | { readonly kind: 'session-ended'; readonly session: SessionState; readonly rooms: readonly RoomState[] }
  | { readonly kind: 'room-opened' | 'room-forgotten'; readonly room: RoomState }
  | { readonly kind: 'banned' | 'unbanned'; readonly keys: readonly string[] };

/** Why an entry changes nothing. */
export type VoidReason =
  | 'name-taken'
  | 'banned'
  | 'no-such-session'
  | 'no-such-room'
  | 'already-in-room'
  | 'room-exists'
  | 'room-in-use'
  | 'unknown-claim';
