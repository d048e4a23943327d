/** How long the latest transactions took. */

/** Commits whose times are remembered. */
const COMMITS_REMEMBERED = 256;

export class CommitTimes {
  readonly #times: number[] = [];

  add(ms: number): void {
    this.#times.push(ms);
    if (this.#times.length > COMMITS_REMEMBERED) this.#times.shift();
  }

  /** Milliseconds within which that part of them was done; 0 when there was none. */
  quantile(part: number): number {
    const sorted = this.#times.toSorted((one, other) => one - other);
    return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
  }
}
