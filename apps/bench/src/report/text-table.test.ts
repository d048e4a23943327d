import { describe, expect, it } from 'vitest';
import { formatTable } from './text-table.js';

describe('formatTable', () => {
  it('makes columns as wide as their widest cell', () => {
    const table = formatTable(
      ['name', 'µs'],
      [
        ['a', '1'],
        ['longer', '1234'],
      ],
    );
    expect(table).toBe(
      ['  name      µs', '  ------  ----', '  a          1', '  longer  1234', ''].join('\n'),
    );
  });
});
