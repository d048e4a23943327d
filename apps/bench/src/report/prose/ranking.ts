/**
 * What may be said of two figures: which line was faster, that they were too close, or that the run was too busy to
 * tell. A sentence of a report that ranks asks here; the figures themselves are always shown.
 */
import { isNoisy } from '../../harness/machine.js';
import type { PairFigure } from '../../pairs/benchmark.js';
import type { CompareReport } from '../figures.js';

/** Which of two lines is ahead, and by how many times. */
export type Rank =
  | { readonly verdict: 'ahead' | 'behind'; readonly times: number }
  | { readonly verdict: 'close' }
  | { readonly verdict: 'too-busy'; readonly why: string }
  | { readonly verdict: 'unknown' };

/** Two ends that poll take a core each. */
const POLLING_CORES = 2;
/** An end that polls and got less than this of a core waited for it. */
const FREE_SHARE = 0.9;

/**
 * Why the latency of a line says little in this run; undefined when it was quiet enough. Of a line that polls the share
 * of a core that its ends got was measured while they ran; an older report has only what others used in between.
 */
export function tooBusy(report: CompareReport, row: PairFigure): string | undefined {
  const { machine, otherWork } = report;
  if (row.polls && machine.cores < POLLING_CORES) {
    return `polling takes two cores, and this machine has ${machine.cores === 1 ? 'one' : machine.cores}`;
  }
  if (row.polls && row.coreShare !== undefined && row.coreShare < FREE_SHARE) {
    return `polling takes two cores, and an end got ${Math.round(row.coreShare * 100)} % of its own`;
  }
  if (isNoisy(otherWork)) return `other programs used up to ${Math.round(otherWork * 100)} % of the machine`;
  return undefined;
}

/** Compares round trips by the medians of their rounds, which must lie apart. */
export function rankRoundTrips(
  report: CompareReport,
  row: PairFigure | undefined,
  other: PairFigure | undefined,
): Rank {
  if (!row?.roundTrip || !other?.roundTrip) return { verdict: 'unknown' };
  const why = tooBusy(report, row) ?? tooBusy(report, other);
  if (why !== undefined) return { verdict: 'too-busy', why };
  const [one, two] = [row.roundTrip, other.roundTrip];
  if (one.p50Ns.max < two.p50Ns.min) {
    return { verdict: 'ahead', times: two.summary.p50Ns / one.summary.p50Ns };
  }
  if (one.p50Ns.min > two.p50Ns.max) {
    return { verdict: 'behind', times: one.summary.p50Ns / two.summary.p50Ns };
  }
  return { verdict: 'close' };
}

/** A line of the report by its id. */
export function lineOf(report: CompareReport, id: string): PairFigure | undefined {
  return report.transports.find((row) => row.id === id);
}
