/**
 * Message and notice: what the log is made of. They travel from the log to every socket unchanged, so this is the
 * hot path of both sides: a server writes them into memory that it owns, a client reads them in place.
 *
 * This is the only place that reads the layout of an entry as a whole. A name and a body stay bytes here: a client
 * decodes each name once, and a body by the codec of its room.
 */
import {
  fits,
  MAX_U16,
  MAX_U32,
  MAX_U48,
  readU16,
  readU32,
  readU48,
  writeU16,
  writeU32,
  writeU48,
} from '../bytes/integers.js';
import { encodeUtf8 } from '../bytes/utf8.js';
import { malformed } from '../errors.js';
import { MAX_MAX_FRAME_BYTES } from '../limits.js';
import type { Entry, FrameType, NoticeKind } from './frame.js';
import {
  CODEC_OFFSET,
  ENTRY_AT_OFFSET,
  ENTRY_DEVICE_OFFSET,
  ENTRY_HEADER_BYTES,
  ENTRY_PREV_OFFSET,
  ENTRY_ROOM_OFFSET,
  ENTRY_SENDER_OFFSET,
  ENTRY_SEQ_OFFSET,
  LENGTH_OFFSET,
  MESSAGE,
  NAME_BYTES_OFFSET,
  NOTICE,
  NOTICE_KIND_OFFSET,
  TYPE_OFFSET,
} from './layout.js';
import { decodeName, nameEnd } from './parts.js';

/** The numbers of an entry, and where its name and its body lie in the bytes they were read from. */
export interface EntryHeader {
  /** Handle of the room. */
  readonly room: number;
  /** `id` of the member who caused the entry. */
  readonly sender: number;
  /** Which of that member's sessions it came over: 0 for the first, and for a member with one. */
  readonly device: number;
  /** Position in the log: rising, not dense. */
  readonly seq: number;
  /** Position of the entry before it in the same room, 0 for the first. */
  readonly prev: number;
  /** Server time in milliseconds since 1970. */
  readonly at: number;
  /** Codec of the body; 0 in a notice. */
  readonly codec: number;
  /** What a notice tells; 0 in a message. */
  readonly kind: NoticeKind | 0;
  /** First byte of the name. */
  readonly nameStart: number;
  /** First byte behind the name: of the body, which goes on to the end of the frame. */
  readonly bodyStart: number;
}

/**
 * Reads the message or notice at `offset … end`, whose type and smallest length are known to be right: a
 * `FrameSplitter` has shown it. Name and body are neither copied nor decoded.
 *
 * @throws ProtocolError `ERR_PROTOCOL_FRAME_MALFORMED` when the name does not fit into the frame, or for a notice of
 *   kind 0
 *
 * @example
 * ```ts
 * import assert from 'node:assert';
 * import { textCodec } from '@chat/protocol';
 * import { encodeFrame, FrameType, readEntryHeader } from '@chat/protocol/frames';
 *
 * const body = textCodec.encode('hello');
 * const numbers = { room: 1, sender: 2, seq: 30, prev: 20, at: 1_700_000_000_000 };
 * const bytes = encodeFrame({ type: FrameType.Message, name: 'ada', codec: textCodec.tag, body, ...numbers });
 * const { seq, prev, nameStart, bodyStart } = readEntryHeader(bytes, 0, bytes.length);
 * assert(seq === 30 && prev === 20);
 * assert.equal(textCodec.decode(bytes.subarray(nameStart, bodyStart)), 'ada');
 * assert.equal(textCodec.decode(bytes.subarray(bodyStart)), 'hello');
 * ```
 */
export function readEntryHeader(bytes: Uint8Array, offset: number, end: number): EntryHeader {
  return {
    room: readU32(bytes, offset + ENTRY_ROOM_OFFSET),
    sender: readU32(bytes, offset + ENTRY_SENDER_OFFSET),
    device: readU16(bytes, offset + ENTRY_DEVICE_OFFSET),
    seq: readU48(bytes, offset + ENTRY_SEQ_OFFSET),
    prev: readU48(bytes, offset + ENTRY_PREV_OFFSET),
    at: readU48(bytes, offset + ENTRY_AT_OFFSET),
    codec: bytes[offset + CODEC_OFFSET]!,
    kind: bytes[offset + TYPE_OFFSET] === NOTICE ? noticeKind(bytes[offset + NOTICE_KIND_OFFSET]!) : 0,
    nameStart: offset + ENTRY_HEADER_BYTES,
    bodyStart: nameEnd(bytes, offset, ENTRY_HEADER_BYTES, end),
  };
}

