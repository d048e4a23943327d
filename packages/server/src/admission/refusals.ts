/** Why somebody is not let in, as it is told to its client. */
import { CloseCode } from '@chat/protocol';

/** What a client is told to wait when there is no room for it. */
const OVERLOADED_RETRY_MS = 5000;

/** Why somebody is not let in. */
export interface Refusal {
  readonly code: CloseCode;
  readonly reason: string;
  readonly retryAfterMs?: number;
  /** Whether `authenticate` chose the name: wishing for another one would not help. */
  readonly isGiven?: boolean;
  /** Whether a client that is asked for a password may show it now. */
  readonly asksPassword?: boolean;
}

export const DRAINING: Refusal = { code: CloseCode.GoingAway, reason: 'the server goes away' };

export function nameTaken(): Refusal {
  return { code: CloseCode.NameTaken, reason: 'this name, or one that looks like it, is taken' };
}

export function tooManySessions(max: number): Refusal {
  return { code: CloseCode.TooManyConnections, reason: `you have ${max} sessions already` };
}

export function overloaded(reason: string): Refusal {
  return { code: CloseCode.Overloaded, reason, retryAfterMs: OVERLOADED_RETRY_MS };
}

export function banned(retryAfterMs: number): Refusal {
  return { code: CloseCode.Banned, reason: 'banned', retryAfterMs };
}

export function outdated(): Refusal {
  return { code: CloseCode.SessionReplaced, reason: 'a later connection of this client was there before' };
}
