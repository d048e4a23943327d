/**
 * A room, or what is said with one user: its entries, what of it was read, and where it is scrolled to.
 *
 * Own messages wait in `pending` until the log has them. They are found again by their text, since messages of one
 * sender are in the log in the order in which they were sent.
 */
import { calmLine, calmLines } from '../rows/cell-text.js';
import { append, EMPTY_SCROLLBACK, endOf, prepend, type Scrollback } from './scrollback.js';

/** Something said. Name and lines are calm. */
export interface SpokenItem {
  readonly type: 'spoken';
  readonly at: number;
  readonly name: string;
  readonly own: boolean;
  /** Said with `/me`. */
  readonly action: boolean;
  readonly lines: readonly string[];
  /** Speaks of this user. */
  readonly mentions: boolean;
  /** Why it was not sent. */
  readonly failure?: string;
}

/** Something that happened, or that this program says. */
export interface NoteItem {
  readonly type: 'note';
  readonly at: number;
  readonly tone: 'notice' | 'problem' | 'gap' | 'answer';
  readonly lines: readonly string[];
}

/** Another day begins. */
export interface DayItem {
  readonly type: 'day';
  readonly at: number;
}

export type Item = SpokenItem | NoteItem | DayItem;

/** An own message that the server has not acknowledged. */
export interface Pending {
  readonly key: number;
  readonly text: string;
  readonly item: SpokenItem;
}

/** The last row that is seen: row `row` of the entry `index`. */
export interface ScrollPosition {
  readonly index: number;
  readonly row: number;
}

/** Immutable. */
export interface Conversation {
  /** Name of the room, or `@` and the name of the user. */
  readonly key: string;
  readonly kind: 'room' | 'direct';
  readonly log: Scrollback<Item>;
  readonly pending: readonly Pending[];
  /** What was said since it was looked at. */
  readonly unread: number;
  /** Whether some of that speaks of this user, or to him alone. */
  readonly mentioned: boolean;
  /** The first entry that was not read when it was last turned to. */
  readonly newFrom: number | undefined;
  /** Undefined when the newest is at the bottom. */
  readonly scroll: ScrollPosition | undefined;
  readonly members: readonly string[];
  readonly memberCount: number;
  readonly typists: readonly string[];
}

export function emptyConversation(key: string): Conversation {
  return {
    key,
    kind: key.startsWith('@') ? 'direct' : 'room',
    log: EMPTY_SCROLLBACK,
    pending: [],
    unread: 0,
    mentioned: false,
    newFrom: undefined,
    scroll: undefined,
    members: [],
    memberCount: 0,
    typists: [],
  };
}

/** An entry for something said, from the raw name and text. */
export function spokenItem(
  said: { readonly at: number; readonly name: string; readonly own: boolean; readonly text: string },
  { action = false, me }: { readonly action?: boolean; readonly me: string },
): SpokenItem {
  const { at, own, text } = said;
  return {
    type: 'spoken',
    at,
    name: calmLine(said.name),
    own,
    action,
    lines: calmLines(text),
    mentions: !own && mentions(text, me),
  };
}

/** Whether `me` stands in `text` as a word of its own. */
function mentions(text: string, me: string): boolean {
  const where = me === '' ? -1 : text.toLowerCase().indexOf(me.toLowerCase());
  if (where === -1) return false;
  const letter = /[\p{L}\p{N}_]/u;
  return !letter.test(text[where - 1] ?? '') && !letter.test(text[where + me.length] ?? '');
}

/**
 * Adds what was said or happened.
 *
 * @param seen - whether the user looks at it: else it counts as unread
 */
export function addItems(conversation: Conversation, items: readonly Item[], seen: boolean): Conversation {
  let { pending, unread, mentioned, newFrom } = conversation;
  const added: Item[] = [];
  let day = dayOf(conversation.log.items.at(-1)?.at);
  const end = endOf(conversation.log);
  for (const item of items) {
    if (dayOf(item.at) !== day) {
      // The first entry needs no word on what day it is, unless that was another one.
      if (day !== undefined) added.push({ type: 'day', at: item.at });
      day = dayOf(item.at);
    }
    if (item.type === 'spoken' && item.own) pending = withoutSent(pending, item);
    if (!seen && item.type === 'spoken' && !item.own) {
      newFrom = unread === 0 ? end + added.length : newFrom;
      unread++;
      mentioned ||= item.mentions || conversation.kind === 'direct';
    }
    added.push(item);
  }
  return { ...conversation, log: append(conversation.log, added), pending, unread, mentioned, newFrom };
}

/** Adds what was said before the first entry. */
export function addOlder(conversation: Conversation, items: readonly Item[]): Conversation {
  return { ...conversation, log: prepend(conversation.log, items) };
}

/** The user turns to it: everything counts as read, and the place where he stopped is marked. */
export function turnTo(conversation: Conversation): Conversation {
  return { ...conversation, unread: 0, mentioned: false };
}

/** The user turns away from it, or writes: the mark has done its work. */
export function forgetMark(conversation: Conversation): Conversation {
  return conversation.newFrom === undefined || conversation.unread > 0
    ? conversation
    : { ...conversation, newFrom: undefined };
}

function withoutSent(pending: readonly Pending[], { lines }: SpokenItem): readonly Pending[] {
  const sent = pending.findIndex(({ item }) => item.lines.join('\n') === lines.join('\n'));
  return sent === -1 ? pending : pending.filter((_, index) => index !== sent);
}

function dayOf(at: number | undefined): string | undefined {
  return at === undefined ? undefined : new Date(at).toDateString();
}
