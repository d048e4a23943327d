/**
 * Which names users and rooms may have, and when two names count as the same.
 *
 * A name is compared by its key: NFKD, lower case, and letters of other scripts that look like Latin ones
 * replaced by these, so that `pаypal` with a Cyrillic а cannot sit beside `paypal`. The table of look-alikes
 * is a small part of Unicode TS 39: what is in daily use to impersonate, not every confusable there is.
 */
import { MAX_NAME_BYTES, MAX_NAME_GRAPHEMES } from './limits.js';
import { encodeUtf8 } from './utf8.js';

/** Why a name is refused, as a sentence; `undefined` when it is fine. */
export type NameProblem = string | undefined;

// Cyrillic, Greek, Armenian and Latin letters that most fonts draw like the ASCII letter they stand for.
const LOOK_ALIKES: ReadonlyMap<string, string> = new Map(
  Object.entries({
    a: 'аαɑ',
    b: 'ьƅ',
    c: 'сϲ',
    d: 'ԁ',
    e: 'еҽ',
    g: 'ɡց',
    h: 'һհ',
    i: 'іιıɩ',
    j: 'јϳ',
    k: 'кκ',
    l: 'ӏ1|',
    m: 'м',
    n: 'ո',
    o: 'оοσօ0',
    p: 'рρ',
    q: 'ԛ',
    s: 'ѕ',
    t: 'тτ',
    u: 'υս',
    v: 'νѵ',
    w: 'ѡԝ',
    x: 'хχ',
    y: 'уγү',
  }).flatMap(([latin, others]) => [...others].map((other) => [other, latin] as const)),
);

// What Unicode draws as nothing (zero width, direction marks, fillers, tags), annotation marks, the blank braille
// cell: they change how a name looks, or hide that it differs. Joiners and selectors are looked at by themselves.
const INVISIBLE =
  // biome-ignore lint/suspicious/noMisleadingCharacterClass: single code points are meant here.
  /(?![\u200C\u200D\uFE00-\uFE0F])[\p{Default_Ignorable_Code_Point}\u2028\u2029\u2800\uFFF9-\uFFFB]/u;
const CONTROL = /[\p{Cc}\p{Cs}\p{Co}\p{Cn}]/u;
// A joiner is part of an emoji (family, profession) or of a word in Arabic and Indic scripts; else it hides.
const MISPLACED_JOINER =
  // biome-ignore lint/suspicious/noMisleadingCharacterClass: single code points are meant here.
  /(?<![\p{Extended_Pictographic}\p{Emoji_Modifier}\uFE0F\p{sc=Arab}\p{sc=Deva}\p{sc=Beng}\p{sc=Mlym}\p{sc=Sinh}\p{sc=Taml}\p{sc=Telu}\p{sc=Knda}\p{sc=Gujr}])[\u200C\u200D]|[\u200C\u200D]$/u;
// biome-ignore lint/suspicious/noMisleadingCharacterClass: single code points are meant here.
const JOINERS_AND_SELECTORS = /[\u200C\u200D\uFE00-\uFE0F]/gu;

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** Checks a user name. Colons and a leading `* / # @ <` are refused because lines of text use them as marks. */
export function userNameProblem(name: string): NameProblem {
  const problem = commonProblem(name);
  if (problem) return problem;
  if (name.includes(':')) return 'a name must not have a colon';
  if (/^[*/#@<]/.test(name)) return `a name must not begin with ${name[0]}`;
  return undefined;
}

/** Checks a room name: as a user name, but without any space, and `#` may begin it. */
export function roomNameProblem(room: string): NameProblem {
  const problem = commonProblem(room);
  if (problem) return problem;
  if (/[\s:,]/u.test(room)) return 'a room name must not have spaces, colons or commas';
  if (/^[*/@<]/.test(room)) return `a room name must not begin with ${room[0]}`;
  return undefined;
}

/**
 * The form under which a name is compared. Two names with one key are the same name.
 *
 * @example
 * ```ts
 * import assert from 'node:assert';
 * import { nameKey } from '@chat/protocol';
 *
 * assert.equal(nameKey('Ada'), nameKey('ada'));
 * assert.equal(nameKey('аdа'), nameKey('ada')); // Cyrillic а
 * ```
 */
export function nameKey(name: string): string {
  // Decomposed, so that a look-alike is found below an accent too.
  const folded = name.normalize('NFKD').replace(JOINERS_AND_SELECTORS, '').toLowerCase().normalize('NFKD');
  let key = '';
  for (const character of folded) key += LOOK_ALIKES.get(character) ?? character;
  return key.normalize('NFC');
}

/** The form under which a room is found: NFKC and lower case. */
export function roomKey(room: string): string {
  return room.normalize('NFKC').toLowerCase();
}

function commonProblem(name: string): NameProblem {
  if (typeof name !== 'string' || name.length === 0) return 'a name must not be empty';
  // Before anything that costs time in proportion to the length.
  if (name.length > MAX_NAME_BYTES) return `a name must not exceed ${MAX_NAME_BYTES} bytes`;
  if (CONTROL.test(name)) return 'a name must not have control or unassigned characters';
  if (INVISIBLE.test(name)) return 'a name must not have invisible or direction-changing characters';
  if (MISPLACED_JOINER.test(name)) return 'a name must not have invisible joiners';
  if (name !== name.trim()) return 'a name must not begin or end with a space';
  if (/\s\s|[^\S ]/u.test(name)) return 'a name may have single plain spaces only';
  const bytes = encodeUtf8(name).length;
  if (bytes > MAX_NAME_BYTES) return `a name of ${bytes} bytes exceeds ${MAX_NAME_BYTES}`;
  let count = 0;
  for (const { segment } of graphemes.segment(name)) {
    // A pile of combining marks on one letter ("zalgo") spills over the lines above and below.
    if (/\p{M}{4,}/u.test(segment.normalize('NFD'))) return 'a name must not stack combining marks';
    count++;
  }
  if (count > MAX_NAME_GRAPHEMES) return `a name of ${count} characters exceeds ${MAX_NAME_GRAPHEMES}`;
  if (!/[\p{L}\p{N}\p{Extended_Pictographic}\p{Regional_Indicator}]/u.test(name)) {
    return 'a name must have a letter, a digit or an emoji';
  }
  return undefined;
}
