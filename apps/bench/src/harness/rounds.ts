/**
 * Interleaved rounds: every step of every round measures all entrants, each round beginning with another one, so
 * that a slow minute of the machine hits all of them. Between the rounds nothing of ours runs, and what others
 * use of the machine is measured.
 *
 * An entrant that fails is left out from then on, and named; the others go on. An interrupt ends the run after
 * the measurement that is under way.
 */
import { measureOtherWork } from './machine.js';

/** What takes part. */
export interface Entrant {
  readonly title: string;
}

/** The measurements of one entrant in one round. */
export interface Step<E> {
  /** Empty where there is only one. */
  readonly name: string;
  measure(entrant: E): Promise<void>;
}

/** What {@link runRounds} needs. */
export interface Rounds<E> {
  readonly entrants: readonly E[];
  readonly rounds: number;
  readonly steps: readonly Step<E>[];
  readonly signal?: AbortSignal | undefined;
  /** Told before each measurement, with the share of all of them that is done. */
  onStep?(what: string, done: number): void;
  /** Told once of each entrant that failed. */
  onFailure(line: string): void;
}

/** Runs all rounds. @returns the largest share of the machine that others used, from 0 to 1 */
export async function runRounds<E extends Entrant>(run: Rounds<E>): Promise<number> {
  const { entrants, rounds, steps, signal, onFailure } = run;
  const failed = new Set<E>();
  const total = rounds * steps.length * entrants.length;
  let otherWork = (await measureOtherWork()) ?? 0;
  let done = 0;
  for (let round = 0; round < rounds; round++) {
    for (const { name, measure } of steps) {
      for (const entrant of rotate(entrants, round)) {
        if (signal?.aborted) return otherWork;
        const what = name === '' ? '' : `${name}, `;
        run.onStep?.(`${what}round ${round + 1}, ${entrant.title}`, done++ / total);
        if (failed.has(entrant)) continue;
        try {
          await measure(entrant);
        } catch (error) {
          failed.add(entrant);
          onFailure(`${entrant.title}: ${(error as Error).message}`);
        }
      }
    }
    otherWork = Math.max(otherWork, (await measureOtherWork()) ?? 0);
  }
  return otherWork;
}

function rotate<T>(items: readonly T[], by: number): T[] {
  const start = items.length === 0 ? 0 : by % items.length;
  return [...items.slice(start), ...items.slice(0, start)];
}
