/**
 * Frames, codecs and dialects of the chat: bytes to values and back, in Node and the browser. No socket, no
 * timer, no dependency.
 *
 * @packageDocumentation
 */

export { CLOSE_CODE_OF_ERROR, CloseCode, type CloseCodeInfo, closeCodeInfo } from './close-code.js';
export { type Codec, CodecTag, type SchemaResult, type StandardSchema, withSchema } from './codec.js';
export { bytesCodec } from './codecs/bytes.js';
export { jsonCodec } from './codecs/json.js';
export { textCodec } from './codecs/text.js';
export { readServerFrame, type ServerFrame } from './decode-server-frames.js';
export {
  encodeClose,
  encodeDirect,
  encodeHello,
  encodePing,
  encodePong,
  encodePublish,
  encodeRequest,
  encodeSignal,
} from './encode-client-frames.js';
export { ProtocolError, ProtocolErrorCode } from './errors.js';
export { type Failure, FailureCode } from './failure.js';
export {
  type Entry,
  type EntryFields,
  FIRST_SKIPPABLE_TYPE,
  type Frame,
  FrameType,
  type Hello,
  type Joined,
  type Member,
  NoticeKind,
  type RequestBody,
  type ResponseBodies,
  type RoomInfo,
  type RoomPosition,
  type SessionLimits,
  type Welcome,
} from './frame.js';
export { decodeFrame, FrameDecoder } from './frame-decoder.js';
export { encodeFrame, entryBytes, writeAck, writeEntry } from './frame-encoder.js';
export { type FrameDecoderOptions, FrameSplitter } from './frame-splitter.js';
export {
  A_OFFSET,
  ACK_BYTES,
  B_OFFSET,
  CODEC_OFFSET,
  ENTRY_AT_OFFSET,
  ENTRY_HEADER_BYTES,
  ENTRY_PREV_OFFSET,
  ENTRY_ROOM_OFFSET,
  ENTRY_SENDER_OFFSET,
  ENTRY_SEQ_OFFSET,
  PUBLISH_HEADER_BYTES,
  PUBLISH_ID_OFFSET,
  PUBLISH_ROOM_OFFSET,
  readU32,
  readU48,
  TYPE_OFFSET,
} from './layout.js';
export {
  assertMaxFrameBytes,
  DEFAULT_MAX_FRAME_BYTES,
  DEFAULT_MAX_LINE_BYTES,
  DEFAULT_MAX_LINES_PER_MESSAGE,
  DEFAULT_PORT,
  LOBBY,
  MAX_MAX_FRAME_BYTES,
  MAX_NAME_BYTES,
  MIN_MAX_FRAME_BYTES,
  PROTOCOL_VERSION,
} from './limits.js';
export { LineDecoder, type LineDecoderOptions } from './line-decoder.js';
export {
  formatMessageLines,
  formatNoticeLine,
  isQuitLine,
  parseUserNameLine,
  printable,
} from './line-dialect.js';
export { type NameProblem, nameKey, roomNameProblem, userNameProblem } from './name.js';
export { type OptionNames, optionProblem } from './option-problem.js';
export { decodePreface, encodePreface, PREFACE_BYTES, PREFACE_FIRST_BYTE } from './preface.js';
export { roomKey } from './room-key.js';
export { TIMING_MARK_ANSWER } from './telnet.js';
