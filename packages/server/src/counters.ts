/** Running totals of a server, for metrics. Plain numbers: incrementing is all that the hot path pays. */
export class Counters {
  connections = 0;
  refusedConnections = 0;
  messagesIn = 0;
  messagesRefused = 0;
  bytesIn = 0;
  bytesOut = 0;
  /** Slices of a log that were written to a peer. */
  slicesOut = 0;
  /** Messages and notices in these, and in lines. */
  entriesOut = 0;
  sessionsOpened = 0;
  sessionsResumed = 0;
  /** Sessions whose connection broke, and that might have come back. */
  sessionsLost = 0;
  /** Times that a client asked for what is no longer held, when it came back or joined, and was told so. */
  gapsTold = 0;
  /** Slow readers that were moved to the end, with a gap. */
  readersSkipped = 0;
  /** Slow readers that were closed. */
  readersClosed = 0;
  /** Connections that were closed by the server, by close code. */
  readonly closes: Map<number, number> = new Map();

  closed(code: number): void {
    this.closes.set(code, (this.closes.get(code) ?? 0) + 1);
  }
}
