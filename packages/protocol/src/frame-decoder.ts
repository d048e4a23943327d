/**
 * Bytes to frames, fed in any cut: all frames of both sides, as values.
 *
 * A server reads its hot frames in place instead, by `layout.ts`; a client reads its own by `readServerFrame`.
 */

import { nameEnd, readObject, readServerFrame, type ServerFrame } from './decode-server-frames.js';
import { ProtocolError } from './errors.js';
import { type Frame, FrameType, NoticeKind } from './frame.js';
import { FrameSplitter, minFrameBytes, unknownFrame } from './frame-splitter.js';
import {
  A_OFFSET,
  CALL_HEADER_BYTES,
  CALL_ID_OFFSET,
  CODEC_OFFSET,
  DIRECT_HEADER_BYTES,
  DIRECT_ID_OFFSET,
  ENTRY_AT_OFFSET,
  ENTRY_HEADER_BYTES,
  ENTRY_PREV_OFFSET,
  ENTRY_ROOM_OFFSET,
  ENTRY_SENDER_OFFSET,
  ENTRY_SEQ_OFFSET,
  HEADER_BYTES,
  PUBLISH_HEADER_BYTES,
  PUBLISH_ID_OFFSET,
  PUBLISH_ROOM_OFFSET,
  readU32,
  readU48,
  TYPE_OFFSET,
} from './layout.js';
import { decodeUtf8 } from './utf8.js';

/**
 * Splits a stream into frames, as {@link FrameSplitter} does, and decodes them.
 *
 * @example
 * ```ts
 * import assert from 'node:assert';
 * import { encodeFrame, FrameDecoder, FrameType } from '@chat/protocol';
 *
 * const decoder = new FrameDecoder();
 * const bytes = encodeFrame({ type: FrameType.Ping, nonce: 7 });
 * decoder.push(bytes.subarray(0, 5));
 * assert.equal(decoder.next(), false);
 * decoder.push(bytes.subarray(5));
 * assert.equal(decoder.next(), true);
 * assert.deepStrictEqual(decoder.frame(), { type: FrameType.Ping, nonce: 7 });
 * ```
 */
export class FrameDecoder extends FrameSplitter {
  /**
   * Decodes the current frame.
   *
   * @throws ProtocolError as {@link decodeFrame}; the decoder is poisoned then
   * @throws TypeError when there is no current frame, because {@link FrameSplitter.next} did not answer true
   */
  frame(): Frame {
    if (this.error) throw this.error;
    if (this.length === 0) throw new TypeError('there is no current frame: next() has not answered true');
    try {
      return decodeFrame(this.bytes, this.offset);
    } catch (error) {
      if (ProtocolError.is(error)) this.error = error;
      throw error;
    }
  }
}

/**
 * Decodes the whole frame that begins at `offset`. Bodies are views into `bytes`.
 *
 * @throws ProtocolError `ERR_PROTOCOL_FRAME_TOO_SHORT` when the frame is not there whole,
 *   `ERR_PROTOCOL_FRAME_UNKNOWN`, `ERR_PROTOCOL_FRAME_MALFORMED`, `ERR_PROTOCOL_INVALID_UTF8`
 */
export function decodeFrame(bytes: Uint8Array, offset = 0): Frame {
  const available = bytes.length - offset;
  const length = available >= HEADER_BYTES ? readU32(bytes, offset) : HEADER_BYTES;
  const type = available >= HEADER_BYTES ? bytes[offset + TYPE_OFFSET]! : 0;
  const minBytes = minFrameBytes(type) || 0;
  if (available >= HEADER_BYTES && minBytes === 0) throw new ProtocolError(...unknownFrame(type));
  if (length > available || length < minBytes) {
    throw new ProtocolError(
      'ERR_PROTOCOL_FRAME_TOO_SHORT',
      `frame of type 0x${type.toString(16)} says ${length} bytes, ${available} are there, at least ${minBytes} are needed`,
    );
  }
  const end = offset + length;
  switch (type as FrameType) {
    case FrameType.Hello:
      return { type: FrameType.Hello, hello: readObject(bytes, offset + HEADER_BYTES, end) };
    case FrameType.Publish:
      return {
        type: FrameType.Publish,
        room: readU32(bytes, offset + PUBLISH_ROOM_OFFSET),
        publishId: readU32(bytes, offset + PUBLISH_ID_OFFSET),
        codec: bytes[offset + CODEC_OFFSET]!,
        body: bytes.subarray(offset + PUBLISH_HEADER_BYTES, end),
      };
    case FrameType.Direct: {
      const bodyStart = nameEnd(bytes, offset, DIRECT_HEADER_BYTES, end);
      return {
        type: FrameType.Direct,
        publishId: readU32(bytes, offset + DIRECT_ID_OFFSET),
        codec: bytes[offset + CODEC_OFFSET]!,
        to: decodeName(bytes, offset + DIRECT_HEADER_BYTES, bodyStart),
        body: bytes.subarray(bodyStart, end),
      };
    }
    case FrameType.Message:
    case FrameType.Notice: {
      const bodyStart = nameEnd(bytes, offset, ENTRY_HEADER_BYTES, end);
      const room = readU32(bytes, offset + ENTRY_ROOM_OFFSET);
      const sender = readU32(bytes, offset + ENTRY_SENDER_OFFSET);
      const name = decodeName(bytes, offset + ENTRY_HEADER_BYTES, bodyStart);
      const seq = readU48(bytes, offset + ENTRY_SEQ_OFFSET);
      const prev = readU48(bytes, offset + ENTRY_PREV_OFFSET);
      const at = readU48(bytes, offset + ENTRY_AT_OFFSET);
      const body = bytes.subarray(bodyStart, end);
      if (type === FrameType.Message) {
        const codec = bytes[offset + CODEC_OFFSET]!;
        return { type: FrameType.Message, codec, room, sender, name, seq, prev, at, body };
      }
      const kind = noticeKind(bytes[offset + A_OFFSET]!);
      return { type: FrameType.Notice, kind, room, sender, name, seq, prev, at, body };
    }
    case FrameType.Request:
      return {
        type: FrameType.Request,
        id: readU32(bytes, offset + CALL_ID_OFFSET),
        request: readObject(bytes, offset + CALL_HEADER_BYTES, end),
      };
    default:
      return readServerFrame(type as ServerFrame['type'], bytes, offset, end);
  }
}

const SHORT_NAME_BYTES = 12;

/** Most names are short and ASCII: reading such a one in place halves the cost of decoding a message. */
function decodeName(bytes: Uint8Array, start: number, end: number): string {
  if (end - start > SHORT_NAME_BYTES) return decodeUtf8(bytes.subarray(start, end));
  let name = '';
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!;
    if (byte > 0x7f) return decodeUtf8(bytes.subarray(start, end));
    name += String.fromCharCode(byte);
  }
  return name;
}

function noticeKind(value: number): NoticeKind {
  if (value < NoticeKind.Joined || value > NoticeKind.Gone) {
    throw new ProtocolError('ERR_PROTOCOL_FRAME_MALFORMED', `notice of kind ${value}`);
  }
  return value as NoticeKind;
}
