/**
 * Values to bytes: `encodeFrame` for any frame, and `writeEntry`/`writeAck` for the hot path of a server,
 * which writes into memory that it owns instead of allocating.
 *
 * A number that does not fit its field is a defect of the caller. `encodeFrame` refuses it, since cut to size it
 * would name another room or message; the two of the hot path leave that to their caller.
 */

import { jsonCodec } from './codecs/json.js';
import {
  allocate,
  encodeCall,
  encodeDirect,
  encodeEnd,
  encodeHello,
  encodePing,
  encodePong,
  encodePublish,
  encodeRequest,
  encodeSignal,
  fits,
  putU32,
} from './encode-client-frames.js';
import { type Frame, FrameType, type NoticeKind } from './frame.js';
import {
  A_OFFSET,
  ACK_AT_OFFSET,
  ACK_BYTES,
  ACK_ID_OFFSET,
  ACK_SEQ_OFFSET,
  B_OFFSET,
  CODEC_OFFSET,
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
  HISTORY_END,
  HISTORY_LAST,
  LENGTH_OFFSET,
  TYPE_OFFSET,
  writeU16,
  writeU32,
  writeU48,
} from './layout.js';
import { MAX_MAX_FRAME_BYTES } from './limits.js';
import { encodeUtf8 } from './utf8.js';

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
    case FrameType.Welcome:
      return allocate(frame.type, HEADER_BYTES, jsonCodec.encode(frame.welcome));
    case FrameType.Hello:
      return encodeHello(frame.hello);
    case FrameType.Close:
    case FrameType.GoAway:
      return encodeEnd(frame.type, frame.code, frame.retryAfterMs, frame.reason);
    case FrameType.Ping:
      return encodePing(frame.nonce);
    case FrameType.Pong:
      return encodePong(frame.nonce);
    case FrameType.Publish:
      return encodePublish(frame.room, frame.publishId, frame.codec, frame.body);
    case FrameType.Direct:
      return encodeDirect(frame.publishId, frame.codec, frame.to, frame.body);
    case FrameType.Signal:
      return encodeSignal(frame.room, frame.codec, frame.body, frame.sender, frame.name);
    case FrameType.Request:
      return encodeRequest(frame.id, frame.request);
    case FrameType.Message:
    case FrameType.Notice: {
      const name = encodeUtf8(frame.name);
      const length = entryBytes(name.length, frame.body.length);
      const bytes = new Uint8Array(fits('the length of a frame', length, MAX_MAX_FRAME_BYTES));
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
      const bytes = allocate(frame.type, GAP_BYTES);
      putU32(bytes, GAP_ROOM_OFFSET, 'room', frame.room);
      writeU48(bytes, GAP_FROM_OFFSET, u48('from', frame.from));
      writeU48(bytes, GAP_TO_OFFSET, u48('to', frame.to));
      return bytes;
    }
    case FrameType.Nack:
      return encodeCall(frame.type, frame.publishId, jsonCodec.encode(frame.failure));
    case FrameType.Response:
      return encodeCall(frame.type, frame.id, jsonCodec.encode(frame.response));
    case FrameType.Failed:
      return encodeCall(frame.type, frame.id, jsonCodec.encode(frame.failure));
    case FrameType.History: {
      const bytes = encodeCall(frame.type, frame.id, frame.entries);
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

function u8(field: string, value: number): number {
  return fits(field, value, 0xff);
}

function u32(field: string, value: number): number {
  return fits(field, value, 0xffffffff);
}

function u48(field: string, value: number): number {
  return fits(field, value, 0xffffffffffff);
}
