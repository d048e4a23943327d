/** States, and what is said in them, for tests of the screen. */
import type { OutgoingItem } from '@chat/client/timeline';
import type { Note } from '../../../src/screen/rows/note.js';
import type { Row } from '../../../src/screen/rows/row.js';
import type { ScreenItem, ScreenSnapshot } from '../../../src/screen/rows/shown-item.js';
import {
  type Conversation,
  EMPTY_SNAPSHOT,
  emptyConversation,
  follow,
} from '../../../src/screen/state/conversation.js';
import {
  initialState,
  reduce,
  type ScreenEvent,
  type ScreenState,
} from '../../../src/screen/state/screen-state.js';

/** Noon of some day, wherever the test runs. */
export const NOON: number = new Date(2026, 4, 5, 12, 0).getTime();

let count = 0;

export function said(
  name: string,
  value: string,
  { at = NOON, own = false, history = false, waits = false } = {},
): ScreenItem {
  const sender = { id: 2, name };
  const place = { key: `said:${++count}`, id: `x-${count}`, seq: count, at } as const;
  const item = { kind: 'message', ...place, sender, value, own, history } as const;
  return waits ? { ...item, waiting: true } : item;
}

export function noted(text: string, tone: Note['tone'] = 'notice'): ScreenItem {
  return { kind: 'local', key: `noted:${++count}`, at: NOON, value: { tone, lines: [text] } };
}

/** Somebody came. */
export function came({ own = false, history = false, at = NOON } = {}): ScreenItem {
  const member = { id: 2, name: 'bob' };
  const entry = { type: 'notice', room: 'lobby', id: 'x-1', seq: 1, prev: 0 } as const;
  const notice = { ...entry, kind: 'joined', member, oldName: undefined, at, own, history } as const;
  return { kind: 'notice', key: `came:${++count}`, at, notice };
}

export function sending(
  value: string,
  status: OutgoingItem['status'] = 'waiting',
  error?: Error,
): OutgoingItem {
  return { key: `own:${++count}`, value, at: NOON, status, error };
}

export function numbered(length: number, from = 0): ScreenItem[] {
  return Array.from({ length }, (_, index) => said('bob', `message ${from + index}`));
}

/** A timeline that has these items. */
export function snapshotOf(items: readonly ScreenItem[], more: Partial<ScreenSnapshot> = {}): ScreenSnapshot {
  return { ...EMPTY_SNAPSHOT, items, ...more };
}

/** A conversation of ada's that has these items. */
export function conversationOf(
  items: readonly ScreenItem[],
  more: Partial<ScreenSnapshot> = {},
  key = 'lobby',
): Conversation {
  return follow(emptyConversation(key, 'ada'), snapshotOf(items, more));
}

/** The conversation with more in it, at the bottom or, where `firstIndex` says so, before the first. */
export function followed(
  conversation: Conversation,
  items: readonly ScreenItem[],
  more: Partial<ScreenSnapshot> = {},
): Conversation {
  return follow(conversation, { ...conversation.snapshot, items, ...more });
}

/** The event that these items are in a conversation. */
export function has(
  key: string,
  items: readonly ScreenItem[],
  more: Partial<ScreenSnapshot> = {},
): ScreenEvent {
  return { type: 'timeline', key, snapshot: snapshotOf(items, more) };
}

/** The state after `events`, on a screen of 100 × 20. */
export function stateAfter(...events: readonly ScreenEvent[]): ScreenState {
  return events.reduce(reduce, initialState('ada', 'localhost', { columns: 100, rows: 20 }));
}

export function textOf(row: Row): string {
  return row.map(({ text }) => text).join('');
}
