/**
 * For everybody who uses the chat: codecs for typed rooms, names, and the closed tables of codes. It runs in Node and
 * the browser, without a socket, a timer or a dependency.
 *
 * To speak frames as values without `@chat/client` or `@chat/server`, this is enough; for the rest see
 * `@chat/protocol/frames` and `@chat/protocol/lines`.
 *
 * @packageDocumentation
 */
export { CLOSE_CODE_OF_ERROR, CloseCode, type CloseCodeInfo, closeCodeInfo } from './close-code.js';
export { bytesCodec } from './codecs/bytes.js';
export { type Codec, CodecTag, type SchemaResult, type StandardSchema, withSchema } from './codecs/codec.js';
export { jsonCodec } from './codecs/json.js';
export { textCodec } from './codecs/text.js';
export { ProtocolError, ProtocolErrorCode } from './errors.js';
export { type Failure, FailureCode } from './failure.js';
// The few that a program needs which speaks frames as values; the rest is in `@chat/protocol/frames`.
export { decodeFrame, encodeFrame } from './frames/any-frame.js';
export { encodeHello, encodePublish, encodeRequest } from './frames/client-frames.js';
export { type Frame, FrameType, NoticeKind } from './frames/frame.js';
export type { Member } from './frames/json-bodies.js';
export { MAX_NAME_BYTES } from './limits.js';
export { type NameProblem, nameKey, roomNameProblem, userNameProblem } from './names/name.js';
export { roomKey } from './names/room-key.js';
export { encodePreface } from './preface.js';
export { FrameDecoder } from './stream/decoder.js';
export { DEFAULT_PORT, LOBBY, WEBSOCKET_PATH, WEBSOCKET_SUBPROTOCOL } from './well-known.js';
