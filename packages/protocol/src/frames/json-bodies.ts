/**
 * What the rare frames carry as JSON: the handshake, requests and their answers.
 *
 * These types say what version 1 promises. A decoder only knows that it has read an object: its receiver checks the
 * fields before it uses them, see `check/json.ts`.
 *
 * Longer than most files here: it is the list of all bodies, and each field has its sentence.
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
  /** What the client knows beyond what every client does: `rich`, `reactions`. Names that a server does not know say nothing. */
  readonly features?: readonly string[];
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

/**
 * What somebody may do, from the least to the most. A role is of the whole server, or of one room; in a room the
 * greater one counts.
 */
export type Role = 'guest' | 'member' | 'moderator' | 'owner';

/** How a room is. What is absent is as in a room that nobody has changed. */
export interface RoomSettings {
  /** What it is about: one line. */
  readonly topic?: string;
  /** Only those come in who have a role in it. */
  readonly byInvitation?: boolean;
  /** Only those write who are members of it by role, or more. */
  readonly readOnly?: boolean;
  /** Lists of rooms do not have it. */
  readonly hidden?: boolean;
  /** Least time between two messages of one member. */
  readonly slowMs?: number;
}

/** Body of a notice of kind Changed: what is different now. */
export interface RoomChanged {
  /** All of them as they are now, if one has changed. */
  readonly settings?: RoomSettings;
  /** Somebody has another role in the room. */
  readonly role?: { readonly name: string; readonly role: Role };
}

/** Body of a notice of kind TakenBack. */
export interface TakenBack {
  /** Position of the message; what is left of it has the codec 4, see `Withdrawn`. */
  readonly seq: number;
  /** Who had said it. */
  readonly of: Member;
}

/** Body of a notice of kind Edited. */
export interface Edited {
  /** Position of the message. */
  readonly seq: number;
  /** Of the new text: 1 (text) or 2 (JSON). */
  readonly codec: number;
  readonly text: string;
  /** Position of the message that it answers, as before. */
  readonly reply?: number;
  /** Where the message with its new text, and what it has beside that, is longer, only the text stays. Bytes. */
  readonly maxBytes?: number;
}

/** Body of a notice of kind Reacted: `sender` reacts to a message, or does so no more. */
export interface Reacted {
  /** Position of the message. */
  readonly seq: number;
  /** Who had said it. */
  readonly of: Member;
  /** One emoji. */
  readonly reaction: string;
  /** Present where it is taken back. */
  readonly removed?: true;
  /** The message does not become longer than that by it: then it stays as it is. Bytes of its body. */
  readonly maxBytes: number;
}

/** One emoji below a message. */
export interface Reaction {
  readonly reaction: string;
  /** Those who react with it, the first one first; each once. The id 0 is that of the program or its operator. */
  readonly by: readonly Member[];
}

/** Body of a message of codec 5: a text, and what belongs to it. A reader ignores fields that it does not know. */
export interface RichText {
  readonly text: string;
  /** Position, in the same room, of the message that it answers. */
  readonly reply?: number;
  /** What others think of it, the first one first. Only a server writes it. */
  readonly reactions?: readonly Reaction[];
}

/** What stands in the place of a message that was taken back: its body, of codec 4. */
export interface Withdrawn {
  /** Name of the member that has taken it back. */
  readonly by: string;
}

/** A ban or a mute. */
export interface Sanction {
  readonly kind: 'ban' | 'mute';
  /** The name, address or range that was given. */
  readonly target: string;
  /** Name of the one who decided it. */
  readonly by: string;
  /** Server time in milliseconds since 1970, as is `until`. */
  readonly at: number;
  /** Absent: for ever. */
  readonly until?: number;
  readonly reason?: string;
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
  /** How the room is; absent where it is as any other. */
  readonly settings?: RoomSettings;
  /** Own role in the room. An older server does not say. */
  readonly role?: Role;
  /** What of the features in the hello the server knows too: what it does not name must not be used. */
  readonly features?: readonly string[];
  /** How far the user has read in the room, on whichever of its sessions; absent where that is not known. */
  readonly read?: number;
}

