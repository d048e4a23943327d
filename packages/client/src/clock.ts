/**
 * Time, as a port: what a test replaces to let minutes pass in no time.
 *
 * There are two times. The time of day is what users see, and may be set at any moment. Everything that lasts
 * (silence, ages, patience) is measured by the other one, which only goes forward: `monotonicMs`.
 */

/** The source of the client's time and timers. */
export interface Clock {
  /** Time of day: milliseconds since 1970. It may jump. */
  now(): number;
  /**
   * Milliseconds since some moment in the past. Never goes back, and does not jump when the time of day is
   * set; it may stand still while the machine sleeps. A clock that is moved by hand needs it.
   * @defaultValue `performance.now`
   */
  monotonic?(): number;
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

/** The time by which durations are measured. */
export function monotonicMs(clock: Clock): number {
  return clock.monotonic?.() ?? performance.now();
}
