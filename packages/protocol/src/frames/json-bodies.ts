/**
 * What the rare frames carry as JSON: the handshake, requests and their answers.
 *
 * These types say what version 1 promises. A decoder only knows that it has read an object: its receiver checks the
 * fields before it uses them, see `check/json.ts`.
 */

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

/** A message that a search has found. */
export interface SearchHit {
  readonly room: string;
  readonly seq: number;
  /** Server time in milliseconds since 1970. */
  readonly at: number;
  readonly sender: Member;
  /** The part of its text in which the words stand, with `…` where there is more. */
  readonly snippet: string;
  /** Where they stand in the snippet: pairs of begin and end in UTF-16 units. */
  readonly marks: readonly (readonly [from: number, to: number])[];
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
    }
  | {
      readonly op: 'search';
      /** Words that all have to be there, "phrases", and begin* of words. */
      readonly query: string;
      /** Only there; else in all rooms that the session is in. */
      readonly room?: string;
      /** Only what was said under this name, as it is written. */
      readonly from?: string;
      /** Only messages with a smaller seq. */
      readonly before?: number;
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
  readonly search: {
    /** The newest first. */
    readonly hits: readonly SearchHit[];
    /** There may be more: the same request with this as `before`. */
    readonly cursor?: number;
    /** Present when the newest messages are not searched yet. */
    readonly behind?: true;
  };
}
