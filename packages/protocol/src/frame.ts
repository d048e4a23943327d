/**
 * Every frame there is, as types.
 *
 * Hot frames (publish, message, ack, ping) have a binary layout; the rare ones carry JSON. The entries of the
 * log (message, notice) travel from the log to every socket unchanged, which is why they carry no field that
 * differs between readers.
 */
import type { Failure } from './failure.js';

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

/** What a notice tells about a member of a room. */
export const NoticeKind = {
  Joined: 1,
  Left: 2,
  Renamed: 3,
  /** The connection broke without a goodbye, or timed out; the name is free again. */
  Gone: 4,
} as const;

/** One of the numbers in {@link NoticeKind}. */
export type NoticeKind = (typeof NoticeKind)[keyof typeof NoticeKind];

/** A position to resume from: the last entry of `room` that the client has. */
export interface RoomPosition {
  readonly room: string;
  readonly after: number;
}

/** First frame of a client. */
export interface Hello {
  /** Wanted user name. */
  readonly name: string;
  /** Largest frame that the client takes. */
  readonly maxFrameBytes: number;
  /** For the server's `authenticate` hook; opaque to the protocol. */
  readonly credentials?: unknown;
  /** Program and version, for logs. */
  readonly agent?: string;
  /**
   * A random secret of the client, the same in each of its hellos: takes its name back from a session whose welcome
   * never arrived. 16 to 64 characters; not to be logged.
   */
  readonly clientSecret?: string;
  /** Number of this hello among those of the client, rising: one that comes late undoes nothing. */
  readonly attempt?: number;
  /** Asks to continue a session whose connection was lost. */
  readonly resume?: {
    readonly session: string;
    readonly secret: string;
    readonly epoch: string;
    readonly rooms: readonly RoomPosition[];
    /** Last entry of the inbox that the client has. */
    readonly inbox: number;
  };
}

/** What the server grants to a session. */
export interface SessionLimits {
  readonly maxFrameBytes: number;
  /** Largest body of a message in bytes. */
  readonly maxMessageBytes: number;
  /** Largest body of a signal in bytes; a larger one is dropped. An older server does not say. */
  readonly maxSignalBytes?: number;
  /** How many publishes may be waiting for their ack. */
  readonly maxInFlight: number;
  readonly maxRoomsPerSession: number;
  /** The connection counts as dead when nothing was heard for this long. */
  readonly idleTimeoutMs: number;
  /** How long a session that is away is kept for a resume. */
  readonly resumeWindowMs: number;
}

/** One member of a room. `id` is unique in an epoch and is the `sender` of entries. */
export interface Member {
  readonly id: number;
  readonly name: string;
}

/** State of a joined room at the moment from which its entries are streamed. */
export interface Joined {
  readonly room: string;
  /** Number of the room in frames, fixed for the epoch. */
  readonly handle: number;
  /** `prev` of the first entry that will be streamed: everything after it follows without a hole. */
  readonly start: number;
  /** Last entry at the moment of joining: what is streamed up to here is history. */
  readonly head: number;
  /** First page of the members, oldest first. */
  readonly members: readonly Member[];
  /** Number of members in all. */
  readonly memberCount: number;
  /** Present when entries after the wanted position are no longer held. */
  readonly gap?: { readonly from: number; readonly to: number };
}

/** The server's answer to a hello that it accepts. */
export interface Welcome {
  readonly version: number;
  readonly session: string;
  /** Proof of ownership for resuming; not to be logged. */
  readonly secret: string;
  /** Names one life of the log. Positions of another epoch mean nothing. */
  readonly epoch: string;
  /** The member's `id` and accepted name. */
  readonly member: Member;
  /** Handle of the room in which direct messages arrive, and the position its stream starts after. */
  readonly inbox: { readonly handle: number; readonly start: number };
  readonly limits: SessionLimits;
  readonly resumed: boolean;
  /** Highest publish that is in the log already (0 for a new session). */
  readonly lastPublishId: number;
  /** The rooms that the resumed session is still in. */
  readonly rooms: readonly Joined[];
  readonly agent?: string;
}

