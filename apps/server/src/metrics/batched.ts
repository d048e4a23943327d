/**
 * Values for a histogram, handed over many at a time. One value costs the library a set of labels that is built and
 * hashed, cold code each time on the path of a message; many in a row find it warm.
 */

const BATCH = 1024;

/** Keeps what was measured until {@link Batched.hand} is called, or the batch is full. */
export class Batched {
  readonly #values = new Float64Array(BATCH);
  readonly #observe: (value: number) => void;
  #count = 0;

  constructor(observe: (value: number) => void) {
    this.#observe = observe;
  }

  add(value: number): void {
    this.#values[this.#count++] = value;
    if (this.#count === BATCH) this.hand();
  }

  /** Hands all over, in order. */
  hand(): void {
    for (let index = 0; index < this.#count; index++) this.#observe(this.#values[index]!);
    this.#count = 0;
  }
}
