/**
 * What a server sends besides the entries of the log, decoded: all that a client has to read as values.
 *
 * Apart from the other frames, so that a client bundles no more than it receives.
 */
import { parseJson } from './codecs/json.js';
import { ProtocolError } from './errors.js';
import { type Frame, FrameType } from './frame.js';
import {
  A_OFFSET,
  ACK_AT_OFFSET,
  ACK_ID_OFFSET,
  ACK_SEQ_OFFSET,
  B_OFFSET,
  CALL_HEADER_BYTES,
  CALL_ID_OFFSET,
  CLOSE_CODE_OFFSET,
  CLOSE_HEADER_BYTES,
  CLOSE_RETRY_OFFSET,
  CODEC_OFFSET,
  GAP_FROM_OFFSET,
  GAP_ROOM_OFFSET,
  GAP_TO_OFFSET,
  HEADER_BYTES,
  HISTORY_END,
  HISTORY_LAST,
  PING_NONCE_OFFSET,
  readU16,
  readU32,
  readU48,
  SIGNAL_HEADER_BYTES,
  SIGNAL_ROOM_OFFSET,
  SIGNAL_SENDER_OFFSET,
} from './layout.js';
import { decodeUtf8 } from './utf8.js';

/** What a client decodes: a frame that a server may send, and that is no entry of the log. */
export type ServerFrame = Exclude<
  Frame,
  {
    readonly type:
      | typeof FrameType.Hello
      | typeof FrameType.Publish
      | typeof FrameType.Direct
      | typeof FrameType.Request
      | typeof FrameType.Message
      | typeof FrameType.Notice;
  }
>;

/**
 * Decodes the frame at `offset … end`, whose type and smallest length are known to be right: a
 * {@link FrameSplitter} has shown it. Bodies are views into `bytes`.
 *
 * @throws ProtocolError `ERR_PROTOCOL_FRAME_MALFORMED`, `ERR_PROTOCOL_INVALID_UTF8`; `ERR_PROTOCOL_FRAME_UNKNOWN`
 *   for a type that no server sends, or that is an entry
 *
 * @example
 * ```ts
 * import assert from 'node:assert';
 * import { encodeFrame, FrameSplitter, FrameType, readServerFrame } from '@chat/protocol';
 *
 * const splitter = new FrameSplitter();
 * splitter.push(encodeFrame({ type: FrameType.Pong, nonce: 7 }));
 * assert(splitter.next());
 * const { type, bytes, offset, length } = splitter;
 * assert.deepStrictEqual(readServerFrame(type, bytes, offset, offset + length), { type: FrameType.Pong, nonce: 7 });
 * ```
 */
export function readServerFrame(type: number, bytes: Uint8Array, offset: number, end: number): ServerFrame {
  switch (type) {
    case FrameType.Welcome:
      return { type: FrameType.Welcome, welcome: readObject(bytes, offset + HEADER_BYTES, end) };
    case FrameType.Close:
    case FrameType.GoAway:
      return {
        type: type as typeof FrameType.Close,
        code: readU16(bytes, offset + CLOSE_CODE_OFFSET),
        retryAfterMs: readU32(bytes, offset + CLOSE_RETRY_OFFSET),
        reason: decodeUtf8(bytes.subarray(offset + CLOSE_HEADER_BYTES, end)),
      };
    case FrameType.Ping:
    case FrameType.Pong:
      return { type: type as typeof FrameType.Ping, nonce: readU32(bytes, offset + PING_NONCE_OFFSET) };
    case FrameType.Signal: {
      const bodyStart = nameEnd(bytes, offset, SIGNAL_HEADER_BYTES, end);
      return {
        type: FrameType.Signal,
        room: readU32(bytes, offset + SIGNAL_ROOM_OFFSET),
        sender: readU32(bytes, offset + SIGNAL_SENDER_OFFSET),
        name: decodeUtf8(bytes.subarray(offset + SIGNAL_HEADER_BYTES, bodyStart)),
        codec: bytes[offset + CODEC_OFFSET]!,
        body: bytes.subarray(bodyStart, end),
      };
    }
    case FrameType.Ack:
      return {
        type: FrameType.Ack,
        publishId: readU32(bytes, offset + ACK_ID_OFFSET),
        seq: readU48(bytes, offset + ACK_SEQ_OFFSET),
        at: readU48(bytes, offset + ACK_AT_OFFSET),
      };
    case FrameType.Gap:
      return {
        type: FrameType.Gap,
        room: readU32(bytes, offset + GAP_ROOM_OFFSET),
        from: readU48(bytes, offset + GAP_FROM_OFFSET),
        to: readU48(bytes, offset + GAP_TO_OFFSET),
      };
    case FrameType.Nack:
      return {
        type: FrameType.Nack,
        publishId: readU32(bytes, offset + CALL_ID_OFFSET),
        failure: readObject(bytes, offset + CALL_HEADER_BYTES, end),
      };
    case FrameType.Response:
      return {
        type: FrameType.Response,
        id: readU32(bytes, offset + CALL_ID_OFFSET),
        response: parseJson(bytes.subarray(offset + CALL_HEADER_BYTES, end), 'ERR_PROTOCOL_FRAME_MALFORMED'),
      };
    case FrameType.Failed:
      return {
        type: FrameType.Failed,
        id: readU32(bytes, offset + CALL_ID_OFFSET),
        failure: readObject(bytes, offset + CALL_HEADER_BYTES, end),
      };
    case FrameType.History: {
      const flags = bytes[offset + A_OFFSET]!;
      return {
        type: FrameType.History,
        id: readU32(bytes, offset + CALL_ID_OFFSET),
        last: (flags & HISTORY_LAST) !== 0,
        end: (flags & HISTORY_END) !== 0,
        entries: bytes.subarray(offset + CALL_HEADER_BYTES, end),
      };
    }
    default:
      throw new ProtocolError(
        'ERR_PROTOCOL_FRAME_UNKNOWN',
        `frame type 0x${type.toString(16)} is not for a client`,
      );
  }
}

/** Where the name ends that begins after the header. */
export function nameEnd(bytes: Uint8Array, offset: number, headerBytes: number, end: number): number {
  const nameBytes = bytes[offset + B_OFFSET]!;
  const bodyStart = offset + headerBytes + nameBytes;
  if (bodyStart > end) {
    throw new ProtocolError(
      'ERR_PROTOCOL_FRAME_MALFORMED',
      `a name of ${nameBytes} bytes does not fit into the frame`,
    );
  }
  return bodyStart;
}

/** The caller checks the fields: this side only knows that it is an object. */
export function readObject<T extends object>(bytes: Uint8Array, start: number, end: number): T {
  const value = parseJson(bytes.subarray(start, end), 'ERR_PROTOCOL_FRAME_MALFORMED');
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ProtocolError('ERR_PROTOCOL_FRAME_MALFORMED', 'the JSON of the frame is not an object');
  }
  return value as T;
}
