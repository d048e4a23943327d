/**
 * The parts that frames are made of, whatever their type: a header, numbers that are checked, a name, a tail.
 *
 * Encoding refuses a number that does not fit its field: cut to size it would name another room or message.
 */
import { fits, MAX_U32, MAX_U48, writeU16, writeU32, writeU48 } from '../bytes/integers.js';
import { decodeJson } from '../bytes/json.js';
import { decodeUtf8, encodeUtf8 } from '../bytes/utf8.js';
import { assertType } from '../check/json.js';
import { malformed } from '../errors.js';
import { MAX_MAX_FRAME_BYTES } from '../limits.js';
import type { FrameType } from './frame.js';
import {
  CALL_HEADER_BYTES,
  CALL_ID_OFFSET,
  CLOSE_CODE_OFFSET,
  CLOSE_HEADER_BYTES,
  CLOSE_RETRY_OFFSET,
  CODEC_OFFSET,
  LENGTH_OFFSET,
  NAME_BYTES_OFFSET,
  TYPE_OFFSET,
} from './layout.js';

const EMPTY: Uint8Array = new Uint8Array(0);

/**
 * Makes a frame whose header has no more than length, type and codec; `name` stands before the body, and both are
 * copied.
 *
 * @throws RangeError when it exceeds `MAX_MAX_FRAME_BYTES`, its name 255 bytes, or the codec does not fit
 */
export function allocate(
  type: FrameType,
  headerBytes: number,
  body: Uint8Array = EMPTY,
  codec: number = 0,
  name: Uint8Array = EMPTY,
): Uint8Array {
  const bodyStart = headerBytes + name.length;
  const bytes = new Uint8Array(fits('frame bytes', bodyStart + body.length, MAX_MAX_FRAME_BYTES));
  writeU32(bytes, LENGTH_OFFSET, bytes.length);
  bytes[TYPE_OFFSET] = type;
  bytes[CODEC_OFFSET] = fits('codec', codec, 0xff);
  bytes[NAME_BYTES_OFFSET] = fits('name bytes', name.length, 0xff);
  if (name.length > 0) bytes.set(name, headerBytes);
  bytes.set(body, bodyStart);
  return bytes;
}

/** Encodes a frame that has an id, and JSON or entries behind it. */
export function encodeCall(type: FrameType, id: number, tail: Uint8Array): Uint8Array {
  return putU32(allocate(type, CALL_HEADER_BYTES, tail), CALL_ID_OFFSET, 'id', id);
}

/** Encodes a close or a go-away, which have one layout. */
export function encodeEnd(type: FrameType, code: number, retryAfterMs: number, reason: string): Uint8Array {
  const bytes = allocate(type, CLOSE_HEADER_BYTES, encodeUtf8(reason));
  writeU16(bytes, CLOSE_CODE_OFFSET, fits('code', code, 0xffff));
  return putU32(bytes, CLOSE_RETRY_OFFSET, 'retryAfterMs', retryAfterMs);
}

/** Writes a number of four bytes. @returns `bytes` */
export function putU32(bytes: Uint8Array, offset: number, field: string, value: number): Uint8Array {
  writeU32(bytes, offset, fits(field, value, MAX_U32));
  return bytes;
}

/** Writes a number of six bytes. @returns `bytes` */
export function putU48(bytes: Uint8Array, offset: number, field: string, value: number): Uint8Array {
  writeU48(bytes, offset, fits(field, value, MAX_U48));
  return bytes;
}

/**
 * @returns where the name ends that begins after the header of the frame at `offset … end`
 * @throws ProtocolError `ERR_PROTOCOL_FRAME_MALFORMED` when it does not fit into the frame
 */
export function nameEnd(bytes: Uint8Array, offset: number, headerBytes: number, end: number): number {
  const nameBytes = bytes[offset + NAME_BYTES_OFFSET]!;
  const bodyStart = offset + headerBytes + nameBytes;
  if (bodyStart > end) {
    throw malformed(`a name of ${nameBytes} bytes exceeds the frame`);
  }
  return bodyStart;
}

const SHORT_NAME_BYTES = 12;

/** Most names are short and ASCII: reading such a one in place halves the cost of decoding a message. */
export function decodeName(bytes: Uint8Array, start: number, end: number): string {
  if (end - start > SHORT_NAME_BYTES) return decodeUtf8(bytes.subarray(start, end));
  let name = '';
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!;
    if (byte > 0x7f) return decodeUtf8(bytes.subarray(start, end));
    name += String.fromCharCode(byte);
  }
  return name;
}

/** Reads the JSON object at `start … end`. Its fields are not checked: `T` is a claim that the receiver checks. */
export function readObject<T extends object>(bytes: Uint8Array, start: number, end: number): T {
  const value = decodeJson(bytes.subarray(start, end), 'ERR_PROTOCOL_FRAME_MALFORMED');
  assertType(value, 'JSON', 'object');
  return value as T;
}
