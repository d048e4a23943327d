/**
 * When to come back: exponential backoff with full jitter and a cap (after Marc Brooker, "Exponential Backoff
 * And Jitter", AWS Architecture Blog, 2015), never sooner than the server asked for; and whether at all.
 */
import type { Clock } from './clock.js';
import { type ClientError, mayRetry } from './errors.js';

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

/** A connection that lasted so long was a good one: the next loss begins with short delays again. */
const STABLE_MS = 5000;

/** Counts the attempts since the last good connection, and waits for the next one. */
export class Reconnect {
  readonly #options: Required<ReconnectOptions>;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #onDue: () => void;
  #attempt = 0;
  #openedAt = Infinity;
  #timer: unknown;

  constructor(options: Required<ReconnectOptions>, clock: Clock, random: () => number, onDue: () => void) {
    this.#options = options;
    this.#clock = clock;
    this.#random = random;
    this.#onDue = onDue;
  }

  /** A connection is open. */
  opened(): void {
    this.#openedAt = this.#clock.now();
  }

  /**
   * The connection is lost, or there was none; `wasOpen` tells whether there ever was.
   *
   * @returns the attempt that is made, and when; undefined when it makes no sense to come back
   */
  plan(
    error: ClientError,
    wasOpen: boolean,
  ): { readonly attempt: number; readonly nextAt: number } | undefined {
    const { enabled, initial, maxAttempts } = this.#options;
    const now = this.#clock.now();
    if (now - this.#openedAt >= STABLE_MS) this.#attempt = 0;
    this.#openedAt = Infinity;
    const attempt = ++this.#attempt;
    const again = enabled && (wasOpen || initial) && attempt <= maxAttempts;
    if (!again || !mayRetry(error)) return undefined;
    const delayMs = reconnectDelay(attempt, this.#options, this.#random, error.retryAfterMs);
    this.#timer = this.#clock.setTimeout(() => this.now(), delayMs);
    return { attempt, nextAt: now + delayMs };
  }

  /** Makes the attempt that is waited for at once. */
  now(): void {
    if (this.#timer === undefined) return;
    this.#stopWaiting();
    this.#onDue();
  }

  /** Forgets everything: the next attempt is the first. */
  reset(): void {
    this.#stopWaiting();
    this.#attempt = 0;
    this.#openedAt = Infinity;
  }

  #stopWaiting(): void {
    this.#clock.clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
