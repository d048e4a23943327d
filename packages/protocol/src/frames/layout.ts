/**
 * Where each field of a frame lies. Everything is little-endian; `u48` is an unsigned integer of six bytes,
 * enough for a log of 2^48 entries and for milliseconds until the year 10889.
 *
 * Every frame begins with the same eight bytes:
 *
 *      0               4       5       6       7       8
 *      +---------------+-------+-------+-------+-------+----
 *      | length    u32 | type  | codec | a     | b     | the rest, by type
 *      +---------------+-------+-------+-------+-------+----
 *
 * `length` counts the whole frame, itself included. `docs/protocol.md` has the same pictures with examples.
 *
 * Nothing but constants, and no import but of a type: so a bundler writes the numbers where they are used.
 */
import type { FrameType } from './frame.js';

export const LENGTH_OFFSET = 0;
/** Where the type of a frame lies: one byte. */
export const TYPE_OFFSET = 4;
/** Where the codec of a frame lies: one byte. */
export const CODEC_OFFSET = 5;
/** Where the kind of a notice lies, the byte `a`: one of `NoticeKind`; 0 in a message. */
export const NOTICE_KIND_OFFSET = 6;
/** Where the flags of a history lie, the byte `a`: {@link HISTORY_LAST}, {@link HISTORY_END}. */
export const HISTORY_FLAGS_OFFSET = 6;
/** Where the flags of an ack lie, the byte `a`: {@link ACK_WAITING}. */
export const ACK_FLAGS_OFFSET = 6;
/** Where the length of a name lies, the byte `b`: of the name that stands before the body. */
export const NAME_BYTES_OFFSET = 7;
/** Bytes that every frame begins with: length, type, codec, and two that depend on the type. */
export const HEADER_BYTES = 8;

/*
 * entry (message, notice): what the log is made of
 *
 *      8        12        16          22          28          34    36
 *      | room   | sender  | seq   u48 | prev  u48 | at    u48 | d   | name … body
 *      a = kind of notice (0 in a message), b = bytes of the name, d = device of the sender
 */
/** Where the room handle of a message or notice lies: {@link readU32}. */
export const ENTRY_ROOM_OFFSET: number = HEADER_BYTES;
/** Where the id of the sender of a message or notice lies: {@link readU32}. */
export const ENTRY_SENDER_OFFSET: number = ENTRY_ROOM_OFFSET + 4;
/** Where `seq` of a message or notice lies: {@link readU48}. */
export const ENTRY_SEQ_OFFSET: number = ENTRY_SENDER_OFFSET + 4;
/** Where `prev` of a message or notice lies: {@link readU48}. */
export const ENTRY_PREV_OFFSET: number = ENTRY_SEQ_OFFSET + 6;
/** Where the time of a message or notice lies: {@link readU48}. */
export const ENTRY_AT_OFFSET: number = ENTRY_PREV_OFFSET + 6;
/** Where the device of the sender of a message or notice lies: two bytes, the lower one first. */
export const ENTRY_DEVICE_OFFSET: number = ENTRY_AT_OFFSET + 6;
/** Bytes of a message or notice before its name. */
export const ENTRY_HEADER_BYTES: number = ENTRY_DEVICE_OFFSET + 2;

/* publish:    8 | room u32 | 12 | publishId u32 | 16 | body */
/** Where the room handle of a publish lies: {@link readU32}. */
export const PUBLISH_ROOM_OFFSET: number = HEADER_BYTES;
/** Where `publishId` of a publish lies: {@link readU32}. */
export const PUBLISH_ID_OFFSET: number = PUBLISH_ROOM_OFFSET + 4;
/** Bytes of a publish before its body. */
export const PUBLISH_HEADER_BYTES: number = PUBLISH_ID_OFFSET + 4;

/* direct:     8 | publishId u32 | 12 | name … body        b = bytes of the name */
export const DIRECT_ID_OFFSET: number = HEADER_BYTES;
export const DIRECT_HEADER_BYTES: number = DIRECT_ID_OFFSET + 4;

