/**
 * Every frame there is, as types.
 *
 * Hot frames (publish, message, ack, ping) have a binary layout; the rare ones carry JSON. The entries of the
 * log (message, notice) travel from the log to every socket unchanged, which is why they carry no field that
 * differs between readers.
 */
import type { Failure } from '../failure.js';
import type { Hello, RequestBody, Welcome } from './json-bodies.js';

/** Frame types by name. 0x80–0xff is reserved for extensions that a reader may skip. */
export const FrameType = {
  Hello: 0x01,
  Welcome: 0x02,
  Close: 0x03,
  GoAway: 0x04,
  Ping: 0x08,
  Pong: 0x09,
  Publish: 0x10,
  Message: 0x11,
  Notice: 0x12,
  Ack: 0x13,
  Nack: 0x14,
  Direct: 0x15,
  Signal: 0x16,
  Gap: 0x17,
  Request: 0x20,
  Response: 0x21,
  Failed: 0x22,
  History: 0x23,
} as const;

/** One of the numbers in {@link FrameType}. */
export type FrameType = (typeof FrameType)[keyof typeof FrameType];

/** From here on an unknown frame type is skipped instead of being an error. */
export const FIRST_SKIPPABLE_TYPE = 0x80;

/** What a notice tells about a room, or a member of it. A reader passes over kinds that it does not know. */
export const NoticeKind = {
  Joined: 1,
  Left: 2,
  Renamed: 3,
  /** The connection broke without a goodbye, or timed out; the name is free again. */
  Gone: 4,
  /** A message was taken back: the body is a `TakenBack`, `sender` has done it. */
  TakenBack: 5,
  /** A message has another text: the body is an `Edited`. */
  Edited: 6,
  /** The room is another than it was: the body is a `RoomChanged`. */
  Changed: 7,
  /** Somebody reacts to a message with an emoji, or does so no more: the body is a `Reacted`. */
  Reacted: 8,
  /** In the inbox of a user: what it has told somebody itself, on another session. The body is read by `readSent`. */
  Sent: 9,
} as const;

/** One of the numbers in {@link NoticeKind}. */
export type NoticeKind = (typeof NoticeKind)[keyof typeof NoticeKind];

/** What message and notice have in common. */
export interface EntryFields {
  /** Handle of the room. */
  readonly room: number;
  /** `id` of the member who caused the entry. */
  readonly sender: number;
  /** Which of that member's sessions it came over; absent for the first, and for a member with one. */
  readonly device?: number;
  /** The name of that member at the time. */
  readonly name: string;
  /** Position in the log: rising, not dense. */
  readonly seq: number;
  /** Position of the entry before it in the same room, 0 for the first. */
  readonly prev: number;
  /** Server time in milliseconds since 1970. */
  readonly at: number;
  /** Of a message: encoded by `codec`. Of a notice: the new name when renamed; JSON of the later kinds; else empty. */
  readonly body: Uint8Array;
}

/** A frame that only a client sends. */
export type ClientFrame =
  | { readonly type: typeof FrameType.Hello; readonly hello: Hello }
  | {
      readonly type: typeof FrameType.Publish;
      readonly room: number;
      readonly publishId: number;
      readonly codec: number;
      readonly body: Uint8Array;
    }
  | {
      readonly type: typeof FrameType.Direct;
      readonly publishId: number;
      readonly codec: number;
      readonly to: string;
      readonly body: Uint8Array;
    }
  | { readonly type: typeof FrameType.Request; readonly id: number; readonly request: RequestBody };

/** A frame that both sides send. */
export type SharedFrame =
  | {
      readonly type: typeof FrameType.Close;
      /** One of `CloseCode`, or a number of a later version. */
      readonly code: number;
      /** How long the client waits at least before it comes back; 0 when that does not matter. */
      readonly retryAfterMs: number;
      /** A sentence for people. */
      readonly reason: string;
    }
  | { readonly type: typeof FrameType.Ping; readonly nonce: number }
  | { readonly type: typeof FrameType.Pong; readonly nonce: number }
  | {
      readonly type: typeof FrameType.Signal;
      readonly room: number;
      /** 0 and empty from a client; filled in by the server. */
      readonly sender: number;
      readonly name: string;
      readonly codec: number;
      readonly body: Uint8Array;
    };

/** A frame that a client receives and that is no entry of the log. */
export type ServerFrame =
  | SharedFrame
  | { readonly type: typeof FrameType.Welcome; readonly welcome: Welcome }
  | {
      readonly type: typeof FrameType.GoAway;
      readonly code: number;
      readonly retryAfterMs: number;
      readonly reason: string;
    }
  | {
      readonly type: typeof FrameType.Ack;
      readonly publishId: number;
      /** Position of the message in the log. */
      readonly seq: number;
      /** Server time in milliseconds since 1970. */
      readonly at: number;
      /** Of a direct message: its receiver is away, and gets it when it comes back. */
      readonly waiting?: true;
    }
  | { readonly type: typeof FrameType.Nack; readonly publishId: number; readonly failure: Failure }
  | {
      readonly type: typeof FrameType.Gap;
      readonly room: number;
      readonly from: number;
      readonly to: number;
    }
  | { readonly type: typeof FrameType.Response; readonly id: number; readonly response: unknown }
  | { readonly type: typeof FrameType.Failed; readonly id: number; readonly failure: Failure }
  | {
      readonly type: typeof FrameType.History;
      readonly id: number;
      /** Whether this is the last history frame that answers the request. */
      readonly last: boolean;
      /** Whether nothing lies beyond, in the direction that was asked for. */
      readonly end: boolean;
      /** Whole entry frames, in order. */
      readonly entries: Uint8Array;
    };

/** A message or notice, decoded: what the log of a room consists of. */
export type Entry =
  | (EntryFields & { readonly type: typeof FrameType.Message; readonly codec: number })
  | (EntryFields & { readonly type: typeof FrameType.Notice; readonly kind: NoticeKind });

/** A frame, decoded. Bodies are borrowed: views into the bytes they were decoded from. */
export type Frame = ClientFrame | ServerFrame | Entry;
