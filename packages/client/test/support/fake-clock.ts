/** A clock that stands still until it is told to go on, and whose time of day can be set. */
import type { Clock } from '../../src/index.js';

interface Timer {
  at: number;
  readonly callback: () => void;
}

/** Lets everything that is due without a timer happen. */
export async function turns(count = 3): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise<void>((resolve) => setImmediate(resolve));
}

const TIME_OF_DAY = 1_700_000_000_000;

export class FakeClock implements Clock {
  #now = 1_000_000;
  /** How far the time of day was set forward. */
  #setMs = 0;
  readonly #timers = new Set<Timer>();

  /** Timers fire at multiples of this alone, as those of a hidden page do. */
  grainMs = 1;

  get timers(): number {
    return this.#timers.size;
  }

  now(): number {
    return TIME_OF_DAY + this.#now + this.#setMs;
  }

  monotonic(): number {
    return this.#now;
  }

  /**
   * Sets the time of day forward, or back, and nothing else: what a machine sees whose other clocks stop in
   * suspend.
   */
  set(ms: number): void {
    this.#setMs += ms;
  }

  setTimeout(callback: () => void, delayMs: number): unknown {
    const timer = { at: this.#now + delayMs, callback };
    this.#timers.add(timer);
    return timer;
  }

  clearTimeout(handle: unknown): void {
    this.#timers.delete(handle as Timer);
  }

  /** Lets `ms` pass; fires each timer at its time and lets its consequences happen before the next. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      const [next] = [...this.#timers].sort((a, b) => a.at - b.at);
      const at = next && Math.ceil(next.at / this.grainMs) * this.grainMs;
      if (at === undefined || at > end) break;
      this.#timers.delete(next!);
      this.#now = Math.max(this.#now, at);
      next!.callback();
      await turns();
    }
    this.#now = end;
    await turns();
  }

  /**
   * Lets `ms` pass without any timer noticing, as a machine that sleeps does; then fires what is late. With
   * `timersStop` a timer still has to wait for what was left of its delay, as where timers do not count the
   * sleep.
   */
  async sleep(ms: number, { timersStop = false } = {}): Promise<void> {
    this.#now += ms;
    if (timersStop) for (const timer of this.#timers) timer.at += ms;
    await this.advance(0);
  }
}
