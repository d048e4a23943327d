/**
 * A server that stores what it is sent and then says so: one connection publishes, and its acknowledgements are counted.
 * With every server set to flush its disk before it acknowledges, where it can be.
 */
import type { ServerProcess } from '../../harness/server-process.js';
import type { Scanner } from '../stream/frame-scanner.js';
import type { SkimSocket } from '../stream/skim-socket.js';
import type { PublishFrame } from '../way.js';

export interface Storing {
  /** Name in tables. */
  readonly name: string;
  /** A program that must be on the PATH. */
  readonly program?: string;
  readonly version: () => string;
  /** What of it is not as with the others; undefined when nothing is. */
  readonly caveat?: () => string | undefined;
  /** Starts it with its data in that folder. */
  startServer(folder: string): Promise<ServerProcess>;
  wire(payloadBytes: number): StoringWire;
}

/** What the load must know of a protocol. */
export interface StoringWire {
  /** Connects what publishes. */
  enter(socket: SkimSocket): Promise<PublishFrame>;
  /** Counts acknowledgements. @throws Error for a refusal */
  scanner(socket: SkimSocket): Scanner;
}
