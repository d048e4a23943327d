import { describe, expect, it } from 'vitest';
import { judge } from './verdict.js';

const reference = { fast: { ratio: 10, tolerance: 0.4 } };

describe('judge', () => {
  it.each([
    [10, 'ok'],
    [6, 'ok'],
    [5.9, 'slower'],
    [16, 'ok'],
    [17, 'faster'],
    [Number.NaN, 'not measured'],
  ])('calls %d of 10, with a tolerance of 0.4, %s', (measured, outcome) => {
    expect(judge(reference, { fast: measured })[0]).toMatchObject({ least: 6, outcome });
  });

  it('names what is only on one side', () => {
    expect(judge(reference, { other: 1 }).map(({ name, outcome }) => [name, outcome])).toEqual([
      ['fast', 'not measured'],
      ['other', 'new'],
    ]);
  });
});
