/**
 * The part of a conversation that is seen: from the row at the bottom upwards, as many rows as there are.
 *
 * Only items that are seen are laid out, so 10,000 of them cost no more than fifty.
 */
import { endOf, type PaneContent, rowsAt } from './item-rows.js';
import type { Row } from './row.js';
import { isShown } from './shown-item.js';

/** Size of the pane, in cells. */
export interface PaneSize {
  readonly columns: number;
  readonly rows: number;
}

/** The last row that is seen: row `row` of the item `index`. */
export interface ScrollPosition {
  readonly index: number;
  readonly row: number;
}

/** A conversation that can be scrolled. */
export interface Scrolled extends PaneContent {
  /** Undefined when the newest is at the bottom. */
  readonly scroll: ScrollPosition | undefined;
}

/** The visible part. */
export interface Pane {
  /** Exactly as many as the pane has. */
  readonly rows: readonly Row[];
  /** Entries below the pane. */
  readonly entriesBelow: number;
}

/** Lays out what is seen of `content`. */
export function messagePane(content: Scrolled, { columns, rows: height }: PaneSize): Pane {
  const { index: bottom, row: bottomRow } = bottomOf(content, { columns, rows: height });
  const rows: Row[] = [];
  for (let index = bottom; index >= content.snapshot.firstIndex && rows.length < height; index--) {
    const all = rowsAt(content, index, columns) ?? [];
    rows.unshift(...(index === bottom ? all.slice(0, bottomRow + 1) : all));
  }
  const seen = rows.slice(Math.max(0, rows.length - height));
  // Little text hangs from the top, where reading begins.
  while (seen.length < height) seen.push([{ text: ' '.repeat(columns) }]);
  return { rows: seen, entriesBelow: entriesBelow(content, bottom) };
}

/**
 * Scrolls by `delta` rows, downwards if positive.
 *
 * @returns the same conversation when it is at that end already
 */
export function scrollBy<Content extends Scrolled>(content: Content, delta: number, size: PaneSize): Content {
  const { columns } = size;
  const height = (index: number): number => rowsAt(content, index, columns)?.length ?? 0;
  let { index, row } = bottomOf(content, size);
  let left = Math.abs(delta);
  if (delta > 0) {
    const last = newestOf(content, columns);
    for (; left > 0 && index <= last.index; left--) {
      row++;
      while (index <= last.index && row >= height(index)) {
        index++;
        row = 0;
      }
    }
    const atEnd = index > last.index || (index === last.index && row >= last.row);
    return atEnd ? scrollToEnd(content) : { ...content, scroll: { index, row } };
  }
  const top = topmost(content, size);
  if (top === undefined) return content;
  for (; left > 0 && (index > top.index || row > top.row); left--) {
    row--;
    while (row < 0 && index > top.index) {
      index--;
      row = height(index) - 1;
    }
  }
  const { scroll } = content;
  if (scroll?.index === index && scroll.row === row) return content;
  return { ...content, scroll: { index, row } };
}

export function scrollToEnd<Content extends Scrolled>(content: Content): Content {
  return content.scroll === undefined ? content : { ...content, scroll: undefined };
}

/** Whether the first item is at the top of the pane. */
export function isAtTop(content: Scrolled, size: PaneSize): boolean {
  const top = topmost(content, size);
  if (top === undefined) return true;
  const { index, row } = bottomOf(content, size);
  return index < top.index || (index === top.index && row <= top.row);
}

/** The row at the bottom, corrected where what was scrolled to is gone or fills less than the pane. */
function bottomOf(content: Scrolled, size: PaneSize): ScrollPosition {
  const { scroll } = content;
  const newest = newestOf(content, size.columns);
  if (scroll === undefined || scroll.index > newest.index) return newest;
  const top = topmost(content, size);
  if (top === undefined) return newest;
  if (scroll.index < top.index || (scroll.index === top.index && scroll.row < top.row)) return top;
  return scroll;
}

/** The last row of the last item that is seen. */
function newestOf(content: Scrolled, columns: number): ScrollPosition {
  const last = endOf(content) - 1;
  for (let index = last; index >= content.snapshot.firstIndex; index--) {
    const count = rowsAt(content, index, columns)?.length ?? 0;
    if (count > 0) return { index, row: count - 1 };
  }
  return { index: last, row: 0 };
}

/** The bottom row when the first item is at the top. @returns undefined when everything fits */
function topmost(content: Scrolled, { columns, rows: height }: PaneSize): ScrollPosition | undefined {
  let left = height;
  for (let index = content.snapshot.firstIndex; ; index++) {
    const rows = rowsAt(content, index, columns);
    if (rows === undefined) return undefined;
    if (rows.length >= left) {
      const isLast = rows.length === left && index === newestOf(content, columns).index;
      return isLast ? undefined : { index, row: left - 1 };
    }
    left -= rows.length;
  }
}

function entriesBelow(content: Scrolled, bottom: number): number {
  const { items, firstIndex, outgoing } = content.snapshot;
  let count = 0;
  for (let place = bottom + 1 - firstIndex; place < items.length; place++)
    if (isShown(items[place]!)) count++;
  return count + Math.min(outgoing.length, endOf(content) - 1 - bottom);
}
