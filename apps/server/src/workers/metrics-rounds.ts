/** Asks all workers for their figures at a time, and hands on what they have said once each has answered or ended. */
import type { WorkerMetrics } from './messages.js';

interface Round {
  /** Workers that have not answered yet. */
  readonly left: Set<number>;
  readonly texts: WorkerMetrics[];
  readonly done: (texts: readonly WorkerMetrics[]) => void;
}

export class MetricsRounds {
  readonly #rounds = new Map<number, Round>();
  #last = 0;

  /**
   * Begins a round.
   *
   * @param workers to be asked, one at least
   * @param done told the texts by worker, in the order of their numbers
   * @returns its number, which the answers bear
   */
  begin(workers: readonly number[], done: (texts: readonly WorkerMetrics[]) => void): number {
    this.#rounds.set(++this.#last, { left: new Set(workers), texts: [], done });
    return this.#last;
  }

  /** A worker has answered. */
  answered(worker: number, id: number, text: string): void {
    const round = this.#rounds.get(id);
    if (!round?.left.has(worker)) return;
    round.texts.push({ worker, text });
    this.#leave(worker, id);
  }

  /** A worker has ended, and will not answer. */
  ended(worker: number): void {
    for (const id of [...this.#rounds.keys()]) this.#leave(worker, id);
  }

  #leave(worker: number, id: number): void {
    const round = this.#rounds.get(id);
    if (!round?.left.delete(worker) || round.left.size > 0) return;
    this.#rounds.delete(id);
    round.done(round.texts.sort((one, other) => one.worker - other.worker));
  }
}
