/**
 * Values to bytes: `encodeFrame` for any frame, and `writeEntry`/`writeAck` for the hot path of a server,
 * which writes into memory that it owns instead of allocating.
 *
 * A number that does not fit its field is a defect of the caller. `encodeFrame` refuses it, since cut to size it
 * would name another room or message; the two of the hot path leave that to their caller.
 */

import { type Frame, FrameType, type NoticeKind } from './frame.js';
import {
  A_OFFSET,
  ACK_AT_OFFSET,
  ACK_BYTES,
  ACK_ID_OFFSET,
  ACK_SEQ_OFFSET,
  B_OFFSET,
  CALL_HEADER_BYTES,
  CALL_ID_OFFSET,
  CLOSE_CODE_OFFSET,
  CLOSE_HEADER_BYTES,
  CLOSE_RETRY_OFFSET,
  CODEC_OFFSET,
  DIRECT_HEADER_BYTES,
  DIRECT_ID_OFFSET,
  ENTRY_AT_OFFSET,
  ENTRY_HEADER_BYTES,
  ENTRY_PREV_OFFSET,
  ENTRY_RESERVED_OFFSET,
  ENTRY_ROOM_OFFSET,
  ENTRY_SENDER_OFFSET,
  ENTRY_SEQ_OFFSET,
  GAP_BYTES,
  GAP_FROM_OFFSET,
  GAP_ROOM_OFFSET,
  GAP_TO_OFFSET,
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
  writeU48,
} from './layout.js';
import { MAX_MAX_FRAME_BYTES } from './limits.js';
import { encodeUtf8 } from './utf8.js';

/** Flags of a history frame, in field `a`. */
export const HISTORY_LAST = 1;
export const HISTORY_END = 2;

const EMPTY = new Uint8Array(0);

/**
 * Encodes one frame.
 *
 * @returns an owned array that holds exactly the frame
 * @throws TypeError when a string has no UTF-8 form, or a value no JSON form
 * @throws RangeError when a number does not fit its field, a name exceeds 255 bytes, or the frame
 *   {@link MAX_MAX_FRAME_BYTES}
 *
 * @example
 * ```ts
 * import assert from 'node:assert';
 * import { encodeFrame, FrameType } from '@chat/protocol';
 *
 * const bytes = encodeFrame({ type: FrameType.Ping, nonce: 7 });
 * assert.deepStrictEqual([...bytes], [12, 0, 0, 0, 8, 0, 0, 0, 7, 0, 0, 0]);
 * ```
 */
