/**
 * The part of a conversation that is seen: from the row at the bottom upwards, as many rows as there are.
 *
 * Only entries that are seen are laid out, so 10,000 of them cost no more than fifty.
 */
import type { Conversation, ScrollPosition } from '../state/conversation.js';
import { endOf, entryAt } from '../state/scrollback.js';
import { entryRows, ruleRow } from './entry-rows.js';
import type { Row } from './row.js';

/** Size of the pane, in cells. */
export interface PaneSize {
  readonly columns: number;
  readonly rows: number;
}

/** What is seen. */
export interface Pane {
  /** Exactly as many as the pane has. */
  readonly rows: readonly Row[];
  /** Entries below the pane. */
  readonly entriesBelow: number;
}

/** The rows of the entry at `index`, the pending ones behind the log included; undefined when there is none. */
function rowsAt(conversation: Conversation, index: number, columns: number): Row[] | undefined {
  const { log, pending, newFrom } = conversation;
  const item = entryAt(log, index);
  if (item === undefined) {
    const waiting = pending[index - endOf(log)];
    return waiting && entryRows(waiting.item, columns, 'pending');
  }
  const rows = entryRows(item, columns);
  return index === newFrom ? [ruleRow('new', columns, 'warn'), ...rows] : rows;
}

/** Lays out what is seen of `conversation`. */
export function messagePane(conversation: Conversation, { columns, rows: height }: PaneSize): Pane {
  const end = endOf(conversation.log) + conversation.pending.length;
  const { index: bottom, row: bottomRow } = bottomOf(conversation, { columns, rows: height });
  const rows: Row[] = [];
  for (let index = bottom; index >= conversation.log.first && rows.length < height; index--) {
    const all = rowsAt(conversation, index, columns) ?? [];
    rows.unshift(...(index === bottom ? all.slice(0, bottomRow + 1) : all));
  }
  const seen = rows.slice(Math.max(0, rows.length - height));
  // Little text hangs from the top, where reading begins.
  while (seen.length < height) seen.push([{ text: ' '.repeat(columns) }]);
  return { rows: seen, entriesBelow: Math.max(0, end - 1 - bottom) };
}

/**
 * Scrolls by `delta` rows, downwards if positive.
 *
 * @returns the same conversation when it is at that end already
 */
export function scrollBy(conversation: Conversation, delta: number, size: PaneSize): Conversation {
  const { columns } = size;
  const { log, pending } = conversation;
  const last = endOf(log) + pending.length - 1;
  let { index, row } = bottomOf(conversation, size);
  let left = Math.abs(delta);
  if (delta > 0) {
    for (; left > 0 && index <= last; left--) {
      row++;
      if (row >= (rowsAt(conversation, index, columns)?.length ?? 0)) {
        index++;
        row = 0;
      }
    }
    const atEnd =
      index > last || (index === last && row >= (rowsAt(conversation, last, columns)?.length ?? 1) - 1);
    return atEnd ? scrollToEnd(conversation) : { ...conversation, scroll: { index, row } };
  }
  const top = topmost(conversation, size);
  if (top === undefined) return conversation;
  for (; left > 0 && (index > top.index || row > top.row); left--) {
    row--;
    if (row < 0) {
      index--;
      row = (rowsAt(conversation, index, columns)?.length ?? 1) - 1;
    }
  }
  const { scroll } = conversation;
  if (scroll?.index === index && scroll.row === row) return conversation;
  return { ...conversation, scroll: { index, row } };
}

export function scrollToEnd(conversation: Conversation): Conversation {
  return conversation.scroll === undefined ? conversation : { ...conversation, scroll: undefined };
}

/** Whether the first entry is at the top of the pane. */
export function isAtTop(conversation: Conversation, size: PaneSize): boolean {
  const top = topmost(conversation, size);
  if (top === undefined) return true;
  const { index, row } = bottomOf(conversation, size);
  return index < top.index || (index === top.index && row <= top.row);
}

/** The row at the bottom of the pane. One that was scrolled to and is gone is replaced by the nearest. */
function bottomOf(conversation: Conversation, size: PaneSize): ScrollPosition {
  const { log, pending, scroll } = conversation;
  const last = endOf(log) + pending.length - 1;
  const newest = { index: last, row: (rowsAt(conversation, last, size.columns)?.length ?? 1) - 1 };
  if (scroll === undefined || scroll.index > last) return newest;
  const top = topmost(conversation, size);
  if (top === undefined) return newest;
  if (scroll.index < top.index || (scroll.index === top.index && scroll.row < top.row)) return top;
  return scroll;
}

/** The bottom row when the first entry is at the top. @returns undefined when everything fits */
function topmost(
  conversation: Conversation,
  { columns, rows: height }: PaneSize,
): ScrollPosition | undefined {
  let left = height;
  for (let index = conversation.log.first; ; index++) {
    const rows = rowsAt(conversation, index, columns);
    if (rows === undefined) return undefined;
    if (rows.length >= left) {
      const isLast = rowsAt(conversation, index + 1, columns) === undefined && rows.length === left;
      return isLast ? undefined : { index, row: left - 1 };
    }
    left -= rows.length;
  }
}
