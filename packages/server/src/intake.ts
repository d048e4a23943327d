/**
 * Input of one connection, one unit at a time and in order.
 *
 * A unit that has to wait (for a hook that decides asynchronously) stops the ones behind it and the reading
 * from the socket; a sender in debt is not read from until its debt is paid. So a connection holds one chunk
 * of input at the most, whatever it sends.
 */
import type { Clock } from './clock.js';
import type { Link } from './link.js';

/** Handles the next unit; false when there is none, a promise when the units behind it must wait. */
export type IntakeStep = () => boolean | Promise<void>;

export class Intake {
  readonly #link: Link;
  readonly #clock: Clock;
  readonly #step: IntakeStep;
  readonly #debtMs: () => number;
  readonly #failed: (error: unknown) => void;
  #waiting = false;
  #inDebt = false;
  #stopped = false;

  constructor(
    link: Link,
    clock: Clock,
    step: IntakeStep,
    debtMs: () => number,
    failed: (error: unknown) => void,
  ) {
    this.#link = link;
    this.#clock = clock;
    this.#step = step;
    this.#debtMs = debtMs;
    this.#failed = failed;
  }

  /** Handles what is there. */
  run(): void {
    try {
      while (!this.#waiting && !this.#stopped) {
        const more = this.#step();
        if (more === false) break;
        if (more !== true) this.#wait(more);
      }
    } catch (error) {
      this.#failed(error);
      return;
    }
    if (!this.#inDebt && !this.#stopped) this.#settle();
  }

  /** Handles nothing any more. */
  stop(): void {
    this.#stopped = true;
  }

  #wait(settled: Promise<void>): void {
    this.#waiting = true;
    this.#link.pause();
    settled
      .catch((error: unknown) => this.#failed(error))
      .finally(() => {
        this.#waiting = false;
        if (!this.#inDebt) this.#link.resume();
        this.run();
      });
  }

  #settle(): void {
    const delayMs = this.#debtMs();
    if (delayMs === 0) return;
    this.#inDebt = true;
    this.#link.pause();
    this.#clock.after(delayMs, () => {
      this.#inDebt = false;
      if (!this.#waiting) this.#link.resume();
    });
  }
}
