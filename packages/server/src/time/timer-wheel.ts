/**
 * Deadlines for many, with one timer for all.
 *
 * Each entry sits in the slot of its deadline; a tick empties one slot. A deadline that moves is not moved in
 * the wheel: when its slot comes, the entry says how long it has still to go and is put back. So hearing from
 * a peer costs one assignment, not a timer.
 */
import type { SteadyClock } from './clock.js';

/** Something with a deadline. */
export interface Timed {
  /**
   * Called when a deadline has come.
   *
   * @returns milliseconds until it wants to be called again, or `undefined` for never
   */
  expire(now: number): number | undefined;
}

/** Handle of an entry, for {@link TimerWheel.cancel}. */
export interface TimerEntry {
  timed: Timed | undefined;
}

interface Slotted extends TimerEntry {
  rounds: number;
}

const SLOTS = 64;

export class TimerWheel {
  readonly #tickMs: number;
  readonly #clock: SteadyClock;
  readonly #slots: Set<Slotted>[] = Array.from({ length: SLOTS }, () => new Set());
  readonly #stop: () => void;
  #position = 0;

  /** The monotonic time of the last tick: exact to `tickMs`, and free. */
  now: number;

  constructor(clock: SteadyClock, tickMs: number) {
    this.#clock = clock;
    this.#tickMs = tickMs;
    this.now = clock.monotonic();
    this.#stop = clock.every(tickMs, () => this.#tick());
  }

  /** Calls `timed.expire` after `delayMs`, up to one tick sooner or later. */
  schedule(timed: Timed, delayMs: number): TimerEntry {
    const entry: Slotted = { timed, rounds: 0 };
    this.#insert(entry, delayMs);
    return entry;
  }

  /** Forgets an entry; it goes away when its slot comes. */
  cancel(entry: TimerEntry): void {
    entry.timed = undefined;
  }

  close(): void {
    this.#stop();
    for (const slot of this.#slots) slot.clear();
  }

  #insert(entry: Slotted, delayMs: number): void {
    const ticks = Math.max(1, Math.ceil(delayMs / this.#tickMs));
    entry.rounds = Math.floor((ticks - 1) / SLOTS);
    this.#slots[(this.#position + ticks) % SLOTS]!.add(entry);
  }

  #tick(): void {
    this.now = this.#clock.monotonic();
    this.#position = (this.#position + 1) % SLOTS;
    const slot = this.#slots[this.#position]!;
    // A copy: an entry that wants one whole round more goes back into this very slot.
    for (const entry of [...slot]) {
      if (entry.timed !== undefined && entry.rounds > 0) {
        entry.rounds--;
        continue;
      }
      slot.delete(entry);
      const again = entry.timed?.expire(this.now);
      if (again !== undefined) this.#insert(entry, again);
    }
  }
}
