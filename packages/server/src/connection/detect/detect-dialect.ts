/**
 * One port, many dialects: the first bytes decide.
 *
 *     FE            the binary dialect (its preface begins with a byte that no text and no HTTP begins with)
 *     16            a TLS record, where the listener has a certificate; the dialect is then inside
 *     GET , POST …  HTTP, and WebSocket through it
 *     a control character   another protocol, which is turned away
 *     else          the line dialect, which turns away those whose first line is of another protocol
 */
import { PREFACE_FIRST_BYTE } from '@chat/protocol/frames';
import { isStrayByte } from './stray.js';

/** The dialects that a connection may turn out to speak, and two that are none. */
export type DialectName = 'binary' | 'tls' | 'http' | 'line' | 'stray';

const TLS_HANDSHAKE = 0x16;
const METHODS = [
  'GET ',
  'HEAD ',
  'POST ',
  'PUT ',
  'DELETE ',
  'OPTIONS ',
  'PATCH ',
  'CONNECT ',
  'TRACE ',
  'PRI ',
];
/** So many bytes settle it in any case. */
const LONGEST_METHOD_BYTES = 8;

/**
 * Tells the dialect from the first bytes of a connection.
 *
 * @returns `undefined` while more bytes are needed: at most eight are
 */
export function detectDialect(bytes: Uint8Array, tls: boolean): DialectName | undefined {
  if (bytes.length === 0) return undefined;
  if (bytes[0] === PREFACE_FIRST_BYTE) return 'binary';
  if (bytes[0] === TLS_HANDSHAKE && tls) return 'tls';
  if (isStrayByte(bytes[0]!)) return 'stray';
  const start = String.fromCharCode(...bytes.subarray(0, LONGEST_METHOD_BYTES));
  if (METHODS.some((method) => start.startsWith(method))) return 'http';
  const maybe = METHODS.some((method) => method.startsWith(start));
  return maybe ? undefined : 'line';
}
