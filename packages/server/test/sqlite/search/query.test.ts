import { describe, expect, it } from 'vitest';
import { findTerms, matchOf, parseQuery } from '../../../src/sqlite/search/query.js';
import { snippetOf } from '../../../src/sqlite/search/snippet.js';
import { wordsOf } from '../../../src/sqlite/search/words.js';

const read = (query: string): string => matchOf(parseQuery(query));

describe('parseQuery', () => {
  it.each([
    ['hello World', '(body : "hello") AND (body : "world")'],
    ['"hello world" again', '(body : "hello world") AND (body : "again")'],
    ['"not closed', '(body : "not closed")'],
    ['hel*', '(body : "hel" *)'],
    ['h*', '(body : "h")'],
    ['東京*', '(body : "東 京")'],
    ['example.org/path', '(body : "example org path")'],
    [
      'NEAR(a b) OR body : c NOT d',
      '(body : "near a") AND (body : "b") AND (body : "or") AND (body : "body") AND (body : "c") AND (body : "not") AND (body : "d")',
    ],
    [
      '-x ^y "a""b" {z} \'; DROP',
      '(body : "x") AND (body : "y") AND (body : "a") AND (body : "b") AND (body : "z") AND (body : "drop")',
    ],
    ['* "" !', ''],
  ])('%s', (query, expected) => {
    expect(read(query)).toBe(expected);
  });

  it('looks for no more than sixteen terms', () => {
    expect(parseQuery('a '.repeat(100))).toHaveLength(16);
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
