/**
 * One row of the screen: pieces of text and how each of them looks, not yet in the language of a terminal.
 */
import { cellWidth, truncate } from './cell-text.js';

/** How a piece looks; the theme says what that means here. */
export type Look =
  | 'plain'
  | 'dim'
  | 'strong'
  | 'warn'
  | 'alert'
  | 'bar'
  | 'bar-strong'
  | 'bar-alert'
  | 'selected';

/** A piece of a row. Its text is calm: see `calmLine`. */
export interface Span {
  readonly text: string;
  readonly look?: Look;
  /** In the colour of this person. */
  readonly person?: string;
}

export type Row = readonly Span[];

export function rowWidth(row: Row): number {
  return row.reduce((width, { text }) => width + cellWidth(text), 0);
}

/** Makes `row` exactly `columns` cells wide, by cutting it or with spaces that look like `look`. */
export function fitRow(row: Row, columns: number, look: Look = 'plain'): Row {
  const fitted: Span[] = [];
  let left = columns;
  for (const span of row) {
    const text = truncate(span.text, left);
    if (text === '') continue;
    fitted.push(text === span.text ? span : { ...span, text });
    left -= cellWidth(text);
    if (text !== span.text) break;
  }
  if (left > 0) fitted.push({ text: ' '.repeat(left), look });
  return fitted;
}

/** `left` and `right` at the two ends of `columns` cells. Where both do not fit, `right` goes. */
export function spreadRow(left: Row, right: Row, columns: number, look: Look): Row {
  const rightWidth = rowWidth(right);
  const gap = columns - rowWidth(left) - rightWidth;
  if (gap < 1) return fitRow(left, columns, look);
  return [...left, { text: ' '.repeat(gap), look }, ...right];
}
