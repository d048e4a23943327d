/**
 * The other end of a session, in whatever dialect it speaks. A session says what happened; its peer says it
 * in frames or in lines. A session that is away has no peer.
 */
import type { Failure } from '@chat/protocol';
import type { ReadNews, ResponseBodies } from '@chat/protocol/frames';
import type { InputAccount } from '../limits/input-account.js';
import type { ClientRequest, SessionInfo } from '../options/hooks.js';
import type { EntryReceiver, Membership } from '../room/room.js';

/** What a connection knows of how its client came. */
export type CarrierRequest = Omit<ClientRequest, 'clientId'>;

/** Speaks to one connected client. Nothing here throws for what the client did. */
export interface Peer extends EntryReceiver {
  readonly dialect: SessionInfo['dialect'];
  readonly address: string;
  /** How the client came; held until it is let in. */
  readonly request: CarrierRequest | undefined;
  /** When a client that is not pinged was heard last, by the clock of the wheel. */
  readonly silentSince?: number;
  /** What its input is charged to: once it has a session, the account of that. */
  input: InputAccount;
  /** @param isWaiting whether the receiver of a direct message is away, and gets it when it comes back */
  ack(publishId: number, seq: number, at: number, isWaiting: boolean): void;
  nack(publishId: number, failure: Failure): void;
  /** Its user has read on another session. Absent where the client does not know of it. */
  readonly toldRead?: ((news: ReadNews) => void) | undefined;
  gap(roomHandle: number, from: number, to: number): void;
  /**
   * The member was shown out of a room, and its notice is the newest entry of it: says so, with all that came
   * before or the gap in its place. Nothing of the room follows.
   */
  evict(membership: Membership): void;
  /** Says a sentence to people, in a dialect that has words for it. */
  tell(notice: string): void;
  /** Announces that the server goes away, waits for what is on its way, then closes. */
  drain(retryAfterMs: number): void;
  /** Says why and ends the connection. Idempotent. */
  close(code: number, reason: string, retryAfterMs?: number): void;
}

/** What a session answers to requests. */
export type Answer<Op extends keyof ResponseBodies> = ResponseBodies[Op] | { readonly failure: Failure };
