/**
 * When to draw: at once after a key, at most so often while a flood comes, and not at all while nothing
 * changes.
 */
import type { SteadyClock } from '../../clock.js';

/** Between two frames: fast enough to follow, slow enough to leave the processor to others. */
const FRAME_INTERVAL_MS = 66;

export class FrameClock {
  readonly #clock: SteadyClock;
  readonly #draw: () => void;
  #timer: unknown;
  #drawnAt = Number.NEGATIVE_INFINITY;
  #isStopped = false;

  constructor(clock: SteadyClock, draw: () => void) {
    this.#clock = clock;
    this.#draw = draw;
  }

  /** Something changed. */
  request(): void {
    if (this.#timer !== undefined || this.#isStopped) return;
    const wait = Math.max(0, this.#drawnAt + FRAME_INTERVAL_MS - this.#clock.monotonic());
    this.#timer = this.#clock.setTimeout(() => this.flush(), wait);
  }

  /** Draws now: the user waits for it. */
  flush(): void {
    this.#forget();
    if (this.#isStopped) return;
    this.#drawnAt = this.#clock.monotonic();
    this.#draw();
  }

  /** Draws never again: the screen belongs to somebody else. */
  stop(): void {
    this.#isStopped = true;
    this.#forget();
  }

  #forget(): void {
    if (this.#timer !== undefined) this.#clock.clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
