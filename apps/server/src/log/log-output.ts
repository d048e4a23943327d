/**
 * Where log lines go: standard output, which may be a pipe that nobody reads, or a terminal that was stopped.
 *
 * The chat never waits for it. Lines that are not taken wait in memory up to a bound; beyond this they are dropped and
 * counted, and the log says how many once it is read again. When the reader is gone, so is the log.
 */
import type { Writable } from 'node:stream';

/** Lines that wait for a reader. */
const MAX_WAITING_BYTES = 1_048_576;
/** How long the last lines may take when the program ends. */
const FLUSH_MS = 1000;

/** A stream whose handle can be told not to block. Node's standard output blocks for pipes and terminals. */
interface Unblockable {
  readonly _handle?: { setBlocking?(isBlocking: boolean): unknown } | null;
}

export class LogOutput {
  readonly #stream: Writable;
  readonly #maxWaitingBytes: number;
  readonly #describeDropped: (lines: number) => string;
  #dropped = 0;
  #gone = false;

  /**
   * @param stream standard output
   * @param describeDropped the line, with its end, that tells how many lines are missing
   */
  constructor(
    stream: Writable,
    describeDropped: (lines: number) => string,
    maxWaitingBytes: number = MAX_WAITING_BYTES,
  ) {
    this.#stream = stream;
    this.#describeDropped = describeDropped;
    this.#maxWaitingBytes = maxWaitingBytes;
    (stream as Unblockable)._handle?.setBlocking?.(false);
    stream.on('error', () => {
      this.#gone = true;
    });
  }

  /** Lines that were dropped and not told of yet. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Takes whole lines, or drops them. */
  write(lines: string): void {
    if (this.#gone) return;
    if (this.#stream.writableLength > this.#maxWaitingBytes) {
      this.#dropped++;
      return;
    }
    if (this.#dropped > 0) {
      const dropped = this.#dropped;
      this.#dropped = 0;
      this.#stream.write(this.#describeDropped(dropped));
    }
    this.#stream.write(lines);
  }

  /** Resolves once everything is out, or nobody reads it. */
  flushed(deadlineMs: number = FLUSH_MS): Promise<void> {
    if (this.#gone || this.#stream.writableLength === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, deadlineMs);
      this.#stream.write('', () => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
}
