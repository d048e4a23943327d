/**
 * A bar with the time that is left, on a terminal; nothing elsewhere.
 *
 * Steps are not equally long, so each is announced with what it is expected to take; the rest is scaled by how
 * wrong that was so far.
 */

/** Where a bar is drawn. */
export interface BarTarget {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

const BAR_CELLS = 24;

/** Counts expected milliseconds, shows real ones. */
export class Progress {
  readonly #target: BarTarget;
  readonly #totalMs: number;
  readonly #now: () => number;
  readonly #startedAt: number;
  #doneMs = 0;

  constructor(totalMs: number, target: BarTarget, now: () => number = () => performance.now()) {
    this.#totalMs = totalMs;
    this.#target = target;
    this.#now = now;
    this.#startedAt = now();
  }

  /** Announces a step after which `expectedMs` more of the total are done. */
  step(what: string, expectedMs: number): void {
    this.show(what);
    this.#doneMs += expectedMs;
  }

  /** Draws the bar; `share` of the whole is done. */
  show(what: string, share: number = Math.min(1, this.#doneMs / this.#totalMs)): void {
    if (!this.#target.isTTY) return;
    const cells = Math.round(share * BAR_CELLS);
    const bar = '#'.repeat(cells) + '.'.repeat(BAR_CELLS - cells);
    const line = `[${bar}] ${String(Math.round(share * 100)).padStart(3)} %  ${formatLeft(this.leftMs())} left  ${what}`;
    this.#target.write(`\r\u001b[K${line.slice(0, (this.#target.columns ?? 80) - 1)}`);
  }

  /** Time that is left, as far as one can tell. */
  leftMs(): number {
    const restMs = Math.max(0, this.#totalMs - this.#doneMs);
    if (this.#doneMs === 0) return restMs;
    return (restMs * (this.#now() - this.#startedAt)) / this.#doneMs;
  }

  /** Removes the bar. */
  clear(): void {
    if (this.#target.isTTY) this.#target.write('\r\u001b[K');
  }
}

function formatLeft(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
