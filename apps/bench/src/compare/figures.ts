/** What a comparison found, as it is written to JSON and read back for a difference. */
import type { FanoutFigures } from '../fanout/benchmark.js';
import type { MemoryFigure } from '../fanout/memory.js';
import type { LatencySummary } from '../latency-histogram.js';
import type { Machine } from '../machine.js';
import type { Spread } from '../spread.js';
import type { Family, Transport } from './transports.js';

/** Version of this format. */
export const REPORT_FORMAT = 1;

/** One-way transfer at one size. */
export interface SizeFigure {
  readonly bytes: number;
  readonly messagesPerSecond: Spread;
  readonly bytesPerSecond: Spread;
  /** CPU time for one message, by side; undefined where the system does not tell or there is no such side. */
  readonly cpuNsPerMessage: {
    readonly near: number | undefined;
    readonly far: number | undefined;
    readonly server: number | undefined;
  };
}

/** Latencies over all rounds. */
export interface LatencyFigure {
  readonly summary: LatencySummary;
  /** p50 of each round. */
  readonly p50Ns: Spread;
  /** Points of the distribution: which latency so many percent do not exceed. */
  readonly distribution: readonly { readonly percent: number; readonly ns: number }[];
}

/** All that was measured of one transport. */
export interface TransportFigure {
  readonly id: string;
  readonly title: string;
  readonly family: Family;
  readonly level: Transport['level'];
  readonly polls: boolean;
  /**
   * Of a line that polls: the share of a core that the end got which got less, in the worst round. Undefined where the
   * system does not tell, and in older reports.
   */
  readonly coreShare?: number | undefined;
  readonly roundTrip: LatencyFigure | undefined;
  readonly wakeUp: LatencyFigure | undefined;
  readonly throughput: readonly SizeFigure[];
  /** CPU time of all processes together per second of silence, in milliseconds. */
  readonly idleCpuMsPerSecond: Spread | undefined;
  readonly attachMs: Spread | undefined;
  readonly serverStartMs: number | undefined;
  readonly lost: number;
  /** Only for lines where a later value replaces an earlier one. */
  readonly overwritten: number;
}

/** One reader of a log in shared memory, and many. */
export interface ReaderFigure {
  readonly readers: number;
  readonly deliveriesPerSecond: Spread;
  readonly deliveriesPerCpuSecond: Spread | undefined;
  readonly lost: number;
}

/** The whole report. */
export interface CompareReport {
  readonly format: typeof REPORT_FORMAT;
  readonly machine: Machine;
  readonly otherWork: number | undefined;
  readonly settings: {
    readonly quick: boolean;
    readonly rounds: number;
    readonly roundTripBytes: number;
    readonly ratePerSecond: number;
    readonly complete: boolean;
    readonly elapsedMs: number;
  };
  readonly transports: readonly TransportFigure[];
  readonly fanout: FanoutFigures;
  readonly logReaders: readonly ReaderFigure[];
  readonly memory: readonly MemoryFigure[];
  readonly code: readonly CodeCount[];
  readonly missing: readonly string[];
  readonly failures: readonly string[];
}

/** How much code of ours one part is. */
export interface CodeCount {
  readonly part: string;
  readonly files: number;
  /** Lines that are neither empty nor comment. */
  readonly codeLines: number;
  readonly commentLines: number;
  /** Names that its users can import. */
  readonly exports: number;
}