function noticeKind(kind: number): NoticeKind {
  // Kinds of later versions are passed on.
  if (kind === 0) throw malformed(`notice of kind ${kind}`);
  return kind as NoticeKind;
}

/** Decodes the entry at `offset … end`, its name as well; the body is a view into `bytes`. */
export function readEntry(bytes: Uint8Array, offset: number, end: number): Entry {
  const header = readEntryHeader(bytes, offset, end);
  const { room, sender, device, seq, prev, at, codec, kind, nameStart, bodyStart } = header;
  const name = decodeName(bytes, nameStart, bodyStart);
  const body = bytes.subarray(bodyStart, end);
  const entry: Entry =
    kind === 0
      ? { type: MESSAGE, codec, room, sender, name, seq, prev, at, body }
      : { type: NOTICE, kind, room, sender, name, seq, prev, at, body };
  return device === 0 ? entry : { ...entry, device };
}

/** Encodes one entry, and refuses numbers that do not fit. @returns an owned array that holds exactly the frame */
export function encodeEntry(entry: Entry): Uint8Array {
  const name = encodeUtf8(entry.name);
  const length = entryBytes(name.length, entry.body.length);
  const bytes = new Uint8Array(fits('frame bytes', length, MAX_MAX_FRAME_BYTES));
  const isMessage = entry.type === MESSAGE;
  writeEntry(
    bytes,
    0,
    entry.type,
    isMessage ? fits('codec', entry.codec, 0xff) : 0,
    isMessage ? 0 : entry.kind,
    fits('room', entry.room, MAX_U32),
    fits('sender', entry.sender, MAX_U32),
    fits('seq', entry.seq, MAX_U48),
    fits('prev', entry.prev, MAX_U48),
    fits('at', entry.at, MAX_U48),
    name,
    entry.body,
    fits('device', entry.device ?? 0, MAX_U16),
  );
  return bytes;
}

/** Bytes of an entry frame whose name and body have these lengths. */
export function entryBytes(nameBytes: number, bodyBytes: number): number {
  return ENTRY_HEADER_BYTES + nameBytes + bodyBytes;
}

/**
 * Writes a message or a notice at `offset`, where `entryBytes(name.length, body.length)` bytes must be free.
 * Name and body are copied. Allocates nothing, and does not check that the numbers fit their fields: `codec` is
 * 0 in a notice, `kind` is 0 in a message, `room` and `sender` are below 2^32, `device` is below 2^16,
 * the rest below 2^48.
 *
 * @throws RangeError when `name` exceeds 255 bytes
 *
 * @example
 * ```ts
 * import assert from 'node:assert';
 * import { textCodec } from '@chat/protocol';
 * import { decodeFrame, entryBytes, FrameType, writeEntry } from '@chat/protocol/frames';
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
  device = 0,
): void {
  if (name.length > 255) throw new RangeError(`a name of ${name.length} bytes exceeds 255`);
  writeU32(target, offset + LENGTH_OFFSET, ENTRY_HEADER_BYTES + name.length + body.length);
  target[offset + TYPE_OFFSET] = type;
  target[offset + CODEC_OFFSET] = codec;
  target[offset + NOTICE_KIND_OFFSET] = kind;
  target[offset + NAME_BYTES_OFFSET] = name.length;
  writeU32(target, offset + ENTRY_ROOM_OFFSET, room);
  writeU32(target, offset + ENTRY_SENDER_OFFSET, sender);
  writeU48(target, offset + ENTRY_SEQ_OFFSET, seq);
  writeU48(target, offset + ENTRY_PREV_OFFSET, prev);
  writeU48(target, offset + ENTRY_AT_OFFSET, at);
  writeU16(target, offset + ENTRY_DEVICE_OFFSET, device);
  target.set(name, offset + ENTRY_HEADER_BYTES);
  target.set(body, offset + ENTRY_HEADER_BYTES + name.length);
}
