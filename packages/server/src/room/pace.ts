/** When each member of a room with a slow mode has said something: the least time between two messages of one. */

/** Beyond so many, those are forgotten who may speak again. */
const FORGET_FROM = 1000;

export class Pace {
  /** Monotonic times, by person, the oldest first. */
  readonly #times: Map<string, number> = new Map();

  /**
   * Asks for somebody who wants to say something now, and counts it if it may.
   *
   * @returns how long it still has to wait; 0: it may
   */
  waitMs(person: string, now: number, leastMs: number): number {
    const last = this.#times.get(person);
    if (last !== undefined && now - last < leastMs) return Math.ceil(leastMs - (now - last));
    this.note(person, now);
    if (this.#times.size > FORGET_FROM) {
      for (const [other, time] of this.#times) {
        if (now - time < leastMs) break;
        this.#times.delete(other);
      }
    }
    return 0;
  }

  /** Says that somebody has said something, here or at another process. */
  note(person: string, now: number): void {
    this.#times.delete(person);
    this.#times.set(person, now);
  }
}
