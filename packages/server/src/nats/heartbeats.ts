/**
 * Who is still here. Every process beats, or another one of its machine does for it, and all hear all beats, their own included. Silence is measured in own beats that
 * were heard, and not in time: a process that was stopped, or cut off, has heard nothing of itself either, so it takes
 * nobody for gone when it comes back.
 */
import type { Clock } from '../time/clock.js';

export const BEAT_MS = 1000;

export interface HeartbeatOptions {
  /** The processes that this one beats for: itself, or those of its machine. */
  own(): readonly number[];
  readonly clock: Clock;
  /** Of silence, after which a process is gone. */
  readonly maxSilenceMs: number;
  /** Sends a beat of a process to all. */
  send(process: number): void;
  /** All processes that take part in the log, as far as it was read. Asked once. */
  present(): Iterable<number>;
  gone(process: number): void;
}

export class Heartbeats {
  readonly #options: HeartbeatOptions;
  /** Own beats since the last sign of life of each other process. */
  #silent: Map<number, number> | undefined;
  #cancel: (() => void) | undefined;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
  }

  /** Begins to beat, once this process has read what came before it. Idempotent. */
  start(): void {
    if (!this.#cancel) this.#beat();
  }

  /** A sign of life. */
  heard(process: number): void {
    const own = this.#options.own();
    // One of them is enough to measure by.
    if (process === own[0]) this.#heardOwn();
    if (!own.includes(process)) this.#silent?.set(process, 0);
  }

  /** Whether a process is known to be here. */
  hears(process: number): boolean {
    return this.#options.own().includes(process) || this.#silent?.has(process) === true;
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = () => {};
  }

  #beat(): void {
    this.#cancel = this.#options.clock.after(BEAT_MS, () => this.#beat());
    for (const process of this.#options.own()) this.#options.send(process);
  }

  #heardOwn(): void {
    const { present, own, maxSilenceMs, gone } = this.#options;
    this.#silent ??= new Map(Array.from(present(), (process) => [process, 0]));
    for (const process of own()) this.#silent.delete(process);
    for (const [other, beats] of this.#silent) {
      if ((beats + 1) * BEAT_MS <= maxSilenceMs) {
        this.#silent.set(other, beats + 1);
        continue;
      }
      this.#silent.delete(other);
      gone(other);
    }
  }
}
