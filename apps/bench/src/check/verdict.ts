/**
 * Judges ratios against the committed ones.
 *
 * A ratio compares our code with something that does not change with it, measured in the same run: machines
 * come and go, a ratio stays. Each has a tolerance that a noisy machine survives; what is slower than that was
 * made slower.
 */

/** One ratio, as committed. Larger is better. */
export interface ReferenceRatio {
  readonly ratio: number;
  /** Share of the ratio that may be missing before it counts, between 0 and 1. */
  readonly tolerance: number;
}

/** All committed ratios by name. */
export type ReferenceRatios = Readonly<Record<string, ReferenceRatio>>;

/** What became of one ratio. */
export interface Verdict {
  readonly name: string;
  readonly reference: number | undefined;
  readonly measured: number | undefined;
  /** The least that passes. */
  readonly least: number | undefined;
  readonly outcome: 'ok' | 'faster' | 'slower' | 'not measured' | 'new';
}

/** Compares what was measured with what is committed; the names of both are covered. */
export function judge(reference: ReferenceRatios, measured: Readonly<Record<string, number>>): Verdict[] {
  const names = [...new Set([...Object.keys(reference), ...Object.keys(measured)])];
  return names.map((name) => {
    const expected = reference[name];
    const value = measured[name];
    const least = expected && expected.ratio * (1 - expected.tolerance);
    return {
      name,
      reference: expected?.ratio,
      measured: value,
      least,
      outcome: outcomeOf(expected, least, value),
    };
  });
}

function outcomeOf(
  expected: ReferenceRatio | undefined,
  least: number | undefined,
  value: number | undefined,
): Verdict['outcome'] {
  if (value === undefined || !Number.isFinite(value)) return 'not measured';
  if (!expected || least === undefined) return 'new';
  if (value < least) return 'slower';
  return value > expected.ratio / (1 - expected.tolerance) ? 'faster' : 'ok';
}
