/**
 * What a client sends, encoded; and how a frame is made of a header, numbers that are checked, and a tail.
 *
 * Apart from the other frames, so that a client bundles no more than it sends.
 */
import { jsonCodec } from './codecs/json.js';
import { FrameType, type Hello, type RequestBody } from './frame.js';
import {
  B_OFFSET,
  CALL_HEADER_BYTES,
  CALL_ID_OFFSET,
  CLOSE_CODE_OFFSET,
  CLOSE_HEADER_BYTES,
  CLOSE_RETRY_OFFSET,
  CODEC_OFFSET,
  DIRECT_HEADER_BYTES,
  DIRECT_ID_OFFSET,
  HEADER_BYTES,
  LENGTH_OFFSET,
  PING_BYTES,
  PING_NONCE_OFFSET,
  PUBLISH_HEADER_BYTES,
  PUBLISH_ID_OFFSET,
  PUBLISH_ROOM_OFFSET,
  SIGNAL_HEADER_BYTES,
  SIGNAL_ROOM_OFFSET,
  SIGNAL_SENDER_OFFSET,
  TYPE_OFFSET,
  writeU16,
  writeU32,
} from './layout.js';
import { MAX_MAX_FRAME_BYTES } from './limits.js';
import { encodeUtf8 } from './utf8.js';

const EMPTY: Uint8Array = new Uint8Array(0);

/**
 * Encodes the first frame of a client. As all functions here it does what {@link encodeFrame} does for the frame of
 * its name, and throws what that throws.
 *
 * @returns an owned array that holds exactly the frame
 */
export function encodeHello(hello: Hello): Uint8Array {
  return allocate(FrameType.Hello, HEADER_BYTES, jsonCodec.encode(hello));
}

/** Encodes a close. */
export function encodeClose(code: number, retryAfterMs: number, reason: string): Uint8Array {
  return encodeEnd(FrameType.Close, code, retryAfterMs, reason);
}

/**
 * Encodes a ping.
 *
 * @throws RangeError when `nonce` does not fit its field
 *
 * @example
 * ```ts
 * import assert from 'node:assert';
 * import { encodePing } from '@chat/protocol';
 *
 * assert.deepStrictEqual([...encodePing(7)], [12, 0, 0, 0, 8, 0, 0, 0, 7, 0, 0, 0]);
 * ```
 */
export function encodePing(nonce: number): Uint8Array {
  return putU32(allocate(FrameType.Ping, PING_BYTES), PING_NONCE_OFFSET, 'nonce', nonce);
}

/** Encodes the answer to a ping. */
export function encodePong(nonce: number): Uint8Array {
  return putU32(allocate(FrameType.Pong, PING_BYTES), PING_NONCE_OFFSET, 'nonce', nonce);
}

/** Encodes a message to a room. `body` is copied. */
export function encodePublish(room: number, publishId: number, codec: number, body: Uint8Array): Uint8Array {
  const bytes = allocate(FrameType.Publish, PUBLISH_HEADER_BYTES, body, codec);
  putU32(bytes, PUBLISH_ROOM_OFFSET, 'room', room);
  return putU32(bytes, PUBLISH_ID_OFFSET, 'publishId', publishId);
}

/** Encodes a message to one user. `body` is copied. */
export function encodeDirect(publishId: number, codec: number, to: string, body: Uint8Array): Uint8Array {
  const bytes = allocate(FrameType.Direct, DIRECT_HEADER_BYTES, body, codec, encodeUtf8(to));
  return putU32(bytes, DIRECT_ID_OFFSET, 'publishId', publishId);
}

/** Encodes a volatile event. `body` is copied; a client has 0 and no name as the sender. */
export function encodeSignal(
  room: number,
  codec: number,
  body: Uint8Array,
  sender: number = 0,
  name: string = '',
): Uint8Array {
  const bytes = allocate(FrameType.Signal, SIGNAL_HEADER_BYTES, body, codec, encodeUtf8(name));
  putU32(bytes, SIGNAL_ROOM_OFFSET, 'room', room);
  return putU32(bytes, SIGNAL_SENDER_OFFSET, 'sender', sender);
}

/** Encodes a request. */
export function encodeRequest(id: number, request: RequestBody): Uint8Array {
  return encodeCall(FrameType.Request, id, jsonCodec.encode(request));
}

/** Close and go-away have one layout. */
export function encodeEnd(type: FrameType, code: number, retryAfterMs: number, reason: string): Uint8Array {
  const bytes = allocate(type, CLOSE_HEADER_BYTES, encodeUtf8(reason));
  writeU16(bytes, CLOSE_CODE_OFFSET, fits('code', code, 0xffff));
  return putU32(bytes, CLOSE_RETRY_OFFSET, 'retryAfterMs', retryAfterMs);
}

/** Every frame that has an id, and JSON or entries behind it. */
export function encodeCall(type: FrameType, id: number, tail: Uint8Array): Uint8Array {
  return putU32(allocate(type, CALL_HEADER_BYTES, tail), CALL_ID_OFFSET, 'id', id);
}

/** A frame whose header has no more than length, type and codec; `name` stands before the body. */
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
  bytes[B_OFFSET] = fits('name bytes', name.length, 0xff);
  if (name.length > 0) bytes.set(name, headerBytes);
  bytes.set(body, bodyStart);
  return bytes;
}

/** Writes a number that must fit. @returns `bytes` */
export function putU32(bytes: Uint8Array, offset: number, field: string, value: number): Uint8Array {
  writeU32(bytes, offset, fits(field, value, 0xffffffff));
  return bytes;
}

/** A number cut to the size of its field would name another room or message. */
export function fits(field: string, value: number, max: number): number {
  if (!Number.isInteger(value) || value < 0 || value > max) {
    throw new RangeError(`${field} must be an integer from 0 to ${max}, got ${value}`);
  }
  return value;
}
