/**
 * Deadlines for many, with one timer for all.
 *
 * Each entry sits in the slot of its deadline; a tick empties one slot. A deadline that moves is not moved in
 * the wheel: when its slot comes, the entry says how long it has still to go and is put back. So hearing from
 * a peer costs one assignment, not a timer.
 */
import type { SteadyClock } from './clock.js';

/** Handle of an entry, for {@link TimerWheel.cancel}. */
export interface TimerEntry {
  run: ((now: number) => unknown) | undefined;
}

interface Slotted extends TimerEntry {
  rounds: number;
  readonly repeats: boolean;
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

  /** Calls `run` once after `delayMs`, up to one tick sooner or later. */
  schedule(delayMs: number, run: (now: number) => void): TimerEntry {
    return this.#insert({ run, rounds: 0, repeats: false }, delayMs);
  }

  /**
   * Calls `run` after `delayMs`, and again after as many milliseconds as it answers each time, until it answers
   * `undefined`.
   */
  repeat(delayMs: number, run: (now: number) => number | undefined): TimerEntry {
    return this.#insert({ run, rounds: 0, repeats: true }, delayMs);
  }

  /** Forgets an entry; it goes away when its slot comes. */
  cancel(entry: TimerEntry): void {
    entry.run = undefined;
  }

  close(): void {
    this.#stop();
    for (const slot of this.#slots) slot.clear();
  }

  #insert(entry: Slotted, delayMs: number): TimerEntry {
    const ticks = Math.max(1, Math.ceil(delayMs / this.#tickMs));
    entry.rounds = Math.floor((ticks - 1) / SLOTS);
    this.#slots[(this.#position + ticks) % SLOTS]!.add(entry);
    return entry;
  }

  #tick(): void {
    this.now = this.#clock.monotonic();
    this.#position = (this.#position + 1) % SLOTS;
    const slot = this.#slots[this.#position]!;
    // A copy: an entry that wants one whole round more goes back into this very slot.
    for (const entry of [...slot]) {
      if (entry.run !== undefined && entry.rounds > 0) {
        entry.rounds--;
        continue;
      }
      slot.delete(entry);
      const againMs = entry.run?.(this.now);
      if (entry.repeats && typeof againMs === 'number') this.#insert(entry, againMs);
    }
  }
}