export function encodeFrame(frame: Frame): Uint8Array {
  switch (frame.type) {
    case FrameType.Hello:
      return json(frame.type, HEADER_BYTES, frame.hello);
    case FrameType.Welcome:
      return json(frame.type, HEADER_BYTES, frame.welcome);
    case FrameType.Close:
    case FrameType.GoAway: {
      const reason = encodeUtf8(frame.reason);
      const bytes = allocate(frame.type, CLOSE_HEADER_BYTES, reason);
      writeU16(bytes, CLOSE_CODE_OFFSET, u16('code', frame.code));
      writeU32(bytes, CLOSE_RETRY_OFFSET, u32('retryAfterMs', frame.retryAfterMs));
      return bytes;
    }
    case FrameType.Ping:
    case FrameType.Pong: {
      const bytes = allocate(frame.type, PING_BYTES, EMPTY);
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
      const bytes = named(frame.type, DIRECT_HEADER_BYTES, frame.to, frame.body);
      bytes[CODEC_OFFSET] = u8('codec', frame.codec);
      writeU32(bytes, DIRECT_ID_OFFSET, u32('publishId', frame.publishId));
      return bytes;
    }
    case FrameType.Signal: {
      const bytes = named(frame.type, SIGNAL_HEADER_BYTES, frame.name, frame.body);
      bytes[CODEC_OFFSET] = u8('codec', frame.codec);
      writeU32(bytes, SIGNAL_ROOM_OFFSET, u32('room', frame.room));
      writeU32(bytes, SIGNAL_SENDER_OFFSET, u32('sender', frame.sender));
      return bytes;
    }
    case FrameType.Message:
    case FrameType.Notice: {
      const name = encodeUtf8(frame.name);
      const bytes = array(entryBytes(name.length, frame.body.length));
      const codec = frame.type === FrameType.Message ? u8('codec', frame.codec) : 0;
      const kind = frame.type === FrameType.Notice ? frame.kind : 0;
      writeEntry(
        bytes,
        0,
        frame.type,
        codec,
        kind,
        u32('room', frame.room),
        u32('sender', frame.sender),
        u48('seq', frame.seq),
        u48('prev', frame.prev),
        u48('at', frame.at),
        name,
        frame.body,
      );
      return bytes;
    }
    case FrameType.Ack: {
      const bytes = new Uint8Array(ACK_BYTES);
      writeAck(bytes, 0, u32('publishId', frame.publishId), u48('seq', frame.seq), u48('at', frame.at));
      return bytes;
    }
    case FrameType.Gap: {
      const bytes = allocate(frame.type, GAP_BYTES, EMPTY);
      writeU32(bytes, GAP_ROOM_OFFSET, u32('room', frame.room));
      writeU48(bytes, GAP_FROM_OFFSET, u48('from', frame.from));
      writeU48(bytes, GAP_TO_OFFSET, u48('to', frame.to));
      return bytes;
    }
    case FrameType.Nack:
      return call(frame.type, u32('publishId', frame.publishId), encodeJson(frame.failure));
    case FrameType.Request:
      return call(frame.type, u32('id', frame.id), encodeJson(frame.request));
    case FrameType.Response:
      return call(frame.type, u32('id', frame.id), encodeJson(frame.response));
    case FrameType.Failed:
      return call(frame.type, u32('id', frame.id), encodeJson(frame.failure));
    case FrameType.History: {
      const bytes = call(frame.type, u32('id', frame.id), frame.entries);
      bytes[A_OFFSET] = (frame.last ? HISTORY_LAST : 0) | (frame.end ? HISTORY_END : 0);
      return bytes;
    }
  }
}

/** Bytes of an entry frame whose name and body have these lengths. */
export function entryBytes(nameBytes: number, bodyBytes: number): number {
  return ENTRY_HEADER_BYTES + nameBytes + bodyBytes;
}

/**
 * Writes a message or a notice at `offset`, where `entryBytes(name.length, body.length)` bytes must be free.
 * Name and body are copied. Allocates nothing, and does not check that the numbers fit their fields: `codec` is
 * 0 in a notice, `kind` is 0 in a message, `room` and `sender` are below 2^32, the rest below 2^48.
 *
 * @throws RangeError when `name` exceeds 255 bytes
 *
 * @example
 * ```ts
 * import assert from 'node:assert';
 * import { decodeFrame, entryBytes, FrameType, textCodec, writeEntry } from '@chat/protocol';
 *
 * const name = textCodec.encode('ada');
 * const body = textCodec.encode('hello');
 * const target = new Uint8Array(entryBytes(name.length, body.length));
 * writeEntry(target, 0, FrameType.Message, textCodec.tag, 0, 1, 2, 30, 20, 1_700_000_000_000, name, body);
 * const frame = decodeFrame(target);
 * assert(frame.type === FrameType.Message && frame.name === 'ada' && frame.prev === 20);
 * ```
 */
