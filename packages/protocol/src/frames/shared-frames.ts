/**
 * The frames that both sides send: close, ping and pong, and signals.
 *
 * One function for each type to encode: a page bundles no more than it sends.
 */
import { readU16, readU32 } from '../bytes/integers.js';
import { decodeUtf8, encodeUtf8 } from '../bytes/utf8.js';
import type { FrameType, SharedFrame } from './frame.js';
import {
  CLOSE,
  CLOSE_CODE_OFFSET,
  CLOSE_HEADER_BYTES,
  CLOSE_RETRY_OFFSET,
  CODEC_OFFSET,
  GO_AWAY,
  PING,
  PING_BYTES,
  PING_NONCE_OFFSET,
  PONG,
  SIGNAL,
  SIGNAL_HEADER_BYTES,
  SIGNAL_ROOM_OFFSET,
  SIGNAL_SENDER_OFFSET,
} from './layout.js';
import { unknownFrame } from './lengths.js';
import { allocate, encodeEnd, nameEnd, putU32 } from './parts.js';

/** Encodes a close. */
export function encodeClose(code: number, retryAfterMs: number, reason: string): Uint8Array {
  return encodeEnd(CLOSE, code, retryAfterMs, reason);
}

/**
 * Encodes a ping.
 *
 * @throws RangeError when `nonce` does not fit its field
 *
 * @example
 * ```ts
 * import assert from 'node:assert';
 * import { encodePing } from '@chat/protocol/frames';
 *
 * assert.deepStrictEqual([...encodePing(7)], [12, 0, 0, 0, 8, 0, 0, 0, 7, 0, 0, 0]);
 * ```
 */
export function encodePing(nonce: number): Uint8Array {
  return putU32(allocate(PING, PING_BYTES), PING_NONCE_OFFSET, 'nonce', nonce);
}

/** Encodes the answer to a ping. */
export function encodePong(nonce: number): Uint8Array {
  return putU32(allocate(PONG, PING_BYTES), PING_NONCE_OFFSET, 'nonce', nonce);
}

/** Encodes a volatile event. `body` is copied; a client has 0 and no name as the sender. */
export function encodeSignal(
  room: number,
  codec: number,
  body: Uint8Array,
  sender: number = 0,
  name: string = '',
): Uint8Array {
  const bytes = allocate(SIGNAL, SIGNAL_HEADER_BYTES, body, codec, encodeUtf8(name));
  putU32(bytes, SIGNAL_ROOM_OFFSET, 'room', room);
  return putU32(bytes, SIGNAL_SENDER_OFFSET, 'sender', sender);
}

/** Encodes one frame of these. @returns an owned array that holds exactly the frame */
export function encodeSharedFrame(frame: SharedFrame): Uint8Array {
  switch (frame.type) {
    case CLOSE:
      return encodeClose(frame.code, frame.retryAfterMs, frame.reason);
    case PING:
      return encodePing(frame.nonce);
    case PONG:
      return encodePong(frame.nonce);
    case SIGNAL:
      return encodeSignal(frame.room, frame.codec, frame.body, frame.sender, frame.name);
  }
}

/**
 * Decodes the frame at `offset … end`, whose smallest length is known to be right; also a go-away, which has the layout
 * of a close. Bodies are views into `bytes`.
 *
 * @throws ProtocolError `ERR_PROTOCOL_FRAME_MALFORMED`, `ERR_PROTOCOL_INVALID_UTF8`; `ERR_PROTOCOL_FRAME_UNKNOWN` for
 *   any other type
 */
export function readSharedFrame(type: number, bytes: Uint8Array, offset: number, end: number): SharedFrame {
  switch (type) {
    case CLOSE:
    case GO_AWAY:
      return {
        type: type as typeof FrameType.Close,
        code: readU16(bytes, offset + CLOSE_CODE_OFFSET),
        retryAfterMs: readU32(bytes, offset + CLOSE_RETRY_OFFSET),
        reason: decodeUtf8(bytes.subarray(offset + CLOSE_HEADER_BYTES, end)),
      };
    case PING:
    case PONG:
      return { type, nonce: readU32(bytes, offset + PING_NONCE_OFFSET) };
    case SIGNAL: {
      const bodyStart = nameEnd(bytes, offset, SIGNAL_HEADER_BYTES, end);
      return {
        type,
        room: readU32(bytes, offset + SIGNAL_ROOM_OFFSET),
        sender: readU32(bytes, offset + SIGNAL_SENDER_OFFSET),
        name: decodeUtf8(bytes.subarray(offset + SIGNAL_HEADER_BYTES, bodyStart)),
        codec: bytes[offset + CODEC_OFFSET]!,
        body: bytes.subarray(bodyStart, end),
      };
    }
    default:
      throw unknownFrame(type);
  }
}
