/** What a reader must know before believing a report. */
import { formatNoise } from '../../harness/machine.js';
import type { CompareReport } from '../figures.js';
import { tooBusy } from './ranking.js';

/** Warnings in the order in which they matter; empty for a whole run on a quiet machine with all peers. */
export function findWarnings(report: CompareReport): string[] {
  const { settings, otherWork, failures, missing } = report;
  return [
    ...(settings.complete ? [] : ['The run was interrupted: this is what was measured until then.']),
    ...formatNoise(otherWork),
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
