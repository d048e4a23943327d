/**
 * Which worker delivers to webhooks: one at a time, the one that is here for longest. Where it ends, the next goes on behind
 * what it had said it delivered.
 */
import type { Cursor } from '../../webhooks/cursors.js';

export class Deliverer {
  readonly #appoint: (worker: number, cursors: ReadonlyMap<string, Cursor>) => void;
  readonly #cursors = new Map<string, Cursor>();
  /** Workers that could, the oldest first; the first one does. */
  readonly #workers: number[] = [];

  /** @param appoint tells a worker that it is its turn, and how far each webhook is */
  constructor(appoint: (worker: number, cursors: ReadonlyMap<string, Cursor>) => void) {
    this.#appoint = appoint;
  }

  /** A worker takes connections. */
  ready(worker: number): void {
    if (this.#workers.push(worker) === 1) this.#appoint(worker, this.#cursors);
  }

  /** A webhook has got there. */
  moved(worker: number, name: string, cursor: Cursor): void {
    if (worker === this.#workers[0]) this.#cursors.set(name, cursor);
  }

  /** A worker has ended: it delivers nothing any more. */
  ended(worker: number): void {
    const index = this.#workers.indexOf(worker);
    if (index < 0) return;
    this.#workers.splice(index, 1);
    const [next] = this.#workers;
    if (index === 0 && next !== undefined) this.#appoint(next, this.#cursors);
  }
}
