/**
 * A line: the least that every way of talking can do, so that one measurement fits them all.
 *
 * Each file in `lines/` implements it once, as a user of that mechanism would write it. The near end drives
 * the measurement; the far end, in a process of its own, answers.
 */
import type { Address } from '../process/server-process.js';

/** Given each message, `bytes[start … end)`, borrowed until it returns. */
export type LineListener = (bytes: Uint8Array, start: number, end: number) => void;

/** One end of an open line. */
export interface Line {
  /**
   * Sends one message. The bytes are the caller's again when this returns.
   *
   * @returns false when the line is full: nothing was sent, try again later
   */
  send(bytes: Uint8Array): boolean;
  /** Names the one listener. */
  receive(listener: LineListener): void;
  /**
   * Looks for messages and hands them to the listener. Only lines that must be polled have this; the others
   * wake the event loop by themselves.
   *
   * @returns whether there was one
   */
  readonly poll?: () => boolean;
  close(): Promise<void>;
}

/** What the near end has at hand when it opens. */
export interface NearContext {
  /** Text that no other line on this machine has. */
  readonly unique: string;
  /** The largest message that will be sent. */
  readonly maxMessageBytes: number;
  /** Readers at the far end, for lines that can have many. */
  readonly readers: number;
  /** A folder for sockets, removed afterwards. */
  readonly folder: string;
  /** The server between the two ends, for lines that have one. */
  readonly server: Address | undefined;
  /** Starts the far end with these parameters; resolves when it has opened its line. */
  startFar(params: unknown): Promise<FarChannel>;
}

/** What connects the two processes anyway: how they are started and stopped, and all that some lines need. */
export interface FarChannel {
  post(bytes: Uint8Array): void;
  onBytes(listener: LineListener): void;
}

/** One way of talking. */
export interface Mechanism {
  openNear(context: NearContext): Promise<Line>;
  openFar(params: never, channel: FarChannel): Promise<Line>;
}
