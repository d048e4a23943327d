import { describe, expect, it } from 'vitest';
import { LatencyHistogram } from './latency-histogram.js';

describe('LatencyHistogram', () => {
  it('answers percentiles within a thousandth', () => {
    const histogram = new LatencyHistogram();
    for (let ns = 1; ns <= 10_000; ns++) histogram.record(ns * 100);
    const { count, p50Ns, p90Ns, p99Ns, p999Ns, maxNs } = histogram.summary();
    expect(count).toBe(10_000);
    for (const [seen, wanted] of [
      [p50Ns, 500_000],
      [p90Ns, 900_000],
      [p99Ns, 990_000],
      [p999Ns, 999_000],
      [maxNs, 1_000_000],
    ] as const) {
      expect(Math.abs(seen - wanted) / wanted).toBeLessThan(0.001);
    }
  });

  it('survives being written and read, and adds up', () => {
    const histogram = new LatencyHistogram();
    histogram.record(300);
    histogram.record(5_000_000_000);
    const other = LatencyHistogram.decode(histogram.encode());
    other.add(histogram);
    expect(other.count).toBe(4);
    expect(other.percentile(50)).toBe(300);
  });

  it('keeps what is beyond its range at the ends', () => {
    const histogram = new LatencyHistogram();
    histogram.record(0);
    histogram.record(1e15);
    expect(histogram.percentile(1)).toBe(1);
    expect(histogram.summary().maxNs).toBeLessThan(60_100_000_000);
  });
});
