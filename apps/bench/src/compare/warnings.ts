/** What a reader must know before believing a report. */
import { NOISY_SHARE } from '../machine.js';
import type { CompareReport } from './figures.js';

/** Warnings in the order in which they matter; empty for a whole run on a quiet machine with all peers. */
export function findWarnings({ settings, otherWork = 0, failures, missing }: CompareReport): string[] {
  return [
    ...(settings.complete ? [] : ['The run was interrupted: this is what was measured until then.']),
    ...(otherWork > NOISY_SHARE
      ? [
          `The machine was noisy: other programs used up to ${Math.round(otherWork * 100)} % of it between the measurements. Tails and throughputs are worse than they could be.`,
        ]
      : []),
    ...failures.map((line) => `Failed: ${line}`),
    ...missing.map((line) => `Not compared with ${line}.`),
  ];
}
