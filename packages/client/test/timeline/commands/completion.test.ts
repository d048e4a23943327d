import { expect, it } from 'vitest';
import { completionsFor } from '../../../src/timeline/index.js';

const VOCABULARY = { names: ['bob', 'Bert', 'Ada Lovelace'], rooms: ['lobby', 'random'] };

it.each([
  ['', '/JO', ['/join ']],
  ['/join ', 'ra', ['random ']],
  ['/mute ', 'b', ['bob ', 'Bert ']],
  ['/msg ', '"ada', ['"Ada Lovelace" ']],
  ['', 'be', ['Bert: ']],
  ['hello ', 'be', ['Bert ']],
  ['hello ', '@be', ['@Bert ']],
  ['', '@ada', ['@Ada Lovelace ']],
  ['hello ', '', []],
  ['hello ', '/jo', []],
])('after %j completes %j to %j', (before, word, words) => {
  expect(completionsFor(before, word, VOCABULARY)).toEqual(words);
});
