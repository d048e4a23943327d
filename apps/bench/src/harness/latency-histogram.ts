/**
 * Latencies in nanoseconds, kept as an HDR histogram with three significant digits: any percentile can be
 * asked for afterwards, and histograms of several rounds add up exactly.
 */
import * as hdr from 'hdr-histogram-js';

const HIGHEST_NS = 60_000_000_000;

/** The percentiles that tables show, in nanoseconds. */
export interface LatencySummary {
  readonly count: number;
  readonly minNs: number;
  readonly p50Ns: number;
  readonly p90Ns: number;
  readonly p99Ns: number;
  readonly p999Ns: number;
  readonly maxNs: number;
  readonly meanNs: number;
}

/** A histogram of latencies. Values above 60 s count as 60 s. */
export class LatencyHistogram {
  readonly #histogram: hdr.Histogram;

  constructor(histogram: hdr.Histogram = hdr.build({ highestTrackableValue: HIGHEST_NS })) {
    this.#histogram = histogram;
  }

  /** Reads what {@link LatencyHistogram.encode} wrote. */
  static decode(text: string): LatencyHistogram {
    return new LatencyHistogram(hdr.decodeFromCompressedBase64(text));
  }

  /** All of them in one. */
  static sum(histograms: readonly LatencyHistogram[]): LatencyHistogram {
    const all = new LatencyHistogram();
    for (const histogram of histograms) all.add(histogram);
    return all;
  }

  get count(): number {
    return this.#histogram.totalCount;
  }

  record(ns: number): void {
    this.#histogram.recordValue(Math.max(1, Math.min(HIGHEST_NS, Math.round(ns))));
  }

  add(other: LatencyHistogram): void {
    this.#histogram.add(other.#histogram);
  }

  /** The value below or at which `percent` percent of the latencies are, in nanoseconds. */
  percentile(percent: number): number {
    return this.#histogram.getValueAtPercentile(percent);
  }

  summary(): LatencySummary {
    return {
      count: this.count,
      minNs: this.count === 0 ? 0 : this.#histogram.minNonZeroValue,
      p50Ns: this.percentile(50),
      p90Ns: this.percentile(90),
      p99Ns: this.percentile(99),
      p999Ns: this.percentile(99.9),
      maxNs: this.#histogram.maxValue,
      meanNs: this.#histogram.mean,
    };
  }

  /** Compressed base64, the format that all HDR histogram tools read. */
  encode(): string {
    return hdr.encodeIntoCompressedBase64(this.#histogram);
  }
}
