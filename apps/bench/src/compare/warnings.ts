/** What a reader must know before believing a report. */
import { NOISY_SHARE } from '../machine.js';
import type { CompareReport } from './figures.js';
import { tooBusy } from './ranking.js';

/** Warnings in the order in which they matter; empty for a whole run on a quiet machine with all peers. */
export function findWarnings(report: CompareReport): string[] {
  const { settings, otherWork = 0, failures, missing } = report;
  return [
    ...(settings.complete ? [] : ['The run was interrupted: this is what was measured until then.']),
    ...(otherWork > NOISY_SHARE
      ? [
          `The machine was noisy: other programs used up to ${Math.round(otherWork * 100)} % of it between the measurements. Tails and throughputs are worse than they could be.`,
        ]
      : []),
    ...pollingWarnings(report),
    ...failures.map((line) => `Failed: ${line}`),
    ...missing.map((line) => `Not compared with ${line}.`),
  ];
}

/** Lines that poll and had not the two cores for it, each with what it lacked. */
function pollingWarnings(report: CompareReport): string[] {
  const lacking = report.transports.flatMap((row) => {
    const why = row.polls && row.roundTrip ? tooBusy({ ...report, otherWork: 0 }, row) : undefined;
    return why === undefined ? [] : `${row.title} (${why})`;
  });
  if (lacking.length === 0) return [];
  return [`The latencies of lines that poll say little in this run: ${lacking.join('; ')}.`];
}
