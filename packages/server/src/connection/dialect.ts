/**
 * The port of a dialect: one way to speak on a connection. The acceptor finds out which one it is, and hands over.
 */
import type { Socket } from 'node:net';
import type { CloseCode } from '@chat/protocol';

/** A connection of which so much is known. */
export interface Arrival {
  readonly socket: Socket;
  /** Bytes that were read already, one at least. */
  readonly seen: Buffer;
  /** How many of these bytes came first, together. */
  readonly firstBytes: number;
  /** Where TLS is required: whether it was taken off, or is missing, so that the connection is refused. */
  readonly tls: 'not-required' | 'taken-off' | 'missing';
}

/** Why a connection is refused. */
export interface ConnectionRefusal {
  readonly code: CloseCode;
  readonly reason: string;
  /** When the client may try again; 0 when it is not to. */
  readonly retryAfterMs: number;
}

/** Speaks with the connections that are handed to it. */
export interface Dialect {
  /** Takes the connection over, limits having been counted. */
  accept(arrival: Arrival): void;
  /** The bytes that refuse a client of this dialect, before its connection is ended. */
  refusal(refusal: ConnectionRefusal): Uint8Array | string;
}
