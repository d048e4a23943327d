/**
 * The binary dialect, for those who speak it themselves: a proxy, a bot, a load generator, a client in another form.
 *
 * `FrameDecoder` and `encodeFrame` know every type, as values. The rest is for the two sides of a connection:
 * `FrameSplitter` shows whole frames where they lie, `encodePublish` and the like encode one type each, and offsets with
 * `readU32` and `readU48` read hot frames in place.
 *
 * @packageDocumentation
 */

export { readU32, readU48 } from './bytes/integers.js';
export { decodeFrame, encodeFrame } from './frames/any-frame.js';
export { encodeSent, readSent, type Sent } from './frames/bodies/sent.js';
export { encodeDirect, encodeHello, encodePublish, encodeRequest } from './frames/client-frames.js';
export {
  type EntryHeader,
  entryBytes,
  readEntryHeader,
  writeEntry,
} from './frames/entries.js';
export {
  type ClientFrame,
  type Entry,
  type EntryFields,
  FIRST_SKIPPABLE_TYPE,
  type Frame,
  FrameType,
  NoticeKind,
  type ServerFrame,
  type SharedFrame,
} from './frames/frame.js';
export type {
  BlockBody,
  Done,
  Edited,
  Hello,
  Joined,
  ModerationBody,
  Reacted,
  Reaction,
  ReadNews,
  RequestBody,
  ResponseBodies,
  RichText,
  Role,
  RoomChanged,
  RoomInfo,
  RoomPosition,
  RoomSettings,
  Sanction,
  SearchHit,
  SessionLimits,
  TakenBack,
  Welcome,
  Withdrawn,
} from './frames/json-bodies.js';
export {
  ACK_BYTES,
  CALL_HEADER_BYTES,
  CODEC_OFFSET,
  ENTRY_DEVICE_OFFSET,
  ENTRY_HEADER_BYTES,
  ENTRY_PREV_OFFSET,
  ENTRY_ROOM_OFFSET,
  ENTRY_SENDER_OFFSET,
  ENTRY_SEQ_OFFSET,
  HEADER_BYTES,
  NAME_BYTES_OFFSET,
  NOTICE_KIND_OFFSET,
  PUBLISH_HEADER_BYTES,
  PUBLISH_ID_OFFSET,
  PUBLISH_ROOM_OFFSET,
  TYPE_OFFSET,
} from './frames/layout.js';
export { assertMaxFrameBytes } from './frames/lengths.js';
export { readServerFrame, writeAck } from './frames/server-frames.js';
export { encodeClose, encodePing, encodePong, encodeSignal } from './frames/shared-frames.js';
export {
  DEFAULT_MAX_FRAME_BYTES,
  MAX_MAX_FRAME_BYTES,
  MAX_QUERY_BYTES,
  MIN_MAX_FRAME_BYTES,
} from './limits.js';
export { decodePreface, encodePreface, PREFACE_BYTES, PREFACE_FIRST_BYTE } from './preface.js';
export { FrameDecoder } from './stream/decoder.js';
export { FrameSplitter, type FrameSplitterOptions } from './stream/splitter.js';
export { readFrames } from './stream/whole-frames.js';
export { PROTOCOL_VERSION } from './well-known.js';