/** One room in a list. */
export interface RoomInfo {
  readonly room: string;
  readonly memberCount: number;
}

/** What a client may ask for, by `op`. */
export type RequestBody =
  | {
      readonly op: 'join';
      readonly room: string;
      /** How many entries from before the join are wanted. */
      readonly history?: number;
      /** The last entry that the client has, when it comes back. */
      readonly after?: number;
      /** The epoch that `after` belongs to. */
      readonly epoch?: string;
    }
  | { readonly op: 'leave'; readonly room: string }
  | { readonly op: 'rename'; readonly name: string }
  | { readonly op: 'rooms'; readonly prefix?: string; readonly limit?: number; readonly cursor?: string }
  | { readonly op: 'members'; readonly room: string; readonly limit?: number; readonly cursor?: number }
  | {
      readonly op: 'history';
      readonly room: string;
      /** Entries with a smaller seq, newest first in choice, delivered in order. */
      readonly before?: number;
      /** Entries with a larger seq. */
      readonly after?: number;
      readonly limit?: number;
    };

/** Answers to {@link RequestBody}, by `op`; `history` is answered with history frames. */
export interface ResponseBodies {
  readonly join: Joined;
  readonly leave: { readonly left: boolean };
  readonly rename: { readonly name: string };
  readonly rooms: { readonly rooms: readonly RoomInfo[]; readonly cursor?: string };
  readonly members: {
    readonly members: readonly Member[];
    readonly memberCount: number;
    readonly cursor?: number;
  };
}

/** What message and notice have in common. */
export interface EntryFields {
  /** Handle of the room. */
  readonly room: number;
  /** `id` of the member who caused the entry. */
  readonly sender: number;
  /** The name of that member at the time. */
  readonly name: string;
  /** Position in the log: rising, not dense. */
  readonly seq: number;
  /** Position of the entry before it in the same room, 0 for the first. */
  readonly prev: number;
  /** Server time in milliseconds since 1970. */
  readonly at: number;
  /** Of a message: encoded by `codec`. Of a notice: the new name when renamed, else empty. */
  readonly body: Uint8Array;
}

/** A frame, decoded. Bodies are views into the bytes they were decoded from. */
export type Frame =
  | { readonly type: typeof FrameType.Hello; readonly hello: Hello }
  | { readonly type: typeof FrameType.Welcome; readonly welcome: Welcome }
  | {
      readonly type: typeof FrameType.Close;
      readonly code: number;
      readonly retryAfterMs: number;
      readonly reason: string;
    }
  | {
      readonly type: typeof FrameType.GoAway;
      readonly code: number;
      readonly retryAfterMs: number;
      readonly reason: string;
    }
  | { readonly type: typeof FrameType.Ping; readonly nonce: number }
  | { readonly type: typeof FrameType.Pong; readonly nonce: number }
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
  | {
      readonly type: typeof FrameType.Signal;
      readonly room: number;
      /** 0 and empty from a client; filled in by the server. */
      readonly sender: number;
      readonly name: string;
      readonly codec: number;
      readonly body: Uint8Array;
    }
  | (EntryFields & { readonly type: typeof FrameType.Message; readonly codec: number })
  | (EntryFields & { readonly type: typeof FrameType.Notice; readonly kind: NoticeKind })
  | {
      readonly type: typeof FrameType.Ack;
      readonly publishId: number;
      readonly seq: number;
      readonly at: number;
    }
  | { readonly type: typeof FrameType.Nack; readonly publishId: number; readonly failure: Failure }
  | {
      readonly type: typeof FrameType.Gap;
      readonly room: number;
      readonly from: number;
      readonly to: number;
    }
  | { readonly type: typeof FrameType.Request; readonly id: number; readonly request: RequestBody }
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
export type Entry = Extract<Frame, EntryFields>;
