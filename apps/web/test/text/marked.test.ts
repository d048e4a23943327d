import { describe, expect, it } from 'vitest';
import { splitMarks } from '../../src/text/marked.js';

const pieces = (...args: Parameters<typeof splitMarks>) =>
  splitMarks(...args).map(({ text, isMarked }) => (isMarked ? `<${text}>` : text));

describe('splitMarks', () => {
  it('gives all of the text, with what is marked by itself', () => {
    expect(pieces('the quick fox', [[4, 9]])).toEqual(['the ', '<quick>', ' fox']);
    expect(pieces('fox', [[0, 3]])).toEqual(['<fox>']);
    expect(pieces('fox', [])).toEqual(['fox']);
    expect(pieces('', [])).toEqual([]);
  });

  it('is not led astray by marks that overlap or lie outside', () => {
    expect(
      pieces('abcdef', [
        [1, 4],
        [2, 3],
        [3, 99],
      ]),
    ).toEqual(['a', '<bcd>', '<ef>']);
  });

  it('is one line of calm text', () => {
    expect(pieces('a\nb\u202ec\u0000', [[2, 3]])).toEqual(['a ', '<b>', '\ufffdc\ufffd']);
  });
});
