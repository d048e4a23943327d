import { describe, expect, it } from 'vitest';
import { beginCompletion, completedLine, stepCompletion } from '../../../src/screen/state/completion.js';

const VOCABULARY = { names: ['bob', 'Bert', 'Ada Lovelace'], rooms: ['lobby', 'random'] };

/** What pressing Tab so often makes of `line`, the cursor at `|`. */
function tabs(line: string, times = 1, direction: -1 | 1 = 1): string | undefined {
  const input = { text: line.replace('|', ''), cursor: line.includes('|') ? line.indexOf('|') : line.length };
  let completion = beginCompletion(input, VOCABULARY, direction);
  if (completion === undefined) return undefined;
  for (let more = 1; more < times; more++) completion = stepCompletion(completion, direction);
  const { text, cursor } = completedLine(input, completion);
  return `${text.slice(0, cursor)}|${text.slice(cursor)}`;
}

describe('completion', () => {
  it('addresses whoever is named first on a line', () => {
    expect(tabs('bo')).toBe('bob: |');
    expect(tabs('hello be')).toBe('hello Bert |');
  });

  it('goes round, in both directions', () => {
    expect(tabs('b')).toBe('bob: |');
    expect(tabs('b', 2)).toBe('Bert: |');
    expect(tabs('b', 3)).toBe('bob: |');
    expect(tabs('b', 1, -1)).toBe('Bert: |');
  });

  it('completes commands, and what they are about', () => {
    expect(tabs('/jo')).toBe('/join |');
    expect(tabs('/join ra')).toBe('/join random |');
    expect(tabs('/msg be')).toBe('/msg Bert |');
    expect(tabs('/msg ad')).toBe('/msg "Ada Lovelace" |');
  });

  it('keeps what stands behind the cursor', () => {
    expect(tabs('hello bo| there')).toBe('hello bob |there');
  });

  it('does nothing where nothing fits', () => {
    expect(tabs('xyz')).toBeUndefined();
    expect(tabs('')).toBeUndefined();
  });
});
