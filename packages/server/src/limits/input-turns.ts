/**
 * Turns of the event loop, as far as input is concerned. A connection that has used up its part of a turn waits here
 * for the next one, so that what one sends at once does not hold up the others.
 */

export class InputTurns {
  /** Number of the turn. */
  current = 0;
  /** Those that took nothing in their last turn, because others of their address had used it up: they come first. */
  #passedOver: (() => void)[] = [];
  #served: (() => void)[] = [];
  #scheduled = false;

  /** A part of the turn is used up: another one is needed. */
  end(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => this.#next());
  }

  /**
   * Calls `goOn` in the next turn.
   *
   * @param wasServed whether it had its part of this one
   */
  wait(goOn: () => void, wasServed: boolean): void {
    (wasServed ? this.#served : this.#passedOver).push(goOn);
    this.end();
  }

  #next(): void {
    this.#scheduled = false;
    this.current++;
    const waiting = [...this.#passedOver, ...this.#served];
    this.#passedOver = [];
    this.#served = [];
    for (const goOn of waiting) goOn();
  }
}
