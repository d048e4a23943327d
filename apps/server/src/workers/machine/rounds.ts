/** Asks all workers for something at a time, and hands on what they have said once each has answered or ended. */

/** What one of them has said. */
export interface RoundAnswer<T> {
  /** Its number, for people; 0: the process of the store. */
  readonly worker: number;
  readonly value: T;
}

interface Round<T> {
  /** Workers that have not answered yet. */
  readonly left: Set<number>;
  readonly answers: RoundAnswer<T>[];
  readonly done: (answers: readonly RoundAnswer<T>[]) => void;
}

export class Rounds<T> {
  readonly #rounds = new Map<number, Round<T>>();
  #last = 0;

  /**
   * Begins a round.
   *
   * @param workers to be asked, one at least
   * @param done told the answers, in the order of the numbers of the workers
   * @returns its number, which the answers bear
   */
  begin(workers: readonly number[], done: (answers: readonly RoundAnswer<T>[]) => void): number {
    this.#rounds.set(++this.#last, { left: new Set(workers), answers: [], done });
    return this.#last;
  }

  /** A worker has answered. */
  answered(worker: number, id: number, value: T): void {
    const round = this.#rounds.get(id);
    if (!round?.left.has(worker)) return;
    round.answers.push({ worker, value });
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
    round.done(round.answers.sort((one, other) => one.worker - other.worker));
  }
}
