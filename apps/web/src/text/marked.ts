/**
 * A text with marks on some of its words, as pieces.
 */
import { calmText } from './calm-text.js';

/** A piece of a text. */
export interface MarkedPiece {
  readonly text: string;
  readonly isMarked: boolean;
}

/** @param marks pairs of begin and end, in order; a line of text comes of it */
export function splitMarks(text: string, marks: readonly (readonly [number, number])[]): MarkedPiece[] {
  const pieces: MarkedPiece[] = [];
  const add = (from: number, to: number, isMarked: boolean): void => {
    if (to > from) pieces.push({ text: calmText(text.slice(from, to)).replace(/\s+/g, ' '), isMarked });
  };
  let end = 0;
  for (const [from, to] of marks) {
    add(end, from, false);
    add(Math.max(end, from), to, true);
    end = Math.max(end, to);
  }
  add(end, text.length, false);
  return pieces;
}
