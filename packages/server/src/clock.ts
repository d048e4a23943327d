/**
 * Time as a port, so that a test moves it by hand instead of sleeping.
 */

/** What the server needs of time. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Calls `callback` once after `delayMs`; answers a function that cancels it. Never keeps a process alive. */
  after(delayMs: number, callback: () => void): () => void;
  /** Calls `callback` every `intervalMs`; answers a function that stops it. Never keeps a process alive. */
  every(intervalMs: number, callback: () => void): () => void;
}

/** The time of the machine. */
export const systemClock: Clock = {
  now: () => Date.now(),
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
