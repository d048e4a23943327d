/** What several rounds of one measurement say: their median, and how far they lay apart. */

/** Median, smallest and largest of some rounds. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** Sums up rounds; undefined when there is none. */
export function spreadOf(values: readonly number[]): Spread | undefined {
  if (values.length === 0) return undefined;
  const sorted = [...values].sort(ascending);
  return { median: medianOfSorted(sorted), min: sorted[0]!, max: sorted[sorted.length - 1]! };
}

/** The value in the middle, or the mean of the two there. */
export function median(values: readonly number[]): number {
  return medianOfSorted([...values].sort(ascending));
}

function medianOfSorted(sorted: readonly number[]): number {
  if (sorted.length === 0) return Number.NaN;
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

function ascending(left: number, right: number): number {
  return left - right;
}
