/**
 * What counts as a word, in any script. The index and the queries are both made of these, so SQLite's own tokenizers,
 * which differ from version to version and know no words of Chinese, Japanese or Thai, have nothing to decide.
 *
 * A word is a run of letters, digits and their marks, in the form in which case, width, accents, and the vowel points of
 * Hebrew and Arabic make no difference. In scripts that write no spaces between words, each character is a word of its
 * own: a sequence of them is found as a phrase. So is each emoji.
 */

/** A word, and where it stands in the text, in UTF-16 units. */
export interface Word {
  readonly form: string;
  readonly start: number;
  readonly end: number;
}

/** Longer words are cut: nobody types them, and an index should not hold them. */
const MAX_WORD_UNITS = 64;

const UNSPACED = ['Han', 'Hiragana', 'Katakana', 'Hangul', 'Thai', 'Lao', 'Khmer', 'Myanmar']
  .map((script) => `\\p{Script=${script}}`)
  .join('');
const CHARACTER = `[${UNSPACED}\u30fc\uff70][\\p{M}\uff9e\uff9f]*`;
const RUN = `(?:(?![${UNSPACED}\u30fc\uff70])[\\p{L}\\p{N}\\p{M}\\p{Co}])+`;
const WORD = new RegExp(`${CHARACTER}|${RUN}|\\p{Extended_Pictographic}`, 'gu');

/** Accents of Latin, Greek and Cyrillic; points and cantillation of Hebrew; vowels, hamza and stretching of Arabic. */
const MARKS = /[\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06ed]/g;

/** The words of a text, in its order. */
export function wordsOf(text: string): Word[] {
  const words: Word[] = [];
  for (const { 0: raw, index: start } of text.matchAll(WORD)) {
    // Most of what is written is in its plain form already.
    if (PLAIN.test(raw)) {
      words.push({ form: raw.slice(0, MAX_WORD_UNITS), start, end: start + raw.length });
      continue;
    }
    for (const [form] of fold(raw).matchAll(WORD)) {
      words.push({ form: form.slice(0, MAX_WORD_UNITS), start, end: start + raw.length });
    }
  }
  return words;
}

const PLAIN = /^[a-z0-9]+$/;

/** The form in which two spellings of a word are one. */
function fold(word: string): string {
  const bare = word.normalize('NFKD').replace(MARKS, '');
  // By way of the capitals, "ß" and "SS" are one; "ς" is what a capital "Σ" becomes at an end.
  return bare.toUpperCase().toLowerCase().replaceAll('ς', 'σ').normalize('NFC');
}

/** Whether a word of a script without spaces: it stands for a character, and has no beginning to search by. */
export function isCharacter(form: string): boolean {
  return WHOLE_CHARACTER.test(form);
}

const WHOLE_CHARACTER = new RegExp(`^${CHARACTER}$`, 'u');
