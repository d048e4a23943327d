/**
 * When to come back: exponential backoff with full jitter and a cap (after Marc Brooker, "Exponential Backoff
 * And Jitter", AWS Architecture Blog, 2015), never sooner than the server asked for.
 */

/** How a lost connection is made again. */
export interface ReconnectOptions {
  /** False closes the client when its connection is lost. @defaultValue true */
  readonly enabled?: boolean;
  /** Also tries again when the very first connection fails for a reason that may pass. @defaultValue false */
  readonly initial?: boolean;
  /** Upper bound of the first delay; it doubles with each attempt. @defaultValue 500 */
  readonly baseDelayMs?: number;
  /** Upper bound of every delay. @defaultValue 30000 */
  readonly maxDelayMs?: number;
  /** Gives up after so many attempts in a row. @defaultValue Infinity */
  readonly maxAttempts?: number;
}

/** The delay before `attempt` (1 is the first) in milliseconds. `random` gives numbers from 0 to 1. */
export function reconnectDelay(
  attempt: number,
  { baseDelayMs, maxDelayMs }: Required<ReconnectOptions>,
  random: () => number,
  retryAfterMs = 0,
): number {
  const ceiling = Math.min(maxDelayMs, baseDelayMs * 2 ** Math.min(attempt - 1, 30));
  return Math.max(retryAfterMs, Math.floor(random() * ceiling));
}
