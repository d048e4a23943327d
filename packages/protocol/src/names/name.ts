/**
 * Which names users and rooms may have, and which spellings are one name.
 *
 * A name is checked in two forms: as it is written, and after NFKC, since others may read it either way. So a full-width
 * colon is a colon here. Letters that look alike are not known here: their table (Unicode UTS 39) is larger than this
 * whole package, and the server, which decides, has it.
 *
 * Nothing is made when this module is loaded: engines that lack a property of Unicode can still load the package.
 */

import { encodeUtf8 } from '../bytes/utf8.js';
import { MAX_NAME_BYTES } from '../limits.js';

/** Why a name is refused, as a sentence; `undefined` when it is fine. */
export type NameProblem = string | undefined;

/** What is searched for in a name. */
interface Patterns {
  readonly control: RegExp;
  readonly invisible: RegExp;
  readonly misplacedJoiner: RegExp;
  readonly pile: RegExp;
  readonly letter: RegExp;
  readonly ignorable: RegExp;
}

const JOINERS_AND_SELECTORS = '\\u200C\\u200D\\uFE00-\\uFE0F';
// Behind these a joiner is part of an emoji (family, profession) or of a word in Arabic and Indic scripts; else it hides.
const JOINED =
  '\\p{Extended_Pictographic}\\p{Emoji_Modifier}\\uFE0F' +
  ['Arab', 'Deva', 'Beng', 'Mlym', 'Sinh', 'Taml', 'Telu', 'Knda', 'Gujr']
    .map((script) => `\\p{sc=${script}}`)
    .join('');

let known: Patterns | undefined;

function patterns(): Patterns {
  known ??= tryCompile() ?? plainPatterns();
  return known;
}

/** From strings, not literals: a literal that the engine does not know would keep the module from being loaded. */
function tryCompile(): Patterns | undefined {
  const compile = (source: string, flags = 'u'): RegExp => new RegExp(source, flags);
  try {
    return {
      control: compile('[\\p{Cc}\\p{Cs}\\p{Co}\\p{Cn}]'),
      // What Unicode draws as nothing (zero width, direction marks, fillers, tags), annotation marks, the blank braille
      // cell: they change how a name looks, or hide that it differs. Joiners and selectors are looked at by themselves.
      invisible: compile(
        `(?![${JOINERS_AND_SELECTORS}])[\\p{Default_Ignorable_Code_Point}\\u2028\\u2029\\u2800\\uFFF9-\\uFFFB]`,
      ),
      misplacedJoiner: compile(`(?:^|[^${JOINED}])[\\u200C\\u200D]|[\\u200C\\u200D]$`),
      // A pile of marks on one letter ("zalgo") spills over the lines above and below.
      pile: compile('[\\p{Mn}\\p{Me}]{4}'),
      letter: compile('[\\p{L}\\p{N}\\p{Extended_Pictographic}\\p{Regional_Indicator}]'),
      ignorable: compile('\\p{Default_Ignorable_Code_Point}', 'gu'),
    };
  } catch {
    return undefined;
  }
}

/** For engines without properties of Unicode. They let more pass; the server has the last word. */
function plainPatterns(): Patterns {
  return {
    control: /[\u0000-\u001F\u007F-\u009F\uE000-\uF8FF]|[\uD800-\uDBFF](?![\uDC00-\uDFFF])/,
    invisible:
      // biome-ignore lint/suspicious/noMisleadingCharacterClass: single code points are meant here.
      /[\u00AD\u034F\u061C\u115F\u1160\u180E\u200B\u200E\u200F\u2028-\u202E\u2060-\u206F\u2800\u3164\uFEFF]/,
    misplacedJoiner: /^[\u200C\u200D]|[\u200C\u200D]$/,
    pile: /[\u0300-\u036F]{4}/,
    letter: /[0-9A-Za-z\u00AA-\uFFFD]/,
    ignorable: new RegExp(`[${JOINERS_AND_SELECTORS}]`, 'g'),
  };
}

