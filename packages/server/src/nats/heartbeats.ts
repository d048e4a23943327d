/**
 * Who is still here. Every process beats, and all hear all beats, their own included. Silence is measured in own beats that
 * were heard, and not in time: a process that was stopped, or cut off, has heard nothing of itself either, so it takes
 * nobody for gone when it comes back.
 */
import type { Clock } from '../time/clock.js';

export const BEAT_MS = 1000;

export interface HeartbeatOptions {
  /** This process. */
  readonly process: number;
  readonly clock: Clock;
  /** Of silence, after which a process is gone. */
  readonly maxSilenceMs: number;
  /** Sends a beat to all. */
  send(): void;
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
    if (process === this.#options.process) this.#heardOwn();
    else this.#silent?.set(process, 0);
  }

  /** Whether a process is known to be here. */
  hears(process: number): boolean {
    return process === this.#options.process || this.#silent?.has(process) === true;
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = () => {};
  }

  #beat(): void {
    this.#cancel = this.#options.clock.after(BEAT_MS, () => this.#beat());
    this.#options.send();
  }

  #heardOwn(): void {
    const { present, process: self, maxSilenceMs, gone } = this.#options;
    this.#silent ??= new Map([...present()].filter((other) => other !== self).map((other) => [other, 0]));
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
