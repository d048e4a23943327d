/** A clock that stands until a test moves it, and whose time of day a test can set. */
import type { SteadyClock } from '../../../src/clock.js';

const TIME_OF_DAY = 1_700_000_000_000;

export class ManualClock implements SteadyClock {
  #now = 1_000_000;
  #setMs = 0;
  #timers = new Map<number, { readonly at: number; readonly callback: () => void }>();
  #last = 0;

  /** Timers that have not fired. */
  get timers(): number {
    return this.#timers.size;
  }

  now(): number {
    return TIME_OF_DAY + this.#now + this.#setMs;
  }

  monotonic(): number {
    return this.#now;
  }

  /** Sets the time of day forward, or back. */
  set(ms: number): void {
    this.#setMs += ms;
  }

  setTimeout(callback: () => void, delayMs: number): number {
    this.#timers.set(++this.#last, { at: this.#now + delayMs, callback });
    return this.#last;
  }

  clearTimeout(handle: unknown): void {
    this.#timers.delete(handle as number);
  }

  /** Moves on, and fires what is due, in order. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const due = [...this.#timers]
        .filter(([, { at }]) => at <= end)
        .sort(([, one], [, other]) => one.at - other.at)[0];
      if (due === undefined) break;
      const [handle, { at, callback }] = due;
      this.#timers.delete(handle);
      this.#now = Math.max(this.#now, at);
      callback();
    }
    this.#now = end;
  }
}
