/**
 * The types of frames, the least length of each, and the greatest length that a receiver accepts. All of
 * it is checked before anything of a frame is read.
 */
import { fits } from '../bytes/integers.js';
import { ProtocolError } from '../errors.js';
import { MAX_MAX_FRAME_BYTES, MIN_MAX_FRAME_BYTES } from '../limits.js';
import { FrameType } from './frame.js';
import {
  ACK_BYTES,
  CALL_HEADER_BYTES,
  CLOSE_HEADER_BYTES,
  DIRECT_HEADER_BYTES,
  ENTRY_HEADER_BYTES,
  GAP_BYTES,
  OBJECT_CALL_BYTES,
  OBJECT_FRAME_BYTES,
  PING_BYTES,
  PUBLISH_HEADER_BYTES,
  SIGNAL_HEADER_BYTES,
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
