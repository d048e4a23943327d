/**
 * The frames that only a client sends, both ways: encoded for a client, decoded for a server.
 *
 * One function for each type to encode: a page bundles no more than it sends.
 */
import { readU32 } from '../bytes/integers.js';
import { encodeJson } from '../bytes/json.js';
import { encodeUtf8 } from '../bytes/utf8.js';
import type { ClientFrame } from './frame.js';
import type { Hello, RequestBody } from './json-bodies.js';
import {
  CALL_HEADER_BYTES,
  CALL_ID_OFFSET,
  CODEC_OFFSET,
  DIRECT,
  DIRECT_HEADER_BYTES,
  DIRECT_ID_OFFSET,
  HEADER_BYTES,
  HELLO,
  PUBLISH,
  PUBLISH_HEADER_BYTES,
  PUBLISH_ID_OFFSET,
  PUBLISH_ROOM_OFFSET,
  REQUEST,
} from './layout.js';
import { allocate, decodeName, encodeCall, nameEnd, putU32, readObject } from './parts.js';

/**
 * Encodes the first frame of a client. Like the other functions for one type it does what `encodeFrame` does for a
 * frame of that type, and throws what that throws.
 *
 * @returns an owned array that holds exactly the frame
 *
 * @example
 * ```ts
 * import assert from 'node:assert';
 * import { encodePreface, textCodec } from '@chat/protocol';
 * import { encodeHello, encodePublish, encodeRequest, FrameType } from '@chat/protocol/frames';
 *
 * // What a client sends: the first two in one write, the others as the server answers.
 * const frames = [
 *   encodeHello({ name: 'ada', maxFrameBytes: 65_536 }),
 *   encodeRequest(1, { op: 'join', room: 'lobby' }),
 *   encodePublish(5, 1, textCodec.tag, textCodec.encode('hello')),
 * ];
 * assert.equal(encodePreface().length, 8);
 * assert.deepEqual(
 *   frames.map((frame) => frame[4]), // the type stands behind the length
 *   [FrameType.Hello, FrameType.Request, FrameType.Publish],
 * );
 * ```
 */
export function encodeHello(hello: Hello): Uint8Array {
  return allocate(HELLO, HEADER_BYTES, encodeJson(hello));
}

/** Encodes a message to a room. `body` is copied. */
export function encodePublish(room: number, publishId: number, codec: number, body: Uint8Array): Uint8Array {
  const bytes = allocate(PUBLISH, PUBLISH_HEADER_BYTES, body, codec);
  putU32(bytes, PUBLISH_ROOM_OFFSET, 'room', room);
  return putU32(bytes, PUBLISH_ID_OFFSET, 'publishId', publishId);
}

/** Encodes a message to one user. `body` is copied. */
export function encodeDirect(publishId: number, codec: number, to: string, body: Uint8Array): Uint8Array {
  const bytes = allocate(DIRECT, DIRECT_HEADER_BYTES, body, codec, encodeUtf8(to));
  return putU32(bytes, DIRECT_ID_OFFSET, 'publishId', publishId);
}

/** Encodes a request. */
export function encodeRequest(id: number, request: RequestBody): Uint8Array {
  return encodeCall(REQUEST, id, encodeJson(request));
}

/** Encodes one frame of these. @returns an owned array that holds exactly the frame */
export function encodeClientFrame(frame: ClientFrame): Uint8Array {
  switch (frame.type) {
    case HELLO:
      return encodeHello(frame.hello);
    case PUBLISH:
      return encodePublish(frame.room, frame.publishId, frame.codec, frame.body);
    case DIRECT:
      return encodeDirect(frame.publishId, frame.codec, frame.to, frame.body);
    case REQUEST:
      return encodeRequest(frame.id, frame.request);
  }
}

/**
 * Decodes the frame at `offset … end`, whose smallest length is known to be right. Bodies are views into `bytes`.
 *
 * @throws ProtocolError `ERR_PROTOCOL_FRAME_MALFORMED`, `ERR_PROTOCOL_INVALID_UTF8`
 */
export function readClientFrame(
  type: ClientFrame['type'],
  bytes: Uint8Array,
  offset: number,
  end: number,
): ClientFrame {
  switch (type) {
    case HELLO:
      return { type, hello: readObject(bytes, offset + HEADER_BYTES, end) };
    case PUBLISH:
      return {
        type,
        room: readU32(bytes, offset + PUBLISH_ROOM_OFFSET),
        publishId: readU32(bytes, offset + PUBLISH_ID_OFFSET),
        codec: bytes[offset + CODEC_OFFSET]!,
        body: bytes.subarray(offset + PUBLISH_HEADER_BYTES, end),
      };
    case DIRECT: {
      const bodyStart = nameEnd(bytes, offset, DIRECT_HEADER_BYTES, end);
      return {
        type,
        publishId: readU32(bytes, offset + DIRECT_ID_OFFSET),
        codec: bytes[offset + CODEC_OFFSET]!,
        to: decodeName(bytes, offset + DIRECT_HEADER_BYTES, bodyStart),
        body: bytes.subarray(bodyStart, end),
      };
    }
    case REQUEST:
      return {
        type,
        id: readU32(bytes, offset + CALL_ID_OFFSET),
        request: readObject(bytes, offset + CALL_HEADER_BYTES, end),
      };
  }
}
