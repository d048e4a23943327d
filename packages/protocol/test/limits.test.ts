import { describe, expect, it } from 'vitest';
import * as limits from '../src/limits.js';
import { readme, table } from './support/protocol-document.js';

describe('limits', () => {
  it('have the values that the README lists', () => {
    const values = limits as unknown as Record<string, unknown>;
    for (const [name, value] of table(readme, 'constant')) expect(String(values[name!])).toBe(value);
  });
});
