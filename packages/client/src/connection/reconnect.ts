/**
 * Decides when to come back, and whether at all: exponential backoff with full jitter and a cap, never sooner
 * than the server asked for. After Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog,
 * 2015.
 */
import { type Clock, monotonicMs } from '../clock.js';
import type { ClientError } from '../errors.js';
import { mayRetry } from './refusals.js';

/** How a lost connection is made again. */
export interface ReconnectOptions {
  /** False closes the client when its connection is lost. @defaultValue true */
  readonly enabled?: boolean;
  /**
   * Also tries again when the very first connection fails for a reason that may pass, or finds its name
   * taken.
   * @defaultValue false
   */
  readonly initial?: boolean;
  /**
   * How long `initial` goes on while the name is taken, in milliseconds. An earlier run that ended without a
   * goodbye has it until the server notices, and then for the resume window. 0: not at all. @defaultValue
   * 120000
   */
  readonly nameTakenTimeoutMs?: number;
  /** Upper bound of the first delay; it doubles with each attempt. @defaultValue 500 */
  readonly baseDelayMs?: number;
  /** Upper bound of every delay that this side chooses. @defaultValue 30000 */
  readonly maxDelayMs?: number;
  /** Upper bound of a delay that the server asks for, in milliseconds. @defaultValue 300000 */
  readonly maxRetryAfterMs?: number;
  /** Gives up after so many attempts in a row. @defaultValue Infinity */
  readonly maxAttempts?: number;
}

/** The delay before `attempt` (1 is the first) in milliseconds. `random` gives numbers from 0 to 1. */
export function reconnectDelay(
  attempt: number,
  { baseDelayMs, maxDelayMs, maxRetryAfterMs }: Required<ReconnectOptions>,
  random: () => number,
  retryAfterMs = 0,
): number {
  const ceiling = Math.min(maxDelayMs, baseDelayMs * 2 ** Math.min(attempt - 1, 30));
  return Math.max(Math.min(retryAfterMs, maxRetryAfterMs), Math.floor(random() * ceiling));
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
  /** Until when a name that is taken is waited for. */
  #patientUntil: number | undefined;
  #timer: unknown;

  constructor(options: Required<ReconnectOptions>, clock: Clock, random: () => number, onDue: () => void) {
    this.#options = options;
    this.#clock = clock;
    this.#random = random;
    this.#onDue = onDue;
  }

  /** A connection is open. */
  opened(): void {
    this.#openedAt = monotonicMs(this.#clock);
  }

  /**
   * The connection is lost, or there was none; `wasOpen` tells whether there ever was.
   *
   * @returns the attempt that is made, and at what time of day; undefined when it makes no sense to come back
   */
  plan(
    error: ClientError,
    wasOpen: boolean,
  ): { readonly attempt: number; readonly nextAt: number } | undefined {
    const { enabled, initial, maxAttempts, nameTakenTimeoutMs } = this.#options;
    const now = monotonicMs(this.#clock);
    if (now - this.#openedAt >= STABLE_MS) this.#attempt = 0;
    this.#openedAt = Infinity;
    const attempt = ++this.#attempt;
    const again = enabled && (wasOpen || initial) && attempt <= maxAttempts;
    if (!again) return undefined;
    let delayMs = reconnectDelay(attempt, this.#options, this.#random, error.retryAfterMs);
    if (!mayRetry(error)) {
      if (wasOpen || !isHeld(error)) return undefined;
      this.#patientUntil ??= now + nameTakenTimeoutMs;
      const leftMs = this.#patientUntil - now;
      if (leftMs <= 0) return undefined;
      delayMs = Math.min(delayMs, leftMs);
    }
    this.#timer = this.#clock.setTimeout(() => this.now(), delayMs);
    return { attempt, nextAt: this.#clock.now() + delayMs };
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
    this.#patientUntil = undefined;
  }

  #stopWaiting(): void {
    this.#clock.clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}

/** Whether an earlier run may be what stands in the way: under the same name, or with the same identity. */
function isHeld({ code }: ClientError): boolean {
  return code === 'ERR_CLIENT_NAME_TAKEN' || code === 'ERR_CLIENT_SESSION_REPLACED';
}
