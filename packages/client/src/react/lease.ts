/**
 * Something that lives while anybody uses it. Its end waits for one task: in strict mode, and when a part
 * of a page moves, React lets go of a thing and takes it again at once.
 */
export class Lease {
  readonly #begin: () => void;
  readonly #end: () => void;
  #users = 0;
  #isRunning = false;

  constructor(begin: () => void, end: () => void) {
    this.#begin = begin;
    this.#end = end;
  }

  /** @returns a function that gives it back, of no effect when it is called again */
  take(): () => void {
    this.#users++;
    if (!this.#isRunning) {
      this.#isRunning = true;
      this.#begin();
    }
    let isTaken = true;
    return () => {
      if (!isTaken) return;
      isTaken = false;
      this.#users--;
      if (this.#users === 0) setTimeout(() => this.#endUnused(), 0);
    };
  }

  #endUnused(): void {
    if (this.#users > 0 || !this.#isRunning) return;
    this.#isRunning = false;
    this.#end();
  }
}
