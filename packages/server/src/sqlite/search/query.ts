/**
 * What people type into a search field: words that all have to be there, "phrases in quotes", and begin* of words. The
 * rest of FTS5's language does not come through: a term is words, which have no quotes in them.
 */
import { isCharacter, type Word, wordsOf } from './words.js';

/** Words that stand one behind the other. */
export interface Term {
  readonly words: readonly string[];
  /** The last one may go on. */
  readonly isPrefix: boolean;
}

/** More than these are not looked for. */
const MAX_TERMS = 16;
const MAX_WORDS_PER_TERM = 32;
/** The index is asked for so many words; the others are looked for in the text alone. */
const MAX_WORDS_IN_MATCH = 16;
/** A shorter begin is taken for a word: too much begins with it. */
const MIN_PREFIX_UNITS = 2;
/**
 * Lengths in characters of the begins of words that have an index of their own. A longer begin is looked for by the next
 * shorter of these, and by itself in what that finds: FTS5 would join the places of all words that begin so, for as long
 * as that takes.
 */
export const PREFIX_LENGTHS = [2, 3, 5] as const;

/** The terms of a query; none when there is no word in it. */
export function parseQuery(query: string): Term[] {
  const terms: Term[] = [];
  for (const [, phrase, word = ''] of query.matchAll(/"([^"]*)"?|([^\s"]+)/g)) {
    const words = wordsOf(phrase ?? word)
      .slice(0, MAX_WORDS_PER_TERM)
      .map(({ form }) => form);
    const last = words.at(-1);
    if (last === undefined) continue;
    const isPrefix = word.endsWith('*') && last.length >= MIN_PREFIX_UNITS && !isCharacter(last);
    const isNew = !terms.some((term) => term.isPrefix === isPrefix && isSame(term.words, words));
    if (isNew) terms.push({ words, isPrefix });
    if (terms.length === MAX_TERMS) break;
  }
  return terms;
}

/**
 * What has the terms among others, in the language of FTS5: each of their words, wherever it stands. Whether those of a
 * phrase stand together is seen in the text: FTS5 looks for the next place of a phrase through all that there is, and
 * nothing can stop it.
 */
export function matchOf(terms: readonly Term[]): string {
  const words = new Set<string>();
  for (const { words: all, isPrefix } of terms) {
    for (const word of isPrefix ? all.slice(0, -1) : all) words.add(`(body : "${word}")`);
    if (isPrefix) words.add(`(body : "${indexedBegin(all.at(-1)!)}" *)`);
  }
  return [...words].slice(0, MAX_WORDS_IN_MATCH).join(' AND ');
}

/** As much of the begin of a word as has an index. */
function indexedBegin(word: string): string {
  const characters = [...word];
  const length = PREFIX_LENGTHS.findLast((candidate) => candidate <= characters.length) ?? characters.length;
  return characters.slice(0, length).join('');
}

function isSame(words: readonly string[], others: readonly string[]): boolean {
  return words.length === others.length && words.every((word, i) => word === others[i]);
}

/** Where the terms stand among the words of a text; `undefined` when one of them does not. */
export function findTerms(terms: readonly Term[], words: readonly Word[]): Word[] | undefined {
  const found = new Set<Word>();
  for (const term of terms) {
    let isThere = false;
    for (let at = 0; at + term.words.length <= words.length; at++) {
      if (!isAt(term, words, at)) continue;
      isThere = true;
      for (let i = 0; i < term.words.length; i++) found.add(words[at + i]!);
    }
    if (!isThere) return undefined;
  }
  return [...found].sort((one, other) => one.start - other.start);
}

function isAt({ words: wanted, isPrefix }: Term, words: readonly Word[], at: number): boolean {
  return wanted.every((form, i) => {
    const word = words[at + i]!.form;
    return isPrefix && i === wanted.length - 1 ? word.startsWith(form) : word === form;
  });
}
