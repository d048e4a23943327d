/**
 * The eight bytes with which a client of the binary dialect begins.
 *
 *      FE 43 48 41 54 0D 0A vv        FE "CHAT" CR LF, highest version that the client speaks
 *
 * FE begins neither UTF-8 text nor an HTTP request nor a TLS record, so one port can tell the dialects apart
 * by the first byte; CR LF betrays a path that rewrites line ends.
 */
import { fits } from './bytes/integers.js';
import { ProtocolError, ProtocolErrorCode } from './errors.js';
import { PROTOCOL_VERSION } from './well-known.js';

/** Length of the preface. */
export const PREFACE_BYTES = 8;

/** The first byte of the binary dialect. */
export const PREFACE_FIRST_BYTE = 0xfe;

const MAGIC: readonly number[] = [PREFACE_FIRST_BYTE, 0x43, 0x48, 0x41, 0x54, 0x0d, 0x0a];

/**
 * Encodes the preface for the highest version that the caller speaks.
 *
 * @throws RangeError when `version` is not an integer from 1 to 255
 *
 * @example
 * ```ts
 * import assert from 'node:assert';
 * import { decodePreface, encodePreface } from '@chat/protocol/frames';
 *
 * const bytes = encodePreface();
 * assert.equal(decodePreface(bytes.subarray(0, 7)), undefined);
 * assert.equal(decodePreface(bytes), 1);
 * assert.throws(() => decodePreface(new TextEncoder().encode('GET / HTTP/1.1')), { code: 'ERR_PROTOCOL_BAD_PREFACE' });
 * ```
 */
export function encodePreface(version: number = PROTOCOL_VERSION): Uint8Array {
  return Uint8Array.of(...MAGIC, fits('version', version, 255, 1));
}

/**
 * Reads the preface at the start of `bytes`.
 *
 * @returns the highest version the client speaks, or `undefined` while bytes are missing
 * @throws ProtocolError `ERR_PROTOCOL_BAD_PREFACE` at the first byte that differs
 */
export function decodePreface(bytes: Uint8Array): number | undefined {
  for (let i = 0; i < MAGIC.length; i++) {
    if (i >= bytes.length) return undefined;
    if (bytes[i] !== MAGIC[i]) {
      throw new ProtocolError(
        ProtocolErrorCode.BadPreface,
        `byte ${i} of the preface is 0x${bytes[i]!.toString(16).padStart(2, '0')}, not 0x${MAGIC[i]!.toString(16).padStart(2, '0')}`,
      );
    }
  }
  return bytes[MAGIC.length];
}
