/**
 * Bytes to frames, fed in any cut.
 *
 * `FrameDecoder` finds the borders of frames and checks each length before anything is allocated for it;
 * `decodeFrame` reads one whole frame. A server reads its hot frames in place instead, by `layout.ts`.
 * After an error a decoder is poisoned: the stream has no frame border any more, so every later call throws
 * the same error.
 */
import { ByteQueue } from './byte-queue.js';
import { ProtocolError, ProtocolErrorCode } from './errors.js';
import { FIRST_SKIPPABLE_TYPE, type Frame, FrameType, NoticeKind } from './frame.js';
import { HISTORY_END, HISTORY_LAST } from './frame-encoder.js';
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
  ENTRY_ROOM_OFFSET,
  ENTRY_SENDER_OFFSET,
  ENTRY_SEQ_OFFSET,
  GAP_BYTES,
  GAP_FROM_OFFSET,
  GAP_ROOM_OFFSET,
  GAP_TO_OFFSET,
  HEADER_BYTES,
  PING_BYTES,
  PING_NONCE_OFFSET,
  PUBLISH_HEADER_BYTES,
  PUBLISH_ID_OFFSET,
  PUBLISH_ROOM_OFFSET,
  readU16,
  readU32,
  readU48,
  SIGNAL_HEADER_BYTES,
  SIGNAL_ROOM_OFFSET,
  SIGNAL_SENDER_OFFSET,
  TYPE_OFFSET,
} from './layout.js';
import { assertMaxFrameBytes, DEFAULT_MAX_FRAME_BYTES } from './limits.js';
import { decodeUtf8 } from './utf8.js';

/** Smallest legal length of each known type; 0 where the type is unknown. */
const MIN_BYTES: Uint8Array = new Uint8Array(256);
for (const [type, bytes] of [
  [FrameType.Hello, HEADER_BYTES + 2],
  [FrameType.Welcome, HEADER_BYTES + 2],
  [FrameType.Close, CLOSE_HEADER_BYTES],
  [FrameType.GoAway, CLOSE_HEADER_BYTES],
  [FrameType.Ping, PING_BYTES],
  [FrameType.Pong, PING_BYTES],
  [FrameType.Publish, PUBLISH_HEADER_BYTES],
  [FrameType.Message, ENTRY_HEADER_BYTES],
  [FrameType.Notice, ENTRY_HEADER_BYTES],
  [FrameType.Ack, ACK_BYTES],
  [FrameType.Nack, CALL_HEADER_BYTES + 2],
  [FrameType.Direct, DIRECT_HEADER_BYTES],
  [FrameType.Signal, SIGNAL_HEADER_BYTES],
  [FrameType.Gap, GAP_BYTES],
  [FrameType.Request, CALL_HEADER_BYTES + 2],
  [FrameType.Response, CALL_HEADER_BYTES + 1],
  [FrameType.Failed, CALL_HEADER_BYTES + 2],
  [FrameType.History, CALL_HEADER_BYTES],
] as const) {
  MIN_BYTES[type] = bytes;
}

const EMPTY = new Uint8Array(0);

/** Options of {@link FrameDecoder}. */
export interface FrameDecoderOptions {
  /** Largest whole frame that is accepted. @defaultValue 65536 */
  readonly maxFrameBytes?: number;
}

