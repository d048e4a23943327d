/**
 * Input of one connection, one unit at a time and in order.
 *
 * A unit that has to wait (for a hook that decides asynchronously) stops the ones behind it and the reading
 * from the socket; a sender in debt is not read from until its debt is paid, one that does not read its answers
 * until it has, and one that has used up its part of a turn of the event loop until the next. So a connection holds
 * one chunk of input at the most, whatever it sends, and one chunk holds nobody up.
 */

import type { InputAccount } from '../limits/input-account.js';
import type { Clock } from '../time/clock.js';

/** A source that input is read from. */
export interface InputSource {
  pause(): unknown;
  resume(): unknown;
}

/** The dialect whose units are taken in. */
export interface InputGateOwner {
  /** Handles the next unit; false when there is none, a promise when the units behind it must wait. */
  takeNext(): boolean | Promise<void>;
  /** For how long nothing more should be read. */
  debtMs(): number;
  /** A unit could not be handled. */
  failed(error: unknown): void;
  /** The account of its units. It may change with a unit, when a session goes on over another connection. */
  readonly input?: InputAccount;
}

export class InputGate {
  readonly #source: InputSource;
  readonly #clock: Clock;
  readonly #owner: InputGateOwner;
  #waiting = false;
  #inDebt = false;
  #blocked = false;
  /** Input that was read waits for a turn, or for the debt of an address. */
  #held = false;
  #stopped = false;

  constructor(source: InputSource, clock: Clock, owner: InputGateOwner) {
    this.#source = source;
    this.#clock = clock;
    this.#owner = owner;
  }

  /** Handles what is there. */
  run(): void {
    this.#owner.input?.look();
    let taken = 0;
    try {
      while (!this.#waiting && !this.#blocked && !this.#held && !this.#stopped) {
        if (this.#owner.input?.mustWait) {
          this.#hold(this.#owner.input, taken > 0);
          break;
        }
        const more = this.#owner.takeNext();
        if (more === false) break;
        taken++;
        if (more !== true) this.#wait(more);
      }
    } catch (error) {
      this.#owner.failed(error);
      return;
    }
    if (!this.#inDebt && !this.#stopped) this.#settle();
  }

  /** Whether it is held up by us: its silence says nothing. */
  get isHeldUp(): boolean {
    return this.#held || this.#inDebt;
  }

  /** Takes nothing more in: answers pile up before a peer that does not read them. */
  block(): void {
    if (this.#blocked) return;
    this.#blocked = true;
    this.#source.pause();
  }

  /** Ends {@link InputGate.block}: the peer has read its answers. */
  unblock(): void {
    if (!this.#blocked) return;
    this.#blocked = false;
    this.#goOn();
  }

  /** Handles nothing any more. */
  stop(): void {
    this.#stopped = true;
  }

  #wait(settled: Promise<void>): void {
    this.#waiting = true;
    this.#source.pause();
    settled
      .catch((error: unknown) => this.#owner.failed(error))
      .finally(() => {
        this.#waiting = false;
        this.#goOn();
      });
  }

  /** Lets input that was read wait, in the order in which it came. */
  #hold(account: InputAccount, wasServed: boolean): void {
    this.#held = true;
    this.#source.pause();
    const goOn = (): void => {
      this.#held = false;
      this.#goOn();
    };
    if (account.isTurnUsedUp) account.turns.wait(goOn, wasServed);
    else this.#clock.after(account.debtMs(), goOn);
  }

  #settle(): void {
    const delayMs = this.#owner.debtMs();
    if (delayMs === 0) return;
    this.#inDebt = true;
    this.#source.pause();
    this.#clock.after(delayMs, () => {
      this.#inDebt = false;
      this.#resume();
    });
  }

  /** Handles what was read, then reads on. */
  #goOn(): void {
    this.run();
    this.#resume();
  }

  /** There are four reasons to stop reading; it goes on when none of them is left. */
  #resume(): void {
    if (!this.#waiting && !this.#inDebt && !this.#blocked && !this.#held) this.#source.resume();
  }
}
