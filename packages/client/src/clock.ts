/**
 * Time, as a port: what a test replaces to let minutes pass in no time.
 */

/** Where the client gets its time and its timers from. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Calls `callback` once, `delayMs` from now. @returns a handle for {@link Clock.clearTimeout} */
  setTimeout(callback: () => void, delayMs: number): unknown;
  /** Forgets a timer. A handle whose timer has fired is ignored. */
  clearTimeout(handle: unknown): void;
}

/** Longer timers fire at once on every platform. */
const MAX_TIMER_MS = 0x7fffffff;

/** The clock of the platform. */
export const systemClock: Clock = {
  now: () => Date.now(),
  setTimeout: (callback, delayMs) => setTimeout(callback, Math.min(delayMs, MAX_TIMER_MS)),
  clearTimeout: (handle) => clearTimeout(handle as ReturnType<typeof setTimeout>),
};
