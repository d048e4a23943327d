/**
 * Input of one connection, one unit at a time and in order.
 *
 * A unit that has to wait (for a hook that decides asynchronously) stops the ones behind it and the reading
 * from the socket; a sender in debt is not read from until its debt is paid, one that does not read its answers
 * until it has. So a connection holds one chunk of input at the most, whatever it sends.
 */
import type { Clock } from './clock.js';
import type { Link } from './link.js';

/** The dialect whose units are taken in. */
export interface IntakeOwner {
  /** Handles the next unit; false when there is none, a promise when the units behind it must wait. */
  takeNext(): boolean | Promise<void>;
  /** For how long nothing more should be read. */
  debtMs(): number;
  /** A unit could not be handled. */
  failed(error: unknown): void;
}

export class Intake {
  readonly #link: Link;
  readonly #clock: Clock;
  readonly #owner: IntakeOwner;
  #waiting = false;
  #inDebt = false;
  #choked = false;
  #stopped = false;

  constructor(link: Link, clock: Clock, owner: IntakeOwner) {
    this.#link = link;
    this.#clock = clock;
    this.#owner = owner;
  }

  /** Handles what is there. */
  run(): void {
    try {
      while (!this.#waiting && !this.#choked && !this.#stopped) {
        const more = this.#owner.takeNext();
        if (more === false) break;
        if (more !== true) this.#wait(more);
      }
    } catch (error) {
      this.#owner.failed(error);
      return;
    }
    if (!this.#inDebt && !this.#stopped) this.#settle();
  }

  /** Takes nothing more in: answers pile up before a peer that does not read them. */
  choke(): void {
    if (this.#choked) return;
    this.#choked = true;
    this.#link.pause();
  }

  /** Ends {@link Intake.choke}: the peer has read its answers. */
  release(): void {
    if (!this.#choked) return;
    this.#choked = false;
    this.#goOn();
  }

  /** Handles nothing any more. */
  stop(): void {
    this.#stopped = true;
  }

  #wait(settled: Promise<void>): void {
    this.#waiting = true;
    this.#link.pause();
    settled
      .catch((error: unknown) => this.#owner.failed(error))
      .finally(() => {
        this.#waiting = false;
        this.#goOn();
      });
  }

  #settle(): void {
    const delayMs = this.#owner.debtMs();
    if (delayMs === 0) return;
    this.#inDebt = true;
    this.#link.pause();
    this.#clock.after(delayMs, () => {
      this.#inDebt = false;
      this.#resume();
    });
  }

  /** What was taken in comes before what is still to be read. */
  #goOn(): void {
    this.run();
    this.#resume();
  }

  /** There are three reasons to stop reading; it goes on when none of them is left. */
  #resume(): void {
    if (!this.#waiting && !this.#inDebt && !this.#choked) this.#link.resume();
  }
}
