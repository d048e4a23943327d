/**
 * Time as a port, so that a test moves it by hand instead of sleeping.
 *
 * There are two times. The time of day is written into entries (`at`) and may be set forward or back at any moment.
 * Everything that lasts is measured by the other one, which only ever goes forward: silence, rates, bans, ages.
 */

/** What the server needs of time. */
export interface Clock {
  /** Time of day: milliseconds since 1970. It may jump. */
  now(): number;
  /**
   * Milliseconds since some moment in the past; never goes back, and does not jump when the time of day is set.
   * @defaultValue derived from `now` and the timers
   */
  monotonic?(): number;
  /** Calls `callback` once after `delayMs`; answers a function that cancels it. Never keeps a process alive. */
  after(delayMs: number, callback: () => void): () => void;
  /** Calls `callback` every `intervalMs`; answers a function that stops it. Never keeps a process alive. */
  every(intervalMs: number, callback: () => void): () => void;
}

/** A clock that knows both times. */
export interface SteadyClock extends Clock {
  monotonic(): number;
}

/** The time of the machine. */
export const systemClock: SteadyClock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after: (delayMs, callback) => {
    const timer = setTimeout(callback, delayMs);
    timer.unref();
    return () => clearTimeout(timer);
  },
  every: (intervalMs, callback) => {
    const timer = setInterval(callback, intervalMs);
    timer.unref();
    return () => clearInterval(timer);
  },
};

/** Between two ticks `now` may move on by this many intervals before it counts as set. */
const PLAUSIBLE_INTERVALS = 4;

/**
 * A clock that knows both times, from one that may know the time of day alone.
 *
 * The steps of `now` are believed while they look like the passing of time. A step that does not is judged at the next
 * tick of a timer: a tick that took its time in this process says how long it really was, and the time of day was set.
 * A tick that came at once comes from a clock that is moved by hand, whose steps are what it says.
 *
 * @param machineMs time of this process, to judge ticks by
 */
export function steadyClock(clock: Clock, machineMs: () => number = () => performance.now()): SteadyClock {
  if (hasMonotonic(clock)) return clock;
  return new DerivedClock(clock, machineMs);
}

function hasMonotonic(clock: Clock): clock is SteadyClock {
  return clock.monotonic !== undefined;
}

class DerivedClock implements SteadyClock {
  readonly #clock: Clock;
  readonly #machineMs: () => number;
  /** Elapsed time at the last tick, and what the clocks said then. */
  #elapsed = 0;
  #now: number;
  #machine: number;
  #latest = 0;
  #intervalMs = 250;

  constructor(clock: Clock, machineMs: () => number) {
    this.#clock = clock;
    this.#machineMs = machineMs;
    this.#now = clock.now();
    this.#machine = machineMs();
  }

  now(): number {
    return this.#clock.now();
  }

  monotonic(): number {
    const step = this.#clock.now() - this.#now;
    const most = this.#intervalMs * PLAUSIBLE_INTERVALS;
    this.#latest = Math.max(this.#latest, this.#elapsed + Math.min(Math.max(0, step), most));
    return this.#latest;
  }

  after(delayMs: number, callback: () => void): () => void {
    return this.#clock.after(delayMs, callback);
  }

  every(intervalMs: number, callback: () => void): () => void {
    this.#intervalMs = intervalMs;
    return this.#clock.every(intervalMs, () => {
      this.#tick(intervalMs);
      callback();
    });
  }

  #tick(intervalMs: number): void {
    const [now, machine] = [this.#clock.now(), this.#machineMs()];
    const [step, took] = [now - this.#now, machine - this.#machine];
    const isPlausible = step >= 0 && step <= intervalMs * PLAUSIBLE_INTERVALS;
    this.#elapsed += isPlausible ? step : took >= intervalMs / 2 ? took : Math.max(0, step);
    this.#now = now;
    this.#machine = machine;
  }
}

/** The longest delay that timers take. */
export const MAX_TIMER_MS: number = 2_147_483_647;
