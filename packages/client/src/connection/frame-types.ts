/**
 * The types of the frames that a client reads, by number: the names of all types are a table that pages need not load.
 * A number that is not that of the name does not compile.
 */
import type { FrameType, NoticeKind } from '@chat/protocol/frames';

export const WELCOME: typeof FrameType.Welcome = 0x02;
export const CLOSE: typeof FrameType.Close = 0x03;
export const GO_AWAY: typeof FrameType.GoAway = 0x04;
export const PING: typeof FrameType.Ping = 0x08;
export const PONG: typeof FrameType.Pong = 0x09;
export const MESSAGE: typeof FrameType.Message = 0x11;
export const NOTICE: typeof FrameType.Notice = 0x12;
export const ACK: typeof FrameType.Ack = 0x13;
export const NACK: typeof FrameType.Nack = 0x14;
export const SIGNAL: typeof FrameType.Signal = 0x16;
export const GAP: typeof FrameType.Gap = 0x17;
export const RESPONSE: typeof FrameType.Response = 0x21;
export const FAILED: typeof FrameType.Failed = 0x22;
/** A kind of notice. */
export const SENT: typeof NoticeKind.Sent = 9;
export const HISTORY: typeof FrameType.History = 0x23;
