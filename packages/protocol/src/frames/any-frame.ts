/**
 * Encodes and decodes frames of any type, by the file that knows the type. A new type is added to this
 * switch, which does not compile without it.
 *
 * A server reads its hot frames in place instead, by `layout.ts`; a client bundles the functions for its
 * side alone.
 */
import { readU32 } from '../bytes/integers.js';
import { ProtocolError } from '../errors.js';
import { encodeClientFrame, readClientFrame } from './client-frames.js';
import { encodeEntry, readEntry } from './entries.js';
import { type Frame, FrameType } from './frame.js';
import { HEADER_BYTES, TYPE_OFFSET } from './layout.js';
import { minFrameBytes, unknownFrame } from './lengths.js';
import { encodeServerFrame, readServerFrame } from './server-frames.js';
import { encodeSharedFrame } from './shared-frames.js';

/**
 * Encodes one frame.
 *
 * @returns an owned array that holds exactly the frame
 * @throws TypeError when a string has no UTF-8 form, or a value no JSON form
 * @throws RangeError when a number does not fit its field, a name exceeds 255 bytes, or the frame
 *   `MAX_MAX_FRAME_BYTES`
 *
 * @example
 * ```ts
 * import assert from 'node:assert';
 * import { encodeFrame, FrameType } from '@chat/protocol/frames';
 *
 * const bytes = encodeFrame({ type: FrameType.Ping, nonce: 7 });
 * assert.deepStrictEqual([...bytes], [12, 0, 0, 0, 8, 0, 0, 0, 7, 0, 0, 0]);
 * ```
 */
export function encodeFrame(frame: Frame): Uint8Array {
  switch (frame.type) {
    case FrameType.Message:
    case FrameType.Notice:
      return encodeEntry(frame);
    case FrameType.Hello:
    case FrameType.Publish:
    case FrameType.Direct:
    case FrameType.Request:
      return encodeClientFrame(frame);
    case FrameType.Close:
    case FrameType.Ping:
    case FrameType.Pong:
    case FrameType.Signal:
      return encodeSharedFrame(frame);
    default:
      return encodeServerFrame(frame);
  }
}

/**
 * Decodes the whole frame that begins at `offset`. Bodies are borrowed: views into `bytes`.
 *
 * @throws ProtocolError `ERR_PROTOCOL_FRAME_TOO_SHORT` when the frame is not there whole,
 *   `ERR_PROTOCOL_FRAME_UNKNOWN`, `ERR_PROTOCOL_FRAME_MALFORMED`, `ERR_PROTOCOL_INVALID_UTF8`
 *
 * @example
 * ```ts
 * import assert from 'node:assert';
 * import { decodeFrame, encodePing, FrameType } from '@chat/protocol/frames';
 *
 * assert.deepStrictEqual(decodeFrame(encodePing(7)), { type: FrameType.Ping, nonce: 7 });
 * assert.throws(() => decodeFrame(encodePing(7).subarray(0, 9)), { code: 'ERR_PROTOCOL_FRAME_TOO_SHORT' });
 * ```
 */
export function decodeFrame(bytes: Uint8Array, offset = 0): Frame {
  const available = bytes.length - offset;
  const length = available >= HEADER_BYTES ? readU32(bytes, offset) : HEADER_BYTES;
  const type = available >= HEADER_BYTES ? bytes[offset + TYPE_OFFSET]! : 0;
  const minBytes = minFrameBytes(type);
  if (available >= HEADER_BYTES && minBytes === 0) throw unknownFrame(type);
  if (length > available || length < minBytes) {
    throw new ProtocolError(
      'ERR_PROTOCOL_FRAME_TOO_SHORT',
      `frame of type 0x${type.toString(16)} says ${length} bytes, ${available} are there, at least ${minBytes} are needed`,
    );
  }
  const end = offset + length;
  switch (type) {
    case FrameType.Message:
    case FrameType.Notice:
      return readEntry(bytes, offset, end);
    case FrameType.Hello:
    case FrameType.Publish:
    case FrameType.Direct:
    case FrameType.Request:
      return readClientFrame(type, bytes, offset, end);
    default:
      return readServerFrame(type, bytes, offset, end);
  }
}
