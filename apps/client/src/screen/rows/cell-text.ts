/**
 * Text as cells of a terminal: how wide it is, cut and wrapped at cells.
 *
 * A frame holds only as long as this program and the terminal agree on widths. Terminals differ where several
 * code points make one picture. So text is calmed first: such a sequence is shown by its first picture, which
 * every terminal draws alike. The rest has the width of its code points, as in the `wcwidth` that terminals
 * use.
 */
import { formatMessageLines, printable } from '@chat/protocol/lines';
import stringWidth from 'string-width';

const TAB = '    ';
const MAX_MARKS = 3;

const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' });

const ASCII = /^[\x20-\x7E]*$/;
// Draws the emoji before it in another way (or in another skin), or says nothing that a terminal shows.
const SELECTORS =
  // biome-ignore lint/suspicious/noMisleadingCharacterClass: single code points are meant here.
  /[\uFE00-\uFE0F\u20E3\u00AD\u{E0000}-\u{E007F}\u{E0100}-\u{E01EF}]/gu;
const SKINS = /(?<=\p{Extended_Pictographic})\p{Emoji_Modifier}/gu;
const JOINED_PICTURES = /(\p{Extended_Pictographic})(?:\u200D[\p{Extended_Pictographic}\u2640\u2642])+/gu;
// Zero width, but not the joiners that Arabic and Indic words need; direction marks are added by the frame
// alone.
const INVISIBLE = /[\u061C\u200B\u200E\u200F\u2060-\u2064\uFEFF\u2066-\u2069\u202A-\u202E]/gu;
const UNASSIGNED = /[\p{Cn}\p{Co}\p{Cs}]/gu;
const PILED_MARKS = new RegExp(`(\\p{Mn}{${MAX_MARKS}})\\p{Mn}+`, 'gu');
const RIGHT_TO_LEFT = /[\u0590-\u08FF\uFB1D-\uFDFF\uFE70-\uFEFE\u{10800}-\u{10FFF}\u{1E800}-\u{1EFFF}]/u;
const LINE_BREAKS = /[\t\n\v\f\r\u0085\u2028\u2029]+/gu;

/** One line that a terminal shows as this program measures it, and obeys in nothing. */
export function calmLine(text: string): string {
  if (ASCII.test(text)) return text;
  const shown = printable(text.replace(/\t/g, TAB).replace(LINE_BREAKS, ' '));
  if (ASCII.test(shown)) return shown;
  return shown
    .normalize('NFC')
    .replace(SELECTORS, '')
    .replace(SKINS, '')
    .replace(JOINED_PICTURES, '$1')
    .replace(INVISIBLE, '')
    .replace(UNASSIGNED, '\uFFFD')
    .replace(PILED_MARKS, '$1');
}

/** The lines of a text of somebody else, each calmed. At least one. */
export function calmLines(text: string): readonly string[] {
  // The protocol's own form, so that all clients cut a text at the same places; the pane says itself what it
  // leaves out.
  const lines = formatMessageLines('', text, Number.POSITIVE_INFINITY).slice(0, -1).split('\n');
  return lines.map((line) => calmLine(line.slice(': '.length)));
}

/** Cells that a calmed line takes. */
export function cellWidth(line: string): number {
  if (ASCII.test(line)) return line.length;
  let width = 0;
  for (const character of line) width += characterWidth(character);
  return width;
}

function characterWidth(character: string): number {
  return character >= ' ' && character <= '~' ? 1 : stringWidth(character);
}

/** The characters as a user counts them. */
export function graphemes(line: string): string[] {
  return ASCII.test(line) ? [...line] : Array.from(segmenter.segment(line), ({ segment }) => segment);
}

/** Cuts a calmed line to at most `columns` cells; `…` stands for the rest. */
export function truncate(line: string, columns: number): string {
  if (columns <= 0) return '';
  // A character takes a cell at most twice, so a long line need not be measured whole.
  if (line.length <= columns * 2 && cellWidth(line) <= columns) return line;
  const head = fitting(line, columns);
  return head.length === line.length ? line : `${fitting(line, columns - 1)}…`;
}

/** The longest beginning of `line` within `columns` cells. */
function fitting(line: string, columns: number): string {
  let width = 0;
  let end = 0;
  for (const { segment } of segmenter.segment(line)) {
    width += cellWidth(segment);
    if (width > columns) break;
    end += segment.length;
  }
  return line.slice(0, end);
}

/**
 * Wraps a calmed line at spaces, and a word that is too long anywhere. A space at which a line was wrapped is
 * gone.
 *
 * @param columns - a character that is wider has a row of its own, and does not fit
 * @param maxRows - what would be beyond is not looked at
 */
export function wrap(line: string, columns: number, maxRows: number): string[] {
  if (line.length <= columns && cellWidth(line) <= columns) return [line];
  const rows: string[] = [];
  let row = '';
  let width = 0;
  // Where the row may be cut, and how wide it is up to there.
  let cut = -1;
  let cutWidth = 0;
  for (const { segment } of segmenter.segment(line)) {
    const cells = cellWidth(segment);
    if (width + cells > columns) {
      if (segment === ' ') {
        rows.push(row);
        row = '';
        width = 0;
        cut = -1;
        if (rows.length >= maxRows) return rows;
        continue;
      }
      const rest = cut > 0 ? row.slice(cut + 1) : '';
      rows.push(cut > 0 ? row.slice(0, cut) : row);
      width = cut > 0 ? width - cutWidth - 1 : 0;
      row = rest;
      cut = -1;
      if (rows.length >= maxRows) return rows;
    }
    if (segment === ' ') {
      cut = row.length;
      cutWidth = width;
    }
    row += segment;
    width += cells;
  }
  if (row !== '' || rows.length === 0) rows.push(row);
  return rows;
}

/**
 * Keeps text that is written from right to left to its own cells: terminals that reorder a row do so within
 * the marks, so a name does not change places with the border beside it.
 */
export function keepDirection(text: string): string {
  return RIGHT_TO_LEFT.test(text) ? `\u200E${text}\u200E` : text;
}