/* signal:     8 | room u32 | 12 | sender u32 | 16 | name … body      b = bytes of the name */
export const SIGNAL_ROOM_OFFSET: number = HEADER_BYTES;
export const SIGNAL_SENDER_OFFSET: number = SIGNAL_ROOM_OFFSET + 4;
export const SIGNAL_HEADER_BYTES: number = SIGNAL_SENDER_OFFSET + 4;

/* ack:        8 | publishId u32 | 12 | seq u48 | 18 | at u48 | 24 */
export const ACK_ID_OFFSET: number = HEADER_BYTES;
export const ACK_SEQ_OFFSET: number = ACK_ID_OFFSET + 4;
export const ACK_AT_OFFSET: number = ACK_SEQ_OFFSET + 6;
/** Flag of an ack: the receiver of the direct message is away, and gets it when it comes back. */
export const ACK_WAITING = 1;
/** Bytes of an ack. */
export const ACK_BYTES: number = ACK_AT_OFFSET + 6;

/* gap:        8 | room u32 | 12 | from u48 | 18 | to u48 | 24 */
export const GAP_ROOM_OFFSET: number = HEADER_BYTES;
export const GAP_FROM_OFFSET: number = GAP_ROOM_OFFSET + 4;
export const GAP_TO_OFFSET: number = GAP_FROM_OFFSET + 6;
export const GAP_BYTES: number = GAP_TO_OFFSET + 6;

/* close, go-away:  8 | code u16 | 10 | 0 u16 | 12 | retryAfterMs u32 | 16 | reason, UTF-8 */
export const CLOSE_CODE_OFFSET: number = HEADER_BYTES;
export const CLOSE_RETRY_OFFSET: number = CLOSE_CODE_OFFSET + 4;
export const CLOSE_HEADER_BYTES: number = CLOSE_RETRY_OFFSET + 4;

/* ping, pong:      8 | nonce u32 | 12 */
export const PING_NONCE_OFFSET: number = HEADER_BYTES;
export const PING_BYTES: number = PING_NONCE_OFFSET + 4;

/* request, response, failed, nack, history:  8 | id u32 | 12 | JSON, or whole entries in history */
export const CALL_ID_OFFSET: number = HEADER_BYTES;
/** Bytes of a request, or of its answer, before its body. */
export const CALL_HEADER_BYTES: number = CALL_ID_OFFSET + 4;

/* flags of a history */
export const HISTORY_LAST = 1;
export const HISTORY_END = 2;

/* the shortest frames with JSON: an object is at least `{}`, any value at least a digit */
export const OBJECT_FRAME_BYTES: number = HEADER_BYTES + 2;
export const OBJECT_CALL_BYTES: number = CALL_HEADER_BYTES + 2;
export const VALUE_CALL_BYTES: number = CALL_HEADER_BYTES + 1;

/* the types, one by one: the names of all are a table that pages need not load; a wrong number does not compile */
export const HELLO: typeof FrameType.Hello = 0x01;
export const WELCOME: typeof FrameType.Welcome = 0x02;
export const CLOSE: typeof FrameType.Close = 0x03;
export const GO_AWAY: typeof FrameType.GoAway = 0x04;
export const PING: typeof FrameType.Ping = 0x08;
export const PONG: typeof FrameType.Pong = 0x09;
export const PUBLISH: typeof FrameType.Publish = 0x10;
export const MESSAGE: typeof FrameType.Message = 0x11;
export const NOTICE: typeof FrameType.Notice = 0x12;
export const ACK: typeof FrameType.Ack = 0x13;
export const NACK: typeof FrameType.Nack = 0x14;
export const DIRECT: typeof FrameType.Direct = 0x15;
export const SIGNAL: typeof FrameType.Signal = 0x16;
export const GAP: typeof FrameType.Gap = 0x17;
export const REQUEST: typeof FrameType.Request = 0x20;
export const RESPONSE: typeof FrameType.Response = 0x21;
export const FAILED: typeof FrameType.Failed = 0x22;
export const HISTORY: typeof FrameType.History = 0x23;
