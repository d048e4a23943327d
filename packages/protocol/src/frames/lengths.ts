/**
 * The types of frames, the least length of each, and the greatest length that a receiver accepts. All of
 * it is checked before anything of a frame is read.
 */
import { fits, readU32 } from '../bytes/integers.js';
import { ProtocolError } from '../errors.js';
import { MAX_MAX_FRAME_BYTES, MIN_MAX_FRAME_BYTES } from '../limits.js';
import { FIRST_SKIPPABLE_TYPE, FrameType } from './frame.js';
import {
  ACK_BYTES,
  CALL_HEADER_BYTES,
  CLOSE_HEADER_BYTES,
  DIRECT_HEADER_BYTES,
  ENTRY_HEADER_BYTES,
  GAP_BYTES,
  HEADER_BYTES,
  OBJECT_CALL_BYTES,
  OBJECT_FRAME_BYTES,
  PING_BYTES,
  PUBLISH_HEADER_BYTES,
  SIGNAL_HEADER_BYTES,
  TYPE_OFFSET,
  VALUE_CALL_BYTES,
} from './layout.js';

/** The smallest length of each type, in bytes. */
const MIN_FRAME_BYTES: Readonly<Record<keyof typeof FrameType, number>> = {
  Hello: OBJECT_FRAME_BYTES,
  Welcome: OBJECT_FRAME_BYTES,
  Close: CLOSE_HEADER_BYTES,
  GoAway: CLOSE_HEADER_BYTES,
  Ping: PING_BYTES,
  Pong: PING_BYTES,
  Publish: PUBLISH_HEADER_BYTES,
  Message: ENTRY_HEADER_BYTES,
  Notice: ENTRY_HEADER_BYTES,
  Ack: ACK_BYTES,
  Nack: OBJECT_CALL_BYTES,
  Direct: DIRECT_HEADER_BYTES,
  Signal: SIGNAL_HEADER_BYTES,
  Gap: GAP_BYTES,
  Request: OBJECT_CALL_BYTES,
  Response: VALUE_CALL_BYTES,
  Failed: OBJECT_CALL_BYTES,
  History: CALL_HEADER_BYTES,
};

/** The same at the numbers of the types, which is quick to look at; 0 where a type is not known. */
const MIN_BYTES: number[] = Array.from({ length: 256 }, () => 0);
for (const name of Object.keys(FrameType) as (keyof typeof FrameType)[]) {
  MIN_BYTES[FrameType[name]] = MIN_FRAME_BYTES[name];
}

/** The smallest legal length of a frame of this type, from 0 to 255; 0 when the type is not known. */
export function minFrameBytes(type: number): number {
  return MIN_BYTES[type]!;
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
    const message = `frame of type 0x${type.toString(16)} has ${length} bytes, at least ${minBytes} are needed`;
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
