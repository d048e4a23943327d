/** The part of a text in which the words stand that were looked for. */
import type { Word } from './words.js';

export interface Snippet {
  readonly snippet: string;
  /** Pairs of begin and end in UTF-16 units of the snippet. */
  readonly marks: readonly (readonly [from: number, to: number])[];
}

/** Units of text before the first word, and in all. */
const UNITS_BEFORE = 40;
const MAX_UNITS = 200;
const MORE = '…';

/** @param found where the words stand, in their order; one at least */
export function snippetOf(text: string, found: readonly Word[]): Snippet {
  const start = boundary(text, Math.max(0, found[0]!.start - UNITS_BEFORE));
  const end = boundary(text, Math.min(text.length, start + MAX_UNITS));
  const before = start > 0 ? MORE : '';
  const marks: [number, number][] = [];
  for (const word of found) {
    if (word.end > end) break;
    const from = word.start - start + before.length;
    const to = word.end - start + before.length;
    const last = marks.at(-1);
    // Characters of a script without spaces are one mark, as they are one word to people.
    if (last && last[1] >= from) last[1] = Math.max(last[1], to);
    else marks.push([from, to]);
  }
  return { snippet: `${before}${text.slice(start, end)}${end < text.length ? MORE : ''}`, marks };
}

/** The nearest place not after `at` that is not within a character. */
function boundary(text: string, at: number): number {
  const unit = text.charCodeAt(at);
  return unit >= 0xdc00 && unit <= 0xdfff ? at - 1 : at;
}