/**
 * Splits a stream into frames.
 *
 * `push` a chunk, then call `next` until it answers false. While it answers true, the frame lies at
 * `bytes[offset … offset + length]`. These bytes are borrowed from the chunk, or lie in an array that is
 * never written again when the frame was cut: they stay valid as long as the caller leaves its chunks alone.
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
export class FrameDecoder {
  readonly #queue = new ByteQueue();
  #maxFrameBytes: number;
  #error: ProtocolError | undefined;

  /** Where the current frame lies. Empty while there is none. */
  bytes: Uint8Array = EMPTY;
  /** First byte of the current frame in {@link FrameDecoder.bytes}. */
  offset = 0;
  /** Bytes of the current frame, header included; 0 while there is none. */
  length = 0;
  /** Type of the current frame; 0 while there is none. */
  type = 0;

  /** @throws RangeError when `maxFrameBytes` is out of bounds */
  constructor(options: FrameDecoderOptions = {}) {
    this.#maxFrameBytes = options.maxFrameBytes ?? DEFAULT_MAX_FRAME_BYTES;
    assertMaxFrameBytes(this.#maxFrameBytes);
  }

  /** Bytes of an incomplete frame that wait for the rest. */
  get pendingBytes(): number {
    return this.#queue.length;
  }

  /**
   * Adds bytes, cut anywhere. Whole frames of the chunk before that have not been read yet are copied, and not
   * counted against any limit: read them first.
   *
   * @throws ProtocolError the error that poisoned the decoder
   */
  push(chunk: Uint8Array): void {
    if (this.#error) throw this.#error;
    this.#queue.push(chunk);
  }

  /**
   * Moves on to the next whole frame of a known type.
   *
   * @returns false while bytes are missing
   * @throws ProtocolError `ERR_PROTOCOL_FRAME_TOO_LARGE`, `ERR_PROTOCOL_FRAME_TOO_SHORT`,
   *   `ERR_PROTOCOL_FRAME_UNKNOWN`; the decoder is poisoned then
   */
  next(): boolean {
    if (this.#error) throw this.#error;
    const queue = this.#queue;
    for (;;) {
      // protocol.md, "Frame header": the length is checked as soon as its four bytes and the type are there.
      if (!queue.peek(TYPE_OFFSET + 1, HEADER_BYTES)) return this.#more();
      const length = readU32(queue.bytes, queue.offset);
      const type = queue.bytes[queue.offset + TYPE_OFFSET]!;
      if (length > this.#maxFrameBytes) {
        throw this.#poison(
          ProtocolErrorCode.FrameTooLarge,
          `frame of ${length} bytes exceeds maxFrameBytes ${this.#maxFrameBytes}`,
        );
      }
      // protocol.md, "Extensions": types from 0x80 on are skipped, but their length still counts.
      const minBytes = type >= FIRST_SKIPPABLE_TYPE ? HEADER_BYTES : MIN_BYTES[type]!;
      if (minBytes === 0) {
        throw this.#poison(ProtocolErrorCode.FrameUnknown, `frame type 0x${type.toString(16)} is not known`);
      }
      if (length < minBytes) {
        throw this.#poison(
          ProtocolErrorCode.FrameTooShort,
          `frame of type 0x${type.toString(16)} has ${length} bytes, at least ${minBytes} are needed`,
        );
      }
      if (!queue.peek(length)) return this.#more();
      queue.take(length);
      if (type >= FIRST_SKIPPABLE_TYPE) continue;
      this.bytes = queue.bytes;
      this.offset = queue.offset;
      this.length = length;
      this.type = type;
      return true;
    }
  }

  /**
   * Decodes the current frame.
   *
   * @throws ProtocolError as {@link decodeFrame}; the decoder is poisoned then
   * @throws TypeError when there is no current frame, because {@link FrameDecoder.next} did not answer true
   */
  frame(): Frame {
    if (this.#error) throw this.#error;
    if (this.length === 0) throw new TypeError('there is no current frame: next() has not answered true');
    try {
      return decodeFrame(this.bytes, this.offset);
    } catch (error) {
      if (ProtocolError.is(error)) this.#error = error;
      throw error;
    }
  }

  /** Lets go of the last frame, so that an idle connection does not keep the chunk it lay in. */
  #more(): false {
    this.bytes = EMPTY;
    this.offset = 0;
    this.length = 0;
    this.type = 0;
    return false;
  }

  #poison(code: ProtocolErrorCode, message: string): ProtocolError {
    this.#error = new ProtocolError(code, message);
    return this.#error;
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
  if (available >= HEADER_BYTES && MIN_BYTES[type] === 0) {
    throw new ProtocolError(ProtocolErrorCode.FrameUnknown, `frame type 0x${type.toString(16)} is not known`);
  }
  if (length > available || length < MIN_BYTES[type]!) {
    throw new ProtocolError(
      ProtocolErrorCode.FrameTooShort,
      `frame of type 0x${type.toString(16)} says ${length} bytes, ${available} are there, at least ${MIN_BYTES[type]} are needed`,
    );
  }
  const end = offset + length;
  switch (type as FrameType) {
    case FrameType.Hello:
      return { type: FrameType.Hello, hello: object(bytes, offset + HEADER_BYTES, end) };
    case FrameType.Welcome:
      return { type: FrameType.Welcome, welcome: object(bytes, offset + HEADER_BYTES, end) };
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
    case FrameType.Signal: {
      const bodyStart = nameEnd(bytes, offset, SIGNAL_HEADER_BYTES, end);
      return {
        type: FrameType.Signal,
        room: readU32(bytes, offset + SIGNAL_ROOM_OFFSET),
        sender: readU32(bytes, offset + SIGNAL_SENDER_OFFSET),
        name: decodeName(bytes, offset + SIGNAL_HEADER_BYTES, bodyStart),
        codec: bytes[offset + CODEC_OFFSET]!,
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
        failure: object(bytes, offset + CALL_HEADER_BYTES, end),
      };
    case FrameType.Request:
      return {
        type: FrameType.Request,
        id: readU32(bytes, offset + CALL_ID_OFFSET),
        request: object(bytes, offset + CALL_HEADER_BYTES, end),
      };
    case FrameType.Response:
      return {
        type: FrameType.Response,
        id: readU32(bytes, offset + CALL_ID_OFFSET),
        response: json(bytes, offset + CALL_HEADER_BYTES, end),
      };
    case FrameType.Failed:
      return {
        type: FrameType.Failed,
        id: readU32(bytes, offset + CALL_ID_OFFSET),
        failure: object(bytes, offset + CALL_HEADER_BYTES, end),
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
  }
}

const SHORT_NAME_BYTES = 12;

function nameEnd(bytes: Uint8Array, offset: number, headerBytes: number, end: number): number {
  const nameBytes = bytes[offset + B_OFFSET]!;
  const bodyStart = offset + headerBytes + nameBytes;
  if (bodyStart > end) {
    throw new ProtocolError(
      ProtocolErrorCode.FrameMalformed,
      `a name of ${nameBytes} bytes does not fit into the frame`,
    );
  }
  return bodyStart;
}

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
  if (value < NoticeKind.Joined || value > NoticeKind.Lost) {
    throw new ProtocolError(ProtocolErrorCode.FrameMalformed, `notice of kind ${value}`);
  }
  return value as NoticeKind;
}

function json(bytes: Uint8Array, start: number, end: number): unknown {
  const text = decodeUtf8(bytes.subarray(start, end));
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ProtocolError(ProtocolErrorCode.FrameMalformed, `${end - start} bytes are not JSON`, { cause });
  }
}

/** The caller checks the fields: this side only knows that it is an object. */
function object<T extends object>(bytes: Uint8Array, start: number, end: number): T {
  const value = json(bytes, start, end);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ProtocolError(ProtocolErrorCode.FrameMalformed, 'the JSON of the frame is not an object');
  }
  return value as T;
}
