/**
 * Why a connection ended, and whether it makes sense to come back.
 *
 * The numbers are those of WebSocket close codes (RFC 6455, 7.4: 1000–1015 registered, 4000–4999 for
 * applications), so that one table serves the binary dialect, the line dialect (by name) and WebSocket.
 */
import type { ProtocolErrorCode } from './errors.js';

/** Close codes by name. */
export const CloseCode = {
  /** The side that closes has nothing more to say. */
  Normal: 1000,
  /** The server drains: come back after `retryAfterMs`. */
  GoingAway: 1001,
  /** A frame of the wrong side or at the wrong time. */
  ProtocolError: 4000,
  /** No common version. */
  UnsupportedVersion: 4001,
  /** The handshake was not complete in time. */
  HandshakeTimeout: 4002,
  /** A frame or a line exceeds the limit. */
  FrameTooLarge: 4003,
  /** A frame has a type that does not exist. */
  UnknownFrame: 4004,
  /** A frame contradicts its layout. */
  MalformedFrame: 4005,
  /** Text is not valid UTF-8. */
  InvalidUtf8: 4006,
  /** The credentials were refused. */
  Unauthorized: 4010,
  /** Not allowed. */
  Forbidden: 4011,
  /** Another member has this name, or one that looks like it. */
  NameTaken: 4012,
  /** The name breaks the rules for names. */
  NameInvalid: 4013,
  /** Removed by an operator. */
  Kicked: 4014,
  /** Removed by an operator, and not welcome for a while. */
  Banned: 4015,
  /** Another connection goes on with this session, or took over its name. */
  SessionReplaced: 4016,
  /** The credentials have run out: come back with new ones. */
  CredentialsExpired: 4017,
  /** The reader was so slow that the log no longer holds what it has not read. */
  SlowConsumer: 4020,
  /** More input than the rate limit allows, after being throttled. */
  RateLimited: 4021,
  /** Nothing was heard from the peer for too long. */
  IdleTimeout: 4022,
  /** The server has no room for another session. */
  Overloaded: 4023,
  /** Too many connections from one address. */
  TooManyConnections: 4024,
  /** A defect of the server or of one of its hooks. */
  Internal: 4030,
} as const;

/** One of the numbers in {@link CloseCode}. */
export type CloseCode = (typeof CloseCode)[keyof typeof CloseCode];

/** Name and meaning of a close code. */
export interface CloseCodeInfo {
  /** The kebab-case name, as it appears in the line dialect and in logs. */
  readonly name: string;
  /** Whether a client may reconnect by itself. */
  readonly retry: boolean;
}

/** Where coming back by itself makes sense: the cause passes. Any other code ends a client. */
const RETRY = (): readonly number[] => [
  CloseCode.GoingAway,
  CloseCode.HandshakeTimeout,
  CloseCode.CredentialsExpired,
  CloseCode.SlowConsumer,
  CloseCode.RateLimited,
  CloseCode.IdleTimeout,
  CloseCode.Overloaded,
  CloseCode.TooManyConnections,
  CloseCode.Internal,
];

/**
 * Describes a close code. A number that is not in the table is answered with its digits as the name and
 * `retry: true`, since a code of a later version must not end a client for good.
 *
 * @example
 * ```ts
 * import assert from 'node:assert';
 * import { CloseCode, closeCodeInfo } from '@chat/protocol';
 *
 * assert.deepEqual(closeCodeInfo(CloseCode.Kicked), { name: 'kicked', retry: false });
 * assert.deepEqual(closeCodeInfo(4999), { name: 'code-4999', retry: true }); // of a later version
 * ```
 */
export function closeCodeInfo(code: number): CloseCodeInfo {
  const known = Object.entries(CloseCode).find(([, value]) => value === code);
  if (known === undefined) return { name: `code-${code}`, retry: true };
  return { name: kebabCase(known[0]), retry: RETRY().includes(code) };
}

function kebabCase(name: string): string {
  return name.replace(/\B[A-Z]/g, '-$&').toLowerCase();
}

/** The close code that answers each kind of malformed input. By number: without the names a page loads less. */
export const CLOSE_CODE_OF_ERROR: Readonly<Record<ProtocolErrorCode, CloseCode>> = {
  ERR_PROTOCOL_FRAME_TOO_LARGE: 4003, // FrameTooLarge
  ERR_PROTOCOL_FRAME_TOO_SHORT: 4005, // MalformedFrame
  ERR_PROTOCOL_FRAME_UNKNOWN: 4004, // UnknownFrame
  ERR_PROTOCOL_FRAME_MALFORMED: 4005, // MalformedFrame
  ERR_PROTOCOL_BAD_PREFACE: 4000, // ProtocolError
  ERR_PROTOCOL_VERSION_UNSUPPORTED: 4001, // UnsupportedVersion
  ERR_PROTOCOL_INVALID_UTF8: 4006, // InvalidUtf8
  ERR_PROTOCOL_INVALID_BODY: 4005, // MalformedFrame
  ERR_PROTOCOL_LINE_TOO_LONG: 4003, // FrameTooLarge
};
