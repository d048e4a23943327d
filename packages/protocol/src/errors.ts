/**
 * The closed table of codes for what can be wrong with bytes.
 *
 * Every error that this package throws for input is a `ProtocolError` with one of these codes; misuse by the
 * calling code (a negative limit, a value that the codec cannot take) is a `TypeError` or `RangeError`.
 */

/** Codes of {@link ProtocolError}. Stable: they are part of the public contract. */
export const ProtocolErrorCode = {
  /** The length field of a frame exceeds `maxFrameBytes`. */
  FrameTooLarge: 'ERR_PROTOCOL_FRAME_TOO_LARGE',
  /** The length field of a frame is smaller than the layout of its type. */
  FrameTooShort: 'ERR_PROTOCOL_FRAME_TOO_SHORT',
  /** The type of a frame is neither known nor in the range that may be skipped. */
  FrameUnknown: 'ERR_PROTOCOL_FRAME_UNKNOWN',
  /** A field of a frame contradicts its layout, or its JSON has the wrong shape. */
  FrameMalformed: 'ERR_PROTOCOL_FRAME_MALFORMED',
  /** The connection does not begin with the preface of the binary dialect. */
  BadPreface: 'ERR_PROTOCOL_BAD_PREFACE',
  /** The other side speaks no version that this side speaks. */
  VersionUnsupported: 'ERR_PROTOCOL_VERSION_UNSUPPORTED',
  /** Text is not valid UTF-8. */
  InvalidUtf8: 'ERR_PROTOCOL_INVALID_UTF8',
  /** A body does not decode with its codec, or fails its schema. */
  InvalidBody: 'ERR_PROTOCOL_INVALID_BODY',
  /** A line of the line dialect exceeds `maxLineBytes`. */
  LineTooLong: 'ERR_PROTOCOL_LINE_TOO_LONG',
} as const;

/** One of the codes in {@link ProtocolErrorCode}. */
export type ProtocolErrorCode = (typeof ProtocolErrorCode)[keyof typeof ProtocolErrorCode];

const BRAND = Symbol.for('@chat/protocol.ProtocolError');

/**
 * Malformed input. Carries a stable `code`; the message names what was seen and what was allowed.
 *
 * @example
 * ```ts
 * import assert from 'node:assert';
 * import { ProtocolError, textCodec } from '@chat/protocol';
 *
 * try {
 *   textCodec.decode(Uint8Array.of(0xff));
 *   assert.fail('decoded');
 * } catch (error) {
 *   assert(ProtocolError.is(error) && error.code === 'ERR_PROTOCOL_INVALID_UTF8');
 * }
 * ```
 */
export class ProtocolError extends Error {
  /** What went wrong, from the closed table {@link ProtocolErrorCode}. */
  readonly code: ProtocolErrorCode;

  constructor(code: ProtocolErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = 'ProtocolError';
    this.code = code;
    Object.defineProperty(this, BRAND, { value: true });
  }

  /** Tells whether `value` is a `ProtocolError`, also of another installed copy of this package. */
  static is(value: unknown): value is ProtocolError {
    return typeof value === 'object' && value !== null && BRAND in value;
  }
}

/** The error for a frame whose fields contradict its layout, or whose JSON has the wrong shape. */
export function malformed(message: string): ProtocolError {
  return new ProtocolError('ERR_PROTOCOL_FRAME_MALFORMED', message);
}