/**
 * Told to a session with the feature `reads`, as a response with id 0: its user has read on another session, up to the
 * position `read`, in a room or of the direct messages with a user.
 */
export type ReadNews =
  | { readonly read: number; readonly room: string; readonly user?: undefined }
  | { readonly read: number; readonly user: string; readonly room?: undefined };

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
  /** Which of that member's sessions this is; absent for the first. Other sessions have the same `member`. */
  readonly device?: number;
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
    }
  | {
      readonly op: 'read';
      /** Where, either a room or the direct messages with a user. */
      readonly room?: string;
      readonly user?: string;
      /** Position of the newest message that was read. */
      readonly seq: number;
    }
  | BlockBody
  | ModerationBody;

/** What users ask for about their own direct messages, by `op`: from whom they take none. */
export type BlockBody =
  | { readonly op: 'block'; readonly user: string }
  | { readonly op: 'unblock'; readonly user: string }
  | { readonly op: 'blocks' };

/** What moderators ask for, by `op`. Without `room` the whole server is meant. */
export type ModerationBody =
  | { readonly op: 'kick'; readonly user: string; readonly room?: string; readonly reason?: string }
  | {
      readonly op: 'ban';
      /** Either a user, or an address or a range; the latter of the whole server only. */
      readonly user?: string;
      readonly address?: string;
      readonly room?: string;
      /** Absent: for ever. */
      readonly durationMs?: number;
      readonly reason?: string;
    }
  | { readonly op: 'unban'; readonly banned: string; readonly room?: string }
  | { readonly op: 'bans'; readonly room?: string; readonly limit?: number; readonly cursor?: number }
  | {
      readonly op: 'mute';
      readonly user: string;
      readonly room?: string;
      readonly durationMs?: number;
      readonly reason?: string;
    }
  | { readonly op: 'unmute'; readonly user: string; readonly room?: string }
  /** Without `role` it asks which role a user has; `none` takes the given role away. */
  | { readonly op: 'role'; readonly user: string; readonly room?: string; readonly role?: Role | 'none' }
  | { readonly op: 'topic'; readonly room: string; readonly topic: string }
  | { readonly op: 'invite'; readonly room: string; readonly user: string }
  | ({ readonly op: 'mode'; readonly room: string } & Omit<RoomSettings, 'topic'>)
  | {
      readonly op: 'edit';
      readonly room: string;
      readonly seq: number;
      readonly text: string;
      /** 1 (text) or 2 (JSON). @defaultValue 1 */
      readonly codec?: number;
    }
  | { readonly op: 'take-back'; readonly room: string; readonly seq: number }
  | {
      readonly op: 'react';
      readonly room: string;
      readonly seq: number;
      /** One emoji. */
      readonly reaction: string;
      /** Takes it back. */
      readonly remove?: boolean;
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
  readonly read: Done;
  readonly block: Done;
  readonly unblock: Done;
  readonly blocks: {
    /** Under the names that were given, the oldest first; since when, in milliseconds since 1970. */
    readonly blocks: readonly { readonly user: string; readonly at: number }[];
  };
  readonly kick: Done;
  readonly ban: Done;
  readonly unban: Done;
  readonly bans: { readonly bans: readonly Sanction[]; readonly cursor?: number };
  readonly mute: Done;
  readonly unmute: Done;
  /** The role that counts there now. */
  readonly role: { readonly role: Role };
  readonly topic: Done;
  readonly invite: Done;
  readonly mode: { readonly settings: RoomSettings };
  readonly edit: Done;
  readonly 'take-back': Done;
  readonly react: Done;
}

/** It was done. */
export type Done = Readonly<Record<never, never>>;