/**
 * Checks a user name. Colons and a leading `* / # @ <` are refused because lines of text use them as marks.
 *
 * @example
 * ```ts
 * import assert from 'node:assert';
 * import { userNameProblem } from '@chat/protocol';
 *
 * assert.equal(userNameProblem('ada lovelace'), undefined); // may be used
 * assert.equal(typeof userNameProblem('ada: admin'), 'string'); // a sentence for the user
 * ```
 */
export function userNameProblem(name: string): NameProblem {
  return commonProblem(name) ?? markProblem(name, userMarks);
}

/**
 * Checks a room name: as a user name, but without any space or comma; colons are fine, and `#` may begin it.
 *
 * @example
 * ```ts
 * import assert from 'node:assert';
 * import { roomNameProblem } from '@chat/protocol';
 *
 * assert.equal(roomNameProblem('#help'), undefined);
 * assert.equal(roomNameProblem('doc:42'), undefined);
 * assert.equal(typeof roomNameProblem('two words'), 'string'); // a sentence for the user
 * ```
 */
export function roomNameProblem(room: string): NameProblem {
  return commonProblem(room) ?? markProblem(room, roomMarks);
}

/**
 * The spelling under which a name is compared: compatible forms (NFKD), upper and lower case, and what is not drawn
 * make no difference. A server also compares how names look, which needs the tables of Unicode UTS 39.
 *
 * @example
 * ```ts
 * import assert from 'node:assert';
 * import { nameKey } from '@chat/protocol';
 *
 * assert.equal(nameKey('Ada'), nameKey('ada'));
 * assert.equal(nameKey('ａｄａ'), nameKey('ada')); // full width
 * ```
 */
export function nameKey(name: string): string {
  // Through upper case, so that the two small sigmas of Greek are one; from lower case, since the capital ẞ has another one.
  const visible = name.normalize('NFKD').replace(patterns().ignorable, '');
  return visible.toLowerCase().toUpperCase().toLowerCase().normalize('NFKD').normalize('NFC');
}

function commonProblem(name: string): NameProblem {
  if (typeof name !== 'string' || name.length === 0) return 'a name must not be empty';
  // Before anything that costs time in proportion to the length.
  if (name.length > MAX_NAME_BYTES) return `a name must not exceed ${MAX_NAME_BYTES} bytes`;
  const { control, invisible, misplacedJoiner, pile, letter } = patterns();
  if (control.test(name)) return 'a name must not have control or unassigned characters';
  if (invisible.test(name)) return 'a name must not have invisible or direction-changing characters';
  if (misplacedJoiner.test(name)) return 'a name must not have invisible joiners';
  if (name !== name.trim()) return 'a name must not begin or end with a space';
  if (/\s\s|[^\S ]/.test(name)) return 'a name may have single plain spaces only';
  const bytes = encodeUtf8(name).length;
  if (bytes > MAX_NAME_BYTES) return `a name of ${bytes} bytes exceeds ${MAX_NAME_BYTES}`;
  if (pile.test(name.normalize('NFD'))) return 'a name must not stack combining marks';
  if (!letter.test(name)) return 'a name must have a letter, a digit or an emoji';
  return undefined;
}

/** Looks for marks in both forms of a name: a character may normalise to a mark that it does not look like. */
function markProblem(name: string, find: (form: string) => NameProblem): NameProblem {
  return find(name) ?? find(name.normalize('NFKC'));
}

function userMarks(form: string): NameProblem {
  if (form.includes(':')) return 'a name must not have a colon';
  if (/^[*/#@<]/.test(form)) return `a name must not begin with ${form[0]}`;
  return undefined;
}

function roomMarks(form: string): NameProblem {
  if (/[\s,]/.test(form)) return 'a room name must not have spaces or commas';
  if (/^[*/@<]/.test(form)) return `a room name must not begin with ${form[0]}`;
  return undefined;
}
