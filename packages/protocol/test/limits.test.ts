import { describe, expect, it } from 'vitest';
import * as limits from '../src/limits.js';
import { readme, table } from './support/protocol-document.js';

describe('limits', () => {
  it('have the values that the README lists', () => {
    const values = limits as unknown as Record<string, unknown>;
    for (const [name, value] of table(readme, 'constant')) expect(String(values[name!])).toBe(value);
  });

  it('accepts maxFrameBytes at both bounds and nothing beyond', () => {
    for (const value of [4096, 65_536, 268_435_456])
      expect(() => limits.assertMaxFrameBytes(value)).not.toThrow();
    for (const value of [4095, 268_435_457, 5000.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => limits.assertMaxFrameBytes(value)).toThrow(RangeError);
    }
  });
});
