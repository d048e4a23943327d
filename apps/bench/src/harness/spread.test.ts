import { describe, expect, it } from 'vitest';
import { median, spreadOf } from './spread.js';

describe('spreadOf', () => {
  it('takes the middle round, not the mean, so that one bad round does not count', () => {
    expect(spreadOf([10, 1000, 9])).toEqual({ median: 10, min: 9, max: 1000 });
  });

  it('sorts by value, not by text', () => {
    expect(median([100, 20, 3])).toBe(20);
  });

  it('has nothing to say about no round', () => {
    expect(spreadOf([])).toBeUndefined();
  });
});
