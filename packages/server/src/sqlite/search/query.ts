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
/** A shorter begin is taken for a word: too much begins with it. */
const MIN_PREFIX_UNITS = 2;

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
    terms.push({ words, isPrefix });
    if (terms.length === MAX_TERMS) break;
  }
  return terms;
}

/** The terms in the language of FTS5, as words of its column `body`. */
export function matchOf(terms: readonly Term[]): string {
  return terms
    .map(({ words, isPrefix }) => `(body : "${words.join(' ')}"${isPrefix ? ' *' : ''})`)
    .join(' AND ');
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
