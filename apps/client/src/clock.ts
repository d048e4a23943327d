/** The time of the machine. */
import type { Clock } from '@chat/client';

/** A clock that has both times: `now` for what is shown, `monotonic` for what lasts. */
export interface SteadyClock extends Clock {
  monotonic(): number;
}

export const systemClock: SteadyClock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimeout: (callback, delayMs) => setTimeout(callback, delayMs),
  clearTimeout: (handle) => clearTimeout(handle as ReturnType<typeof setTimeout>),
};
