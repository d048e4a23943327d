/**
 * What has changed between two reports. A change counts only when the rounds of both lie apart: where their
 * ranges overlap, the machine may have been all of it.
 */
import type { Spread } from '../harness/spread.js';
import type { CompareReport } from './figures.js';
import { formatCount, formatNs } from './units.js';

/** One figure in two reports. */
export interface Change {
  readonly title: string;
  readonly figure: string;
  readonly before: string;
  readonly after: string;
  /** After divided by before. */
  readonly ratio: number;
  readonly verdict: 'better' | 'worse' | 'same';
}

/** Compares round trips and throughputs of the lines that both reports have. */
export function findChanges(before: CompareReport, after: CompareReport): Change[] {
  const changes: Change[] = [];
  for (const now of after.transports) {
    const then = before.transports.find((row) => row.id === now.id);
    if (!then) continue;
    if (then.roundTrip && now.roundTrip) {
      changes.push(
        change(now.title, 'round trip p50', then.roundTrip.p50Ns, now.roundTrip.p50Ns, formatNs, true),
      );
    }
    for (const size of now.throughput) {
      const old = then.throughput.find((row) => row.bytes === size.bytes);
      if (!old) continue;
      const figure = `messages/s at ${size.bytes} B`;
      changes.push(
        change(now.title, figure, old.messagesPerSecond, size.messagesPerSecond, formatCount, false),
      );
    }
  }
  return changes;
}

function change(
  title: string,
  figure: string,
  before: Spread,
  after: Spread,
  format: (value: number) => string,
  lowerIsBetter: boolean,
): Change {
  const apart = after.min > before.max || after.max < before.min;
  const rose = after.median > before.median;
  return {
    title,
    figure,
    before: format(before.median),
    after: format(after.median),
    ratio: after.median / before.median,
    verdict: !apart ? 'same' : rose === lowerIsBetter ? 'worse' : 'better',
  };
}
