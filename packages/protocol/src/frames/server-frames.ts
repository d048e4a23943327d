/**
 * The frames that only a server sends, both ways: encoded for a server, decoded for a client. The entries of the log
 * are in `entries.ts`.
 *
 * `readServerFrame` is all that a client needs to read as values: a page bundles no more than it receives.
 */
import { fits, MAX_U32, MAX_U48, readU32, readU48, writeU32, writeU48 } from '../bytes/integers.js';
import { decodeJson, encodeJson } from '../bytes/json.js';
import type { ServerFrame, SharedFrame } from './frame.js';
import {
  ACK,
  ACK_AT_OFFSET,
  ACK_BYTES,
  ACK_FLAGS_OFFSET,
  ACK_ID_OFFSET,
  ACK_SEQ_OFFSET,
  ACK_WAITING,
  CALL_HEADER_BYTES,
  CALL_ID_OFFSET,
  FAILED,
  GAP,
  GAP_BYTES,
  GAP_FROM_OFFSET,
  GAP_ROOM_OFFSET,
  GAP_TO_OFFSET,
  GO_AWAY,
  HEADER_BYTES,
  HISTORY,
  HISTORY_END,
  HISTORY_FLAGS_OFFSET,
  HISTORY_LAST,
  LENGTH_OFFSET,
  NACK,
  RESPONSE,
  TYPE_OFFSET,
  WELCOME,
} from './layout.js';
import { allocate, encodeCall, encodeEnd, putU32, putU48, readObject } from './parts.js';
import { readSharedFrame } from './shared-frames.js';

/** What only a server sends, and what is no entry. */
type ServerOnlyFrame = Exclude<ServerFrame, SharedFrame>;

/** Encodes one frame. @returns an owned array that holds exactly the frame */
export function encodeServerFrame(frame: ServerOnlyFrame): Uint8Array {
  switch (frame.type) {
    case WELCOME:
      return allocate(frame.type, HEADER_BYTES, encodeJson(frame.welcome));
    case GO_AWAY:
      return encodeEnd(frame.type, frame.code, frame.retryAfterMs, frame.reason);
    case ACK: {
      const bytes = new Uint8Array(ACK_BYTES);
      const id = fits('publishId', frame.publishId, MAX_U32);
      const at = fits('at', frame.at, MAX_U48);
      writeAck(bytes, 0, id, fits('seq', frame.seq, MAX_U48), at, frame.waiting);
      return bytes;
    }
    case GAP: {
      const bytes = allocate(frame.type, GAP_BYTES);
      putU32(bytes, GAP_ROOM_OFFSET, 'room', frame.room);
      putU48(bytes, GAP_FROM_OFFSET, 'from', frame.from);
      return putU48(bytes, GAP_TO_OFFSET, 'to', frame.to);
    }
    case NACK:
      return encodeCall(frame.type, frame.publishId, encodeJson(frame.failure));
    case RESPONSE:
      return encodeCall(frame.type, frame.id, encodeJson(frame.response));
    case FAILED:
      return encodeCall(frame.type, frame.id, encodeJson(frame.failure));
    case HISTORY: {
      const bytes = encodeCall(frame.type, frame.id, frame.entries);
      bytes[HISTORY_FLAGS_OFFSET] = (frame.last ? HISTORY_LAST : 0) | (frame.end ? HISTORY_END : 0);
      return bytes;
    }
  }
}

/**
 * Decodes what a client receives besides entries: the frame at `offset … end`, whose type and smallest length are known
 * to be right, since a `FrameSplitter` has shown it. Bodies are borrowed: views into `bytes`.
 *
 * @throws ProtocolError `ERR_PROTOCOL_FRAME_MALFORMED`, `ERR_PROTOCOL_INVALID_UTF8`; `ERR_PROTOCOL_FRAME_UNKNOWN`
 *   for a type that no server sends, or that is an entry
 *
 * @example
 * ```ts
 * import assert from 'node:assert';
 * import { encodeFrame, FrameSplitter, FrameType, readServerFrame } from '@chat/protocol/frames';
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
    case WELCOME:
      return { type, welcome: readObject(bytes, offset + HEADER_BYTES, end) };
    case ACK: {
      const publishId = readU32(bytes, offset + ACK_ID_OFFSET);
      const seq = readU48(bytes, offset + ACK_SEQ_OFFSET);
      const at = readU48(bytes, offset + ACK_AT_OFFSET);
      const isWaiting = (bytes[offset + ACK_FLAGS_OFFSET]! & ACK_WAITING) !== 0;
      return isWaiting ? { type, publishId, seq, at, waiting: true } : { type, publishId, seq, at };
    }
    case GAP:
      return {
        type,
        room: readU32(bytes, offset + GAP_ROOM_OFFSET),
        from: readU48(bytes, offset + GAP_FROM_OFFSET),
        to: readU48(bytes, offset + GAP_TO_OFFSET),
      };
    case NACK:
      return {
        type,
        publishId: readU32(bytes, offset + CALL_ID_OFFSET),
        failure: readObject(bytes, offset + CALL_HEADER_BYTES, end),
      };
    case RESPONSE:
      return {
        type,
        id: readU32(bytes, offset + CALL_ID_OFFSET),
        response: decodeJson(bytes.subarray(offset + CALL_HEADER_BYTES, end), 'ERR_PROTOCOL_FRAME_MALFORMED'),
      };
    case FAILED:
      return {
        type,
        id: readU32(bytes, offset + CALL_ID_OFFSET),
        failure: readObject(bytes, offset + CALL_HEADER_BYTES, end),
      };
    case HISTORY: {
      const flags = bytes[offset + HISTORY_FLAGS_OFFSET]!;
      return {
        type,
        id: readU32(bytes, offset + CALL_ID_OFFSET),
        last: (flags & HISTORY_LAST) !== 0,
        end: (flags & HISTORY_END) !== 0,
        entries: bytes.subarray(offset + CALL_HEADER_BYTES, end),
      };
    }
    default:
      return readSharedFrame(type, bytes, offset, end);
  }
}

/**
 * Writes an ack at `offset`, where {@link ACK_BYTES} (24) must be free. Allocates nothing, and does not check
 * that the numbers fit their fields.
 *
 * @param waiting whether the receiver of a direct message is away, and gets it when it comes back
 */
export function writeAck(
  target: Uint8Array,
  offset: number,
  publishId: number,
  seq: number,
  at: number,
  waiting = false,
): void {
  writeU32(target, offset + LENGTH_OFFSET, ACK_BYTES);
  writeU32(target, offset + TYPE_OFFSET, ACK);
  if (waiting) target[offset + ACK_FLAGS_OFFSET] = ACK_WAITING;
  writeU32(target, offset + ACK_ID_OFFSET, publishId);
  writeU48(target, offset + ACK_SEQ_OFFSET, seq);
  writeU48(target, offset + ACK_AT_OFFSET, at);
}
