/** An entry of the log: a message, a notice that members are shown, or a claim that changes who is here. */
import type { Failure } from '@chat/protocol';
import { FrameType, type NoticeKind } from '@chat/protocol/frames';
import type { Outcome } from './state/outcome.js';

/** `type` of a claim, beside those of messages and notices. */
export const CLAIM = 0;
/** `type` of something volatile on its way to the members at other processes: it has a place, and is never stored. */
export const SIGNAL: typeof FrameType.Signal = FrameType.Signal;

/** `kind` of a claim. */
export const ClaimKind = {
  /** Somebody wants to be here, under the name of the entry: the first in the order of the log has it. */
  SessionOpened: 1,
  /** `sender` is gone; its name is free. */
  SessionEnded: 2,
  /** `sender` wants the name of the entry. */
  SessionRenamed: 3,
  /** The room of the entry is made, under the name of the entry, unless it is there. It belongs to `sender`, if there is one. */
  RoomOpened: 4,
  /** The room of the entry is forgotten, if nobody is in it. */
  RoomForgotten: 5,
  Banned: 6,
  Unbanned: 7,
  /** The process that appends it takes part in the chat from here on: what it appended before does not count. */
  ProcessCame: 8,
  /** A process is gone, and holds no session any more: what comes from it behind this does not count. */
  ProcessGone: 9,
  /** `sender` goes on at the process that appends it, which its client has reached. */
  SessionTaken: 10,
  /** `sender` is shown out for good, by whatever process. */
  SessionKicked: 11,
  /** The process that holds `sender` is asked to show it out of the room of the entry. */
  EvictionAsked: 12,
  /** The process that holds `sender` is asked to have its client show new credentials. */
  CredentialsAsked: 13,
  /** Changes nothing: the process that appends it knows, once it is back, what the others knew before. */
  Barrier: 14,
  /** Somebody who may do so has decided something about the room of the entry, or about the server where it has none. */
  Moderated: 15,
  /** The user of `sender` has read so far, in some rooms. */
  ReadUpTo: 16,
  /** The user of `sender` takes no direct messages from somebody any more, or takes them again. */
  BlocksChanged: 17,
} as const;

/** One of the numbers in {@link ClaimKind}. */
export type ClaimKind = (typeof ClaimKind)[keyof typeof ClaimKind];

/** Something that wants to be in the log. */
export interface Draft {
  /** Key of the room, or of an inbox; empty where there is none. */
  readonly room: string;
  readonly type: typeof FrameType.Message | typeof FrameType.Notice | typeof CLAIM | typeof SIGNAL;
  /** Tag of the codec of a message or a signal, 0 for everything else. */
  readonly codec: number;
  /** Kind of a notice or of a claim, 0 for a message. */
  readonly kind: NoticeKind | ClaimKind | 0;
  /** Number of the session that causes it, 0 for none. */
  readonly sender: number;
  /** That member's name in UTF-8; in a claim, the name that it is about. */
  readonly name: Uint8Array;
  /** Borrowed: valid until `append` returns. */
  readonly body: Uint8Array;
  /** Server time in milliseconds since 1970. */
  readonly at: number;
  /** The sender's number for the publish, 0 for everything else. */
  readonly publishId: number;
  /** Told when the entry is in the log. Never leaves the process: other processes see undefined. */
  readonly origin: Origin | undefined;
}

/** A draft that has its place. Borrowed: valid during the call that delivers it. */
export interface LogEntry extends Draft {
  /** Position in the log: rising by at least one from entry to entry, beginning at 1. */
  readonly seq: number;
}

/** An entry that people are shown, and that a room keeps. */
export interface ShownEntry extends LogEntry {
  readonly type: typeof FrameType.Message | typeof FrameType.Notice;
  readonly kind: NoticeKind | 0;
}

/** Whether it is a message or a notice. */
export function isShown(entry: LogEntry): entry is ShownEntry {
  return entry.type === FrameType.Message || entry.type === FrameType.Notice;
}

/** Told what became of a draft, by one of the two, once. Must not throw. */
export interface Origin {
  /** The entry has its place, and has brought about `outcome`; it is borrowed for the call. */
  appended(entry: LogEntry, outcome: Outcome): void;
  /** The draft is not in the log and never will be, as when a disk is full. */
  refused(failure: Failure, publishId: number): void;
}

const INBOX_PREFIX = '\u0000';

/** The key under which direct messages to a user are appended. No room name can collide with it. */
export function inboxKey(user: number): string {
  return INBOX_PREFIX + user;
}

/** The user whose inbox `key` is, or `undefined` when it is the key of a room. */
export function inboxMember(key: string): number | undefined {
  return key.charCodeAt(0) === 0 ? Number(key.slice(1)) : undefined;
}
