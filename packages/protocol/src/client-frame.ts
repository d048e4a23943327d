/**
 * What a client sends, encoded; and how a frame is made of a header, numbers that are checked, and a tail.
 *
 * Apart from the other frames, so that a client bundles no more than it sends.
 */
import { jsonCodec } from './codecs/json.js';
import { type Frame, FrameType } from './frame.js';
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

/** What a client may send. */
export type ClientFrame = Extract<
  Frame,
  {
    readonly type:
      | typeof FrameType.Hello
      | typeof FrameType.Close
      | typeof FrameType.Ping
      | typeof FrameType.Pong
      | typeof FrameType.Publish
      | typeof FrameType.Direct
      | typeof FrameType.Signal
      | typeof FrameType.Request;
  }
>;

/**
 * Encodes one frame of a client, as {@link encodeFrame} does.
 *
 * @returns an owned array that holds exactly the frame
 * @throws TypeError when a string has no UTF-8 form, or a value no JSON form
 * @throws RangeError when a number does not fit its field, a name exceeds 255 bytes, or the frame
 *   {@link MAX_MAX_FRAME_BYTES}
 *
 * @example
 * ```ts
 * import assert from 'node:assert';
 * import { encodeClientFrame, FrameType } from '@chat/protocol';
 *
 * const bytes = encodeClientFrame({ type: FrameType.Ping, nonce: 7 });
 * assert.deepStrictEqual([...bytes], [12, 0, 0, 0, 8, 0, 0, 0, 7, 0, 0, 0]);
 * ```
 */
export function encodeClientFrame(frame: ClientFrame): Uint8Array {
  switch (frame.type) {
    case FrameType.Hello:
      return allocate(frame.type, HEADER_BYTES, jsonCodec.encode(frame.hello));
    case FrameType.Close:
      return encodeClose(frame);
    case FrameType.Ping:
    case FrameType.Pong: {
      const bytes = allocate(frame.type, PING_BYTES);
      writeU32(bytes, PING_NONCE_OFFSET, u32('nonce', frame.nonce));
      return bytes;
    }
    case FrameType.Publish: {
      const bytes = allocate(frame.type, PUBLISH_HEADER_BYTES, frame.body);
      bytes[CODEC_OFFSET] = u8('codec', frame.codec);
      writeU32(bytes, PUBLISH_ROOM_OFFSET, u32('room', frame.room));
      writeU32(bytes, PUBLISH_ID_OFFSET, u32('publishId', frame.publishId));
      return bytes;
    }
    case FrameType.Direct: {
      const bytes = allocate(frame.type, DIRECT_HEADER_BYTES, frame.body, encodeUtf8(frame.to));
      bytes[CODEC_OFFSET] = u8('codec', frame.codec);
      writeU32(bytes, DIRECT_ID_OFFSET, u32('publishId', frame.publishId));
      return bytes;
    }
    case FrameType.Signal: {
      const bytes = allocate(frame.type, SIGNAL_HEADER_BYTES, frame.body, encodeUtf8(frame.name));
      bytes[CODEC_OFFSET] = u8('codec', frame.codec);
      writeU32(bytes, SIGNAL_ROOM_OFFSET, u32('room', frame.room));
      writeU32(bytes, SIGNAL_SENDER_OFFSET, u32('sender', frame.sender));
      return bytes;
    }
    case FrameType.Request:
      return encodeCall(frame.type, frame.id, jsonCodec.encode(frame.request));
  }
}

/** Close and go-away have one layout. */
export function encodeClose(
  frame: Extract<Frame, { readonly type: typeof FrameType.Close | typeof FrameType.GoAway }>,
): Uint8Array {
  const bytes = allocate(frame.type, CLOSE_HEADER_BYTES, encodeUtf8(frame.reason));
  writeU16(bytes, CLOSE_CODE_OFFSET, fits('code', frame.code, 0xffff));
  writeU32(bytes, CLOSE_RETRY_OFFSET, u32('retryAfterMs', frame.retryAfterMs));
  return bytes;
}

/** Every frame that has an id, and JSON or entries behind it. */
export function encodeCall(type: FrameType, id: number, tail: Uint8Array): Uint8Array {
  const bytes = allocate(type, CALL_HEADER_BYTES, tail);
  writeU32(bytes, CALL_ID_OFFSET, u32('id', id));
  return bytes;
}

/** A frame whose header is empty but for length and type; `name` stands before the body. */
export function allocate(
  type: FrameType,
  headerBytes: number,
  body: Uint8Array = EMPTY,
  name: Uint8Array = EMPTY,
): Uint8Array {
  const bodyStart = headerBytes + name.length;
  const length = bodyStart + body.length;
  fits('the length of a frame', length, MAX_MAX_FRAME_BYTES);
  const bytes = new Uint8Array(length);
  writeU32(bytes, LENGTH_OFFSET, length);
  bytes[TYPE_OFFSET] = type;
  bytes[B_OFFSET] = fits('the length of a name', name.length, 0xff);
  bytes.set(name, headerBytes);
  bytes.set(body, bodyStart);
  return bytes;
}

export function u8(field: string, value: number): number {
  return fits(field, value, 0xff);
}

export function u32(field: string, value: number): number {
  return fits(field, value, 0xffffffff);
}

/** A number cut to the size of its field would name another room or message. */
export function fits(field: string, value: number, max: number): number {
  if (!Number.isInteger(value) || value < 0 || value > max) {
    throw new RangeError(`${field} must be an integer from 0 to ${max}, got ${value}`);
  }
  return value;
}
