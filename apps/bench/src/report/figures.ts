/** What a comparison found, as it is written to JSON and read back for a difference. */
import type { FanoutFigures } from '../fanout/benchmark.js';
import type { MemoryFigure } from '../fanout/memory.js';
import type { Machine } from '../harness/machine.js';
import type { PairFigure } from '../pairs/benchmark.js';
import type { ReaderFigure } from '../pairs/log-readers.js';

/** Version of this format. */
export const REPORT_FORMAT = 1;

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
  /** All pairs. */
  readonly transports: readonly PairFigure[];
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
