/** Time that a test moves by hand. */
import type { SteadyClock } from '../../src/time/clock.js';

interface Timer {
  dueAt: number;
  readonly everyMs: number | undefined;
  readonly callback: () => void;
}

export class ManualClock implements SteadyClock {
  readonly #timers = new Set<Timer>();
  #now: number;
  #skew = 0;

  constructor(now = 1_700_000_000_000) {
    this.#now = now;
  }

  /** Sets the time of day forward, or back, while no time passes. */
  set(stepMs: number): void {
    this.#skew += stepMs;
  }

  /** Timers that wait. */
  get pending(): number {
    return this.#timers.size;
  }

  now(): number {
    return this.#now + this.#skew;
  }

  monotonic(): number {
    return this.#now;
  }

  after(delayMs: number, callback: () => void): () => void {
    return this.#add({ dueAt: this.#now + delayMs, everyMs: undefined, callback });
  }

  every(intervalMs: number, callback: () => void): () => void {
    return this.#add({ dueAt: this.#now + intervalMs, everyMs: intervalMs, callback });
  }

  /** Moves on, calling what comes due in the order of its time. */
  advance(ms: number): void {
    const until = this.#now + ms;
    for (;;) {
      const due = [...this.#timers].filter(({ dueAt }) => dueAt <= until);
      const next = due.sort((left, right) => left.dueAt - right.dueAt)[0];
      if (!next) break;
      this.#now = next.dueAt;
      if (next.everyMs === undefined) this.#timers.delete(next);
      else next.dueAt += next.everyMs;
      next.callback();
    }
    this.#now = until;
  }

  #add(timer: Timer): () => void {
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }
}
