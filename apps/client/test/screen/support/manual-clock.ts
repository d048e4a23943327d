/** A clock that stands until a test moves it. */
import type { Clock } from '@chat/client';

export class ManualClock implements Clock {
  #now = 1_000_000;
  #timers = new Map<number, { readonly at: number; readonly callback: () => void }>();
  #last = 0;

  /** Timers that have not fired. */
  get timers(): number {
    return this.#timers.size;
  }

  now(): number {
    return this.#now;
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