export function writeEntry(
  target: Uint8Array,
  offset: number,
  type: typeof FrameType.Message | typeof FrameType.Notice,
  codec: number,
  kind: NoticeKind | 0,
  room: number,
  sender: number,
  seq: number,
  prev: number,
  at: number,
  name: Uint8Array,
  body: Uint8Array,
): void {
  if (name.length > 255) throw new RangeError(`a name of ${name.length} bytes exceeds 255`);
  writeU32(target, offset + LENGTH_OFFSET, ENTRY_HEADER_BYTES + name.length + body.length);
  target[offset + TYPE_OFFSET] = type;
  target[offset + CODEC_OFFSET] = codec;
  target[offset + A_OFFSET] = kind;
  target[offset + B_OFFSET] = name.length;
  writeU32(target, offset + ENTRY_ROOM_OFFSET, room);
  writeU32(target, offset + ENTRY_SENDER_OFFSET, sender);
  writeU48(target, offset + ENTRY_SEQ_OFFSET, seq);
  writeU48(target, offset + ENTRY_PREV_OFFSET, prev);
  writeU48(target, offset + ENTRY_AT_OFFSET, at);
  writeU16(target, offset + ENTRY_RESERVED_OFFSET, 0);
  target.set(name, offset + ENTRY_HEADER_BYTES);
  target.set(body, offset + ENTRY_HEADER_BYTES + name.length);
}

/**
 * Writes an ack at `offset`, where {@link ACK_BYTES} (24) must be free. Allocates nothing, and does not check
 * that the numbers fit their fields.
 */
export function writeAck(
  target: Uint8Array,
  offset: number,
  publishId: number,
  seq: number,
  at: number,
): void {
  writeU32(target, offset + LENGTH_OFFSET, ACK_BYTES);
  writeU32(target, offset + TYPE_OFFSET, FrameType.Ack);
  writeU32(target, offset + ACK_ID_OFFSET, publishId);
  writeU48(target, offset + ACK_SEQ_OFFSET, seq);
  writeU48(target, offset + ACK_AT_OFFSET, at);
}

function allocate(type: FrameType, headerBytes: number, tail: Uint8Array): Uint8Array {
  const bytes = array(headerBytes + tail.length);
  writeU32(bytes, LENGTH_OFFSET, bytes.length);
  bytes[TYPE_OFFSET] = type;
  bytes.set(tail, headerBytes);
  return bytes;
}

function named(type: FrameType, headerBytes: number, name: string, body: Uint8Array): Uint8Array {
  const nameUtf8 = encodeUtf8(name);
  if (nameUtf8.length > 255) throw new RangeError(`a name of ${nameUtf8.length} bytes exceeds 255`);
  const bytes = array(headerBytes + nameUtf8.length + body.length);
  writeU32(bytes, LENGTH_OFFSET, bytes.length);
  bytes[TYPE_OFFSET] = type;
  bytes[B_OFFSET] = nameUtf8.length;
  bytes.set(nameUtf8, headerBytes);
  bytes.set(body, headerBytes + nameUtf8.length);
  return bytes;
}

function call(type: FrameType, id: number, tail: Uint8Array): Uint8Array {
  const bytes = allocate(type, CALL_HEADER_BYTES, tail);
  writeU32(bytes, CALL_ID_OFFSET, id);
  return bytes;
}

function json(type: FrameType, headerBytes: number, value: unknown): Uint8Array {
  return allocate(type, headerBytes, encodeJson(value));
}

function encodeJson(value: unknown): Uint8Array {
  const text: string | undefined = JSON.stringify(value);
  if (text === undefined) throw new TypeError(`JSON has no form for a ${typeof value}`);
  return encodeUtf8(text);
}

function array(length: number): Uint8Array {
  if (length > MAX_MAX_FRAME_BYTES) {
    throw new RangeError(`a frame of ${length} bytes exceeds ${MAX_MAX_FRAME_BYTES}`);
  }
  return new Uint8Array(length);
}

function u8(field: string, value: number): number {
  return fits(field, value, 0xff);
}

function u16(field: string, value: number): number {
  return fits(field, value, 0xffff);
}

function u32(field: string, value: number): number {
  return fits(field, value, 0xffffffff);
}

function u48(field: string, value: number): number {
  return fits(field, value, 0xffffffffffff);
}

function fits(field: string, value: number, max: number): number {
  if (!Number.isInteger(value) || value < 0 || value > max) {
    throw new RangeError(`${field} must be an integer from 0 to ${max}, got ${value}`);
  }
  return value;
}
