import { describe, expect, it } from 'vitest';
import { findTerms, matchOf, parseQuery } from '../../../src/sqlite/search/query.js';
import { snippetOf } from '../../../src/sqlite/search/snippet.js';
import { wordsOf } from '../../../src/sqlite/search/words.js';

const read = (query: string): string => matchOf(parseQuery(query));

describe('parseQuery', () => {
  it.each([
    ['hello World', '(body : "hello") AND (body : "world")'],
    ['"hello world" again', '(body : "hello") AND (body : "world") AND (body : "again")'],
    ['"not closed', '(body : "not") AND (body : "closed")'],
    ['hel*', '(body : "hel" *)'],
    ['hell*', '(body : "hel" *)'],
    ['helloworld* example.organic*', '(body : "hello" *) AND (body : "example") AND (body : "organ" *)'],
    ['word Word word* "word" word*', '(body : "word") AND (body : "wor" *)'],
    ['h*', '(body : "h")'],
    ['東京*', '(body : "東") AND (body : "京")'],
    ['example.org/path', '(body : "example") AND (body : "org") AND (body : "path")'],
    [
      'NEAR(a b) OR body : c NOT d',
      '(body : "near") AND (body : "a") AND (body : "b") AND (body : "or") AND (body : "body") AND (body : "c") AND (body : "not") AND (body : "d")',
    ],
    [
      '-x ^y "a""b" {z} \'; DROP',
      '(body : "x") AND (body : "y") AND (body : "a") AND (body : "b") AND (body : "z") AND (body : "drop")',
    ],
    ['* "" !', ''],
  ])('%s', (query, expected) => {
    expect(read(query)).toBe(expected);
  });

  it('asks the index for no more than sixteen words, and finds phrases of more', () => {
    const phrase = Array.from({ length: 20 }, (_, i) => `w${i}`).join(' ');
    expect(read(`"${phrase}"`).split(' AND ')).toHaveLength(16);
    expect(findTerms(parseQuery(`"${phrase}"`), wordsOf(phrase))).toHaveLength(20);
  });

  it('looks for no more than sixteen terms', () => {
    expect(parseQuery(Array.from({ length: 100 }, (_, i) => `a${i}`).join(' '))).toHaveLength(16);
  });
});

describe('findTerms', () => {
  const find = (query: string, text: string) =>
    findTerms(parseQuery(query), wordsOf(text))?.map(({ start }) => start);

  it('wants every term, phrases in their order, and begins of words', () => {
    expect(find('two one', 'one two one')).toEqual([0, 4, 8]);
    expect(find('"two one"', 'one two one')).toEqual([4, 8]);
    expect(find('"one one"', 'one two one')).toBeUndefined();
    expect(find('tw*', 'one two one')).toEqual([4]);
    expect(find('three', 'one two one')).toBeUndefined();
  });
});

describe('snippetOf', () => {
  const cut = (query: string, text: string) => {
    const { snippet, marks } = snippetOf(text, findTerms(parseQuery(query), wordsOf(text))!);
    return { snippet, marked: marks.map(([from, to]) => snippet.slice(from, to)) };
  };

  it('marks the words in a short text', () => {
    expect(cut('crème', 'La CRÈME de la creme')).toEqual({
      snippet: 'La CRÈME de la creme',
      marked: ['CRÈME', 'creme'],
    });
    expect(cut('東京', '私は東京に行く')).toEqual({ snippet: '私は東京に行く', marked: ['東京'] });
  });

  it('cuts a long text around the first of them, between characters', () => {
    const text = `${'🎈'.repeat(200)} needle ${'🎈'.repeat(200)}`;
    const { snippet, marked } = cut('needle', text);
    expect(marked).toEqual(['needle']);
    expect(snippet).toMatch(/^…🎈+ needle 🎈+…$/u);
    expect(snippet.length).toBeLessThan(210);
  });
});
