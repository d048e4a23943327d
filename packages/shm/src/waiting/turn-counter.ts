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

  /**
   * Waits by `wait` for what `isReady` tells. What is there at once is counted, and `wait` asked again after a turn; undefined when there is nothing
   * to wait for.
   */
  until(isReady: () => boolean, wait: () => Promise<void>): Promise<void> | undefined {
    if (isReady()) return this.next()?.then(wait);
    this.#count = 0;
    return wait();
  }
}
