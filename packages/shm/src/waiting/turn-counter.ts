/**
 * Lets the event loop have a turn now and then, in a loop for which there always is one more thing at hand.
 *
 * What is ready resolves in a microtask, and microtasks come before timers, sockets and signals: a flood would starve them all.
 */

/** Counts what was at hand since the last turn. */
export class TurnCounter {
  readonly #perTurn: number;
  #count = 0;

  constructor(perTurn: number) {
    this.#perTurn = perTurn;
  }

  /** Counts one; returns a promise of the next turn when there were enough. */
  next(): Promise<void> | undefined {
    if (++this.#count <= this.#perTurn) return undefined;
    this.#count = 0;
    return new Promise((resolve) => setImmediate(resolve));
  }

  /** There was a turn. */
  reset(): void {
    this.#count = 0;
  }
}
