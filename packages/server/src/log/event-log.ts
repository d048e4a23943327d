/**
 * The port at which the server scales: one total order of everything that happens in rooms.
 *
 * `append` is fire and forget. Entries come back through the consumer, in order, in batches, to every process
 * that shares the log, to the one that appended them as well; only then do they count. So rooms, members and
 * positions are a function of the log alone, whether it is an array in this process, shared memory between
 * worker processes, or a stream between machines.
 */
import type { FrameType, NoticeKind } from '@chat/protocol';

/** Something that wants to be in the log. */
export interface Draft {
  /** Key of the room, or of an inbox. */
  readonly room: string;
  readonly type: typeof FrameType.Message | typeof FrameType.Notice;
  /** Tag of the codec of a message, 0 for a notice. */
  readonly codec: number;
  /** Kind of a notice, 0 for a message. */
  readonly kind: NoticeKind | 0;
  /** Id of the member who causes it. */
  readonly sender: number;
  /** That member's name in UTF-8. */
  readonly name: Uint8Array;
  /** Borrowed: valid until `append` returns. */
  readonly body: Uint8Array;
  /** Server time in milliseconds since 1970. */
  readonly at: number;
  /** The sender's number for the publish, 0 for a notice. */
  readonly publishId: number;
  /** Told when the entry is in the log. Never leaves the process: other processes see undefined. */
  readonly origin: Origin | undefined;
}

/** A draft that has its place. Borrowed: valid during the call that delivers it. */
export interface LogEntry extends Draft {
  /** Position in the log: rising by at least one from entry to entry, beginning at 1. */
  readonly seq: number;
}

/** Who is to know that a draft was accepted. */
export interface Origin {
  /** Called once, when the entry has its place; the entry is borrowed for the call. Must not throw. */
  appended(entry: LogEntry): void;
}

/** Takes entries in order. Must not throw. */
export type LogConsumer = (entries: readonly LogEntry[]) => void;

/** One total order of entries. */
export interface EventLog {
  /** Names one life of the log: positions are comparable within an epoch only. */
  readonly epoch: string;
  /** Starts delivery. Called once, before the first append. */
  open(consumer: LogConsumer): void | Promise<void>;
  /**
   * Adds an entry; it comes back through the consumer, possibly before this call returns. Must not throw for
   * want of space: what cannot be kept is a matter of the consumer's retention.
   */
  append(draft: Draft): void;
  /** Stops delivery. Idempotent. */
  close(): void | Promise<void>;
}

const INBOX_PREFIX = '\u0000';

/** The key under which direct messages to a member are appended. No room name can collide with it. */
export function inboxKey(memberId: number): string {
  return INBOX_PREFIX + memberId;
}

/** The member whose inbox `key` is, or `undefined` when it is the key of a room. */
export function inboxMember(key: string): number | undefined {
  return key.charCodeAt(0) === 0 ? Number(key.slice(1)) : undefined;
}
