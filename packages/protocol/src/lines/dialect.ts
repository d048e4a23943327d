/**
 * The dialect of `nc` and of socket programs written in an afternoon: lines of text.
 *
 * In (see `LineDecoder`): the first line is the user name, with or without `USERNAME:` before it; later lines are
 * messages, and `/quit` leaves. Out: `name: text`, `*** name has joined the chat` and the like. A line that goes out never
 * has a control character from somebody else: text is split at its line ends, each part under the sender's
 * name, so neither a line nor a terminal sequence can be smuggled in.
 */
import { DEFAULT_MAX_LINES_PER_MESSAGE } from '../limits.js';

/**
 * Reads the first line of a client: the wanted name, which may stand behind `USERNAME:` in any case. A byte
 * order mark, which some programs send first, and spaces around the name do not count.
 *
 * @returns the name, not checked yet: see `userNameProblem`
 *
 * @example
 * ```ts
 * import assert from 'node:assert';
 * import { parseUserNameLine } from '@chat/protocol/lines';
 *
 * assert.equal(parseUserNameLine('ada'), 'ada');
 * assert.equal(parseUserNameLine('username: ada '), 'ada');
 * ```
 */
export function parseUserNameLine(line: string): string {
  return line
    .replace(/^\uFEFF/, '')
    .replace(/^USERNAME:/i, '')
    .trim();
}

/**
 * Reads a line that shows a password: what stands behind `PASSWORD:` in any case, without spaces around it.
 *
 * @returns undefined for any other line
 */
export function parsePasswordLine(line: string): string | undefined {
  return /^\uFEFF?[ \t]*PASSWORD:(.*)$/is.exec(line)?.[1]?.trim();
}

/** Whether a line takes leave: `/quit` in any case, with blanks behind it and nothing else. */
export function isQuitLine(line: string): boolean {
  return /^\/quit[ \t]*$/i.test(line);
}

const LF = 0x0a;
const CR = 0x0d;
// Line ends of any kind (CR, LF, VT, FF, NEL, LS, PS).
const LINE_ENDS = /\r\n|[\n\r\v\f\u0085\u2028\u2029]/gu;
// Controls but the tab, and the overrides that reorder a line of somebody else.
const UNPRINTABLE = /[\u0000-\u0008\u000E-\u001F\u007F-\u009F\u202A-\u202E\u2066-\u2069]/gu;

/**
 * Formats a message, one line for each line of its text, each ended by `\n`. Empty lines in a row are one, and behind
 * `maxLines` lines there is one more that says how many are left out: a line end costs its reader a name.
 *
 * @param maxLines at least 1
 *
 * @example
 * ```ts
 * import assert from 'node:assert';
 * import { formatMessageLines } from '@chat/protocol/lines';
 *
 * assert.equal(formatMessageLines('ada', 'hi\nbob: me too'), 'ada: hi\nada: bob: me too\n');
 * assert.equal(formatMessageLines('ada', 'one\ntwo\nthree', 1), 'ada: one\nada: … 2 more lines\n');
 * ```
 */
export function formatMessageLines(
  name: string,
  text: string,
  maxLines: number = DEFAULT_MAX_LINES_PER_MESSAGE,
): string {
  let lines = '';
  let count = 0;
  let left = 0;
  let wasEmpty = false;
  for (let from = 0, at = 0; at <= text.length; at++) {
    const unit = at === text.length ? LF : text.charCodeAt(at);
    if (!isLineEnd(unit)) continue;
    const isEmpty = at === from;
    if (isEmpty && wasEmpty) {
      // Folded into the one before.
    } else if (count < maxLines) {
      lines += `${name}: ${printable(text.slice(from, at))}\n`;
      count++;
    } else {
      left++;
    }
    wasEmpty = isEmpty;
    if (unit === CR && text.charCodeAt(at + 1) === LF) at++;
    from = at + 1;
  }
  if (left === 0) return lines;
  return `${lines}${name}: … ${left.toLocaleString('en')} more ${left === 1 ? 'line' : 'lines'}\n`;
}

/**
 * Formats a notice of the server: `*** text`.
 *
 * @example
 * ```ts
 * import assert from 'node:assert';
 * import { formatNoticeLine } from '@chat/protocol/lines';
 *
 * assert.equal(formatNoticeLine('ada has joined the chat'), '*** ada has joined the chat\n');
 * ```
 */
export function formatNoticeLine(text: string): string {
  return `*** ${printable(text.replace(LINE_ENDS, ' '))}\n`;
}

/**
 * Replaces what a terminal would obey instead of show by U+FFFD: controls and overrides of the direction. Line ends
 * and the tab stay; who shows one line splits the text first.
 *
 * @example
 * ```ts
 * import assert from 'node:assert';
 * import { printable } from '@chat/protocol/lines';
 *
 * assert.equal(printable('\u001b[2Jhello'), '\uFFFD[2Jhello'); // would have cleared the screen
 * ```
 */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, '\uFFFD');
}

/** Whether a line of text ends at this unit of UTF-16; see `LINE_ENDS`. */
function isLineEnd(unit: number): boolean {
  if (unit < 0x80) return unit >= LF && unit <= CR;
  return unit === 0x85 || unit === 0x2028 || unit === 0x2029;
}
