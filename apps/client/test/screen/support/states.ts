/** States and entries for tests of the screen. */

import type { Row } from '../../../src/screen/rows/row.js';
import type { Item, NoteItem, SpokenItem } from '../../../src/screen/state/conversation.js';
import { spokenItem } from '../../../src/screen/state/conversation.js';
import {
  initialState,
  reduce,
  type ScreenEvent,
  type ScreenState,
} from '../../../src/screen/state/screen-state.js';

/** Noon of some day, wherever the test runs. */
export const NOON: number = new Date(2026, 4, 5, 12, 0).getTime();

export function said(name: string, text: string, more: Partial<SpokenItem> = {}): SpokenItem {
  return { ...spokenItem({ at: NOON, name, own: false, text }, { me: 'ada' }), ...more };
}

export function noted(text: string, tone: NoteItem['tone'] = 'notice'): NoteItem {
  return { type: 'note', at: NOON, tone, lines: [text] };
}

export function numbered(count: number, from = 0): Item[] {
  return Array.from({ length: count }, (_, index) => said('bob', `message ${from + index}`));
}

/** The state after `events`, on a screen of 100 × 20. */
export function stateAfter(...events: readonly ScreenEvent[]): ScreenState {
  return events.reduce(reduce, initialState('ada', 'localhost', { columns: 100, rows: 20 }));
}

export function textOf(row: Row): string {
  return row.map(({ text }) => text).join('');
}
