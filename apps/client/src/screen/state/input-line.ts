/**
 * The line that is being typed: text and a cursor between two characters, changed by edits.
 *
 * Positions are UTF-16 offsets that always lie between graphemes, so an accent or a family is never cut in
 * two.
 */
import { graphemes } from '../rows/cell-text.js';

/** Text and cursor. Immutable. */
export interface InputLine {
  readonly text: string;
  /** UTF-16 offset. */
  readonly cursor: number;
}

export const EMPTY_LINE: InputLine = { text: '', cursor: 0 };

/** A change of the line. */
export type Edit =
  | { readonly type: 'insert'; readonly text: string }
  | {
      readonly type:
        | 'left'
        | 'right'
        | 'word-left'
        | 'word-right'
        | 'home'
        | 'end'
        | 'delete-left'
        | 'delete-right'
        | 'delete-word-left'
        | 'delete-word-right'
        | 'delete-to-home'
        | 'delete-to-end';
    };

/** Longest line, in UTF-16 units: more than any server takes, less than makes the screen slow. */
export const MAX_INPUT_LENGTH = 65_536;

/** The line after `edit`. */
export function editLine(line: InputLine, edit: Edit): InputLine {
  const { text, cursor } = line;
  switch (edit.type) {
    case 'insert': {
      const added = edit.text.slice(0, Math.max(0, MAX_INPUT_LENGTH - text.length));
      return { text: text.slice(0, cursor) + added + text.slice(cursor), cursor: cursor + added.length };
    }
    case 'left':
      return { text, cursor: before(text, cursor) };
    case 'right':
      return { text, cursor: after(text, cursor) };
    case 'word-left':
      return { text, cursor: wordStart(text, cursor) };
    case 'word-right':
      return { text, cursor: wordEnd(text, cursor) };
    case 'home':
      return { text, cursor: 0 };
    case 'end':
      return { text, cursor: text.length };
    case 'delete-left':
      return without(text, before(text, cursor), cursor);
    case 'delete-right':
      return without(text, cursor, after(text, cursor));
    case 'delete-word-left':
      return without(text, wordStart(text, cursor), cursor);
    case 'delete-word-right':
      return without(text, cursor, wordEnd(text, cursor));
    case 'delete-to-home':
      return without(text, 0, cursor);
    case 'delete-to-end':
      return without(text, cursor, text.length);
  }
}

function without(text: string, start: number, end: number): InputLine {
  return { text: text.slice(0, start) + text.slice(end), cursor: start };
}

function before(text: string, cursor: number): number {
  return cursor - (graphemes(text.slice(0, cursor)).at(-1)?.length ?? 0);
}

function after(text: string, cursor: number): number {
  return cursor + (graphemes(text.slice(cursor))[0]?.length ?? 0);
}

function wordStart(text: string, cursor: number): number {
  return /\S*\s*$/u.exec(text.slice(0, cursor))!.index;
}

function wordEnd(text: string, cursor: number): number {
  return cursor + /^\s*\S*/u.exec(text.slice(cursor))![0].length;
}
