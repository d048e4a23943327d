/** Running totals of a server, for metrics. Plain numbers: incrementing is all that the hot path pays. */
export class Counters {
  /** Connections that were accepted. */
  connections = 0;
  /** Connections that were closed at once: too many of one address, a ban. */
  refusedConnections = 0;
  /** Messages that were taken into the log, direct ones included. */
  messagesIn = 0;
  /** Messages that were answered with a failure. */
  messagesRefused = 0;
  /** Bytes received from peers. */
  bytesIn = 0;
  /** Bytes written to peers. */
  bytesOut = 0;
  /** Slices of a log that were written to a peer. */
  slicesOut = 0;
  /** Messages and notices in these, and in lines. */
  entriesOut = 0;
  /** Sessions that began. */
  sessionsOpened = 0;
  /** Times that a session went on over a new connection. */
  sessionsResumed = 0;
  /** Sessions whose connection broke, and that might have come back. */
  sessionsAway = 0;
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
