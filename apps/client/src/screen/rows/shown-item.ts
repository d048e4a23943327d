/**
 * An item of a timeline as it is shown: calm words, whether they speak of this user, and why they did not
 * arrive.
 */

import type { OutgoingItem, TimelineItem, TimelineSnapshot } from '@chat/client/timeline';
import { ACTION_PREFIX, changeText, mentionsIn } from '@chat/client/timeline';
import { errorText, type SessionEvent } from '../../session/session.js';
import { reactionsText } from '../../text/quote-text.js';
import { calmLine, calmLines } from './cell-text.js';
import { type Note, note, noteOf } from './note.js';

/** An item in a conversation of this program. */
export type ScreenItem = TimelineItem<string, Note>;

/** A conversation of this program at one moment. */
export type ScreenSnapshot = TimelineSnapshot<string, Note>;

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
  /** Whom it answers, and what was said. */
  readonly quote?: string;
  /** The emoji below it, and whose they are. */
  readonly reactions?: string;
  /** Why it was not sent. */
  readonly failure?: string;
  /** Whether it waits for its reader, who is away. */
  readonly waits?: true;
}

/** A note in its place. */
export interface NoteItem extends Note {
  readonly type: 'note';
  /** Undefined where nobody knows when it happened, as of a gap. */
  readonly at: number | undefined;
}

/**
 * Whether an item is seen. Users see what they did themselves by other means, and old comings and goings not
 * at all.
 */
export function isShown(item: ScreenItem): boolean {
  if (item.kind !== 'notice') return true;
  const { kind, own, history } = item.notice;
  // Changes of messages and of the room are shown in old history, too.
  if (changeText(item.notice) !== undefined) return true;
  return !own && (!history || kind === 'renamed');
}

/** @param me - own name @param quote - what it answers @returns undefined for an item that is not seen */
export function shownItem(item: ScreenItem, me: string, quote?: string): SpokenItem | NoteItem | undefined {
  if (!isShown(item)) return undefined;
  switch (item.kind) {
    case 'message': {
      const { at, sender, value, own, waiting, reactions } = item;
      const spoken = {
        ...spokenItem({ at, name: sender.name || me, own, value }, me),
        ...(quote === undefined ? {} : { quote: calmLine(quote) }),
        ...(reactions ? { reactions: calmLine(reactionsText(reactions)) } : {}),
      };
      return waiting ? { ...spoken, waits: true } : spoken;
    }
    case 'local':
      return { type: 'note', at: item.at, ...item.value };
    case 'gap':
      return noted({ type: 'gap', gap: item.gap }, undefined);
    case 'notice':
      return noted({ type: 'notice', notice: item.notice }, item.at);
    case 'withdrawn': {
      const { at, sender, by } = item;
      return {
        type: 'note',
        at,
        ...note(`a message of ${sender.name || me} was taken back by ${by}`, 'notice'),
      };
    }
    case 'unreadable':
      return noted({ type: 'unreadable', message: item.message }, item.at);
  }
}

/** An own message that is on its way, or failed. */
export function shownOutgoing({ at, value, status, error }: OutgoingItem, me: string): SpokenItem {
  const item = spokenItem({ at, name: me, own: true, value }, me);
  return status === 'failed' ? { ...item, failure: calmLine(errorText(error)) } : item;
}

/** Something said, from the raw name and value. */
export function spokenItem(
  said: { readonly at: number; readonly name: string; readonly own: boolean; readonly value: string },
  me: string,
): SpokenItem {
  const { at, own, value } = said;
  const action = value.startsWith(ACTION_PREFIX);
  const text = action ? value.slice(ACTION_PREFIX.length) : value;
  return {
    type: 'spoken',
    at,
    name: calmLine(said.name),
    own,
    action,
    lines: calmLines(text),
    mentions: !own && mentionsIn(text, me).length > 0,
  };
}

function noted(event: SessionEvent, at: number | undefined): NoteItem | undefined {
  const note = noteOf(event, at ?? 0);
  return note && { type: 'note', at, ...note };
}
