/**
 * The items of a conversation, as values that a user interface draws.
 *
 * An item keeps its key for as long as it is shown. An own message keeps it too when it turns from one that
 * is on its way into one that is in the log, so a list that is drawn by keys never flickers.
 */
import type { Member } from '@chat/protocol';
import type { Reaction } from '@chat/protocol/frames';
import type { DirectMessage, Gap, Notice, RoomEntry, UnreadableMessage } from '../rooms/entry.js';
import { withdrawnBy } from './change-text.js';
import type { Answering } from './rich-text.js';

/** A message that is in the log. */
export interface MessageItem<T = string> {
  readonly kind: 'message';
  readonly key: string;
  /** Name of the message for all members: epoch and `seq`. */
  readonly id: string;
  /** Its position in the log: what `moderate` takes. Of the epoch of its `id`, and of no other. */
  readonly seq: number;
  /** Server time in milliseconds since 1970. */
  readonly at: number;
  readonly sender: Member;
  readonly value: T;
  readonly own: boolean;
  /** Whether it was said before this client came, or was loaded as an older page. */
  readonly history: boolean;
  /** An own direct message, whose receiver was away and has not been heard of since. */
  readonly waiting?: true;
  /** It has another text than it had first. */
  readonly edited?: true;
  /** Position of the message in the same room that it answers: the `seq` of an item, if that is here. */
  readonly reply?: number;
  /** The emoji below it, the first one first; absent where there are none. */
  readonly reactions?: readonly Reaction[];
}

/** A message that was taken back: what is left of it. */
export interface WithdrawnItem {
  readonly kind: 'withdrawn';
  readonly key: string;
  readonly seq: number;
  readonly at: number;
  readonly sender: Member;
  /** Name of the member that has taken it back. */
  readonly by: string;
}

/** A member came, went or changed its name. */
export interface NoticeItem {
  readonly kind: 'notice';
  readonly key: string;
  readonly at: number;
  readonly notice: Notice;
}

/** A message that cannot be read. */
export interface UnreadableItem {
  readonly kind: 'unreadable';
  readonly key: string;
  readonly at: number;
  readonly message: UnreadableMessage;
}

/** Entries that are missing. */
export interface GapItem {
  readonly kind: 'gap';
  readonly key: string;
  readonly gap: Gap;
}

/** Something that the user interface says to its own user: nobody else sees it. */
export interface LocalItem<L> {
  readonly kind: 'local';
  readonly key: string;
  /** By the clock of this side. */
  readonly at: number;
  readonly value: L;
}

/** An item of a conversation. Items are in the order of the log. Local items stand where they were added. */
export type TimelineItem<T = string, L = never> =
  | MessageItem<T>
  | NoticeItem
  | UnreadableItem
  | WithdrawnItem
  | GapItem
  | LocalItem<L>;

/** An item that came from the log. */
export type LoggedItem<T> = MessageItem<T> | NoticeItem | UnreadableItem | WithdrawnItem;

/** An own message that has not come back from the log yet. */
export interface OutgoingItem<T = string> {
  /** The message in the log keeps it. */
  readonly key: string;
  readonly value: T;
  /** When it was sent, by the clock of this side. */
  readonly at: number;
  /** `waiting`: no answer yet. `sent`: in the log, its echo is under way. `failed`: see `error`. */
  readonly status: 'waiting' | 'sent' | 'failed';
  readonly error: unknown;
  /** Position of the message that it answers. */
  readonly reply?: number;
}

/** Everything that a conversation takes in. */
export type TimelineEntry<T = string> = RoomEntry<T> | DirectMessage<T>;

/** An entry as an item. @param key - of the own message that it is the echo of */
export function itemOf<T>(entry: Exclude<TimelineEntry<T>, Gap>, key: string = entry.id): LoggedItem<T> {
  const { at } = entry;
  switch (entry.type) {
    case 'notice':
      return { kind: 'notice', key, at, notice: entry };
    case 'unreadable': {
      const by = withdrawnBy(entry);
      if (by !== undefined) return { kind: 'withdrawn', key, seq: entry.seq, at, sender: entry.sender, by };
      return { kind: 'unreadable', key, at, message: entry };
    }
    default: {
      const { id, seq, sender, value, own, history, reply, reactions } = entry as Answering<typeof entry>;
      const more = { ...(reply !== undefined && { reply }), ...(reactions && { reactions }) };
      return { kind: 'message', key, id, seq, at, sender, value, own, history, ...more };
    }
  }
}
