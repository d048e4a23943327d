/**
 * The types of frames, the least length of each, and the greatest length that a receiver accepts. All of
 * it is checked before anything of a frame is read.
 */
import { fits, readU32 } from '../bytes/integers.js';
import { ProtocolError } from '../errors.js';
import { MAX_MAX_FRAME_BYTES, MIN_MAX_FRAME_BYTES } from '../limits.js';
import { FIRST_SKIPPABLE_TYPE, type FrameType } from './frame.js';
import {
  ACK,
  ACK_BYTES,
  CALL_HEADER_BYTES,
  CLOSE,
  CLOSE_HEADER_BYTES,
  DIRECT,
  DIRECT_HEADER_BYTES,
  ENTRY_HEADER_BYTES,
  FAILED,
  GAP,
  GAP_BYTES,
  GO_AWAY,
  HEADER_BYTES,
  HELLO,
  HISTORY,
  MESSAGE,
  NACK,
  NOTICE,
  OBJECT_CALL_BYTES,
  OBJECT_FRAME_BYTES,
  PING,
  PING_BYTES,
  PONG,
  PUBLISH,
  PUBLISH_HEADER_BYTES,
  REQUEST,
  RESPONSE,
  SIGNAL,
  SIGNAL_HEADER_BYTES,
  TYPE_OFFSET,
  VALUE_CALL_BYTES,
  WELCOME,
} from './layout.js';

/** The smallest length of each type, in bytes. */
const MIN_BYTES: Readonly<Record<FrameType, number>> = {
  [HELLO]: OBJECT_FRAME_BYTES,
  [WELCOME]: OBJECT_FRAME_BYTES,
  [CLOSE]: CLOSE_HEADER_BYTES,
  [GO_AWAY]: CLOSE_HEADER_BYTES,
  [PING]: PING_BYTES,
  [PONG]: PING_BYTES,
  [PUBLISH]: PUBLISH_HEADER_BYTES,
  [MESSAGE]: ENTRY_HEADER_BYTES,
  [NOTICE]: ENTRY_HEADER_BYTES,
  [ACK]: ACK_BYTES,
  [NACK]: OBJECT_CALL_BYTES,
  [DIRECT]: DIRECT_HEADER_BYTES,
  [SIGNAL]: SIGNAL_HEADER_BYTES,
  [GAP]: GAP_BYTES,
  [REQUEST]: OBJECT_CALL_BYTES,
  [RESPONSE]: VALUE_CALL_BYTES,
  [FAILED]: OBJECT_CALL_BYTES,
  [HISTORY]: CALL_HEADER_BYTES,
};

/** The smallest legal length of a frame of this type, from 0 to 255; 0 when the type is not known. */
export function minFrameBytes(type: number): number {
  return MIN_BYTES[type as FrameType] ?? 0;
}

/**
 * Reads the length of the frame that begins at `offset`, of which five bytes are there at least.
 *
 * @throws ProtocolError `ERR_PROTOCOL_FRAME_TOO_LARGE`, `ERR_PROTOCOL_FRAME_TOO_SHORT`, `ERR_PROTOCOL_FRAME_UNKNOWN`
 */
export function readLength(bytes: Uint8Array, offset: number, maxFrameBytes: number): number {
  const length = readU32(bytes, offset);
  const type = bytes[offset + TYPE_OFFSET]!;
  if (length > maxFrameBytes) {
    const message = `frame of ${length} bytes exceeds maxFrameBytes ${maxFrameBytes}`;
    throw new ProtocolError('ERR_PROTOCOL_FRAME_TOO_LARGE', message);
  }
  // protocol.md, "Extensions": types from 0x80 on are skipped, but their length still counts.
  const minBytes = type >= FIRST_SKIPPABLE_TYPE ? HEADER_BYTES : minFrameBytes(type);
  if (!minBytes) throw unknownFrame(type);
  if (length < minBytes) {
    const message = `frame type 0x${type.toString(16)} has ${length} bytes, not ${minBytes} at least`;
    throw new ProtocolError('ERR_PROTOCOL_FRAME_TOO_SHORT', message);
  }
  return length;
}

/** The error for a type that the reader does not take: it does not exist, or is for the other side. */
export function unknownFrame(type: number): ProtocolError {
  return new ProtocolError(
    'ERR_PROTOCOL_FRAME_UNKNOWN',
    `frame type 0x${type.toString(16)} is not known here`,
  );
}

/** @throws RangeError when `maxFrameBytes` is not an integer from `MIN_MAX_FRAME_BYTES` to `MAX_MAX_FRAME_BYTES` */
export function assertMaxFrameBytes(maxFrameBytes: number): void {
  fits('maxFrameBytes', maxFrameBytes, MAX_MAX_FRAME_BYTES, MIN_MAX_FRAME_BYTES);
}
