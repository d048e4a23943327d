/**
 * What the load must know of a server's protocol: how to enter, what a publish looks like, how to step
 * through what comes back. One file in `wires/` for each server that is compared.
 */
import type { Address } from '../process/server-process.js';
import type { MessageCheck, Scanner } from './frame-scanner.js';
import type { ByteSink, SkimSocket } from './skim-socket.js';

/** A publish, ready to be repeated: the load copies it, writes the number in and sends. */
export interface PublishFrame {
  readonly bytes: Uint8Array;
  /** Where the payload begins, see `payload.ts`. */
  readonly payloadOffset: number;
  /** Writes what else differs from message to message. Numbers begin at 1. */
  readonly stamp?: (bytes: Uint8Array, offset: number, number: number) => void;
  /** How many messages the server takes ahead of its acknowledgement. */
  readonly maxInFlight?: number;
}

/** Told where the payload of each message lies. */
export type PayloadCheck = (bytes: Uint8Array, offset: number, length: number) => void;

/** One protocol, for bodies of a fixed size in one room. */
export interface Wire {
  /** Connects what listens: resolves when everything published from now on will arrive. */
  subscribe(socket: SkimSocket, index: number): Promise<void>;
  /** Connects what publishes. */
  enter(socket: SkimSocket): Promise<PublishFrame>;
  /** Connects a client that does nothing. */
  idle(socket: SkimSocket, index: number): Promise<void>;
  /** Waits until the server has taken in all that entered; only where `idle` has no answer to wait for. */
  readonly settled?: (address: Address) => Promise<void>;
  /**
   * Makes the scanner of one connection. It answers pings by itself.
   *
   * @param check - given the payload of every message; makes the scanner look at every byte
   */
  scanner(socket: ByteSink, check?: PayloadCheck): Scanner;
}

/** Turns a check of payloads into one of messages, for frames that end `tailBytes` after their payload. */
export function checkTail(
  check: PayloadCheck | undefined,
  payloadBytes: number,
  tailBytes: number,
): MessageCheck | undefined {
  if (check === undefined) return undefined;
  return (bytes, offset, length) => check(bytes, offset + length - tailBytes - payloadBytes, payloadBytes);
}
