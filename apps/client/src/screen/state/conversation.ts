/**
 * A room, or the talk with one user: its timeline, the place it is scrolled to, and its members.
 *
 * The timeline of `@chat/client` keeps entries, own messages, unread ones and typists. A screen adds the
 * rest.
 */
import { mentionsIn } from '@chat/client/timeline';
import { calmLine } from '../rows/cell-text.js';
import type { Scrolled } from '../rows/message-pane.js';
import type { ScreenSnapshot } from '../rows/shown-item.js';

/** Immutable. */
export interface Conversation extends Scrolled {
  /** Name of the room, or `@` and the name of the user. */
  readonly key: string;
  readonly kind: 'room' | 'direct';
  /** Whether something unread speaks of this user, or to this user alone. */
  readonly mentioned: boolean;
  /** Own messages that the server has not answered. */
  readonly waiting: number;
  readonly members: readonly string[];
  readonly memberCount: number;
  readonly typists: readonly string[];
}

/** Of a timeline in which nothing was said. */
export const EMPTY_SNAPSHOT: ScreenSnapshot = {
  items: [],
  firstIndex: 0,
  outgoing: [],
  typists: [],
  unread: 0,
  firstUnread: undefined,
  isLoading: false,
  atStart: false,
  shifts: 0,
  about: {},
};

export function emptyConversation(key: string, me: string): Conversation {
  return {
    key,
    kind: key.startsWith('@') ? 'direct' : 'room',
    me,
    snapshot: EMPTY_SNAPSHOT,
    beginning: false,
    scroll: undefined,
    mentioned: false,
    waiting: 0,
    members: [],
    memberCount: 0,
    typists: [],
  };
}

/** The conversation with what its timeline has now. */
export function follow(conversation: Conversation, snapshot: ScreenSnapshot): Conversation {
  return {
    ...conversation,
    snapshot,
    mentioned: isMentioned(conversation, snapshot),
    waiting: snapshot.outgoing.filter(({ status }) => status === 'waiting').length,
    typists: snapshot.typists.map(({ name }) => calmLine(name)),
  };
}

/** Looks only at the items that are new, so that a flood costs no more for what was there before. */
function isMentioned({ kind, mentioned, snapshot: before, me }: Conversation, now: ScreenSnapshot): boolean {
  if (now.unread === 0) return false;
  if (mentioned || kind === 'direct') return true;
  if (now.unread <= before.unread) return false;
  const known = before.firstIndex + before.items.length - now.firstIndex;
  return now.items
    .slice(Math.max(0, known))
    .some(
      (item) =>
        item.kind === 'message' && !item.own && !item.history && mentionsIn(item.value, me).length > 0,
    );
}
