import { expect, it } from 'vitest';
import { crc32, crc32ByTable } from '../../../src/sqlite/file/crc32.js';

it('has the check value of the standard, with and without help of the runtime', () => {
  for (const sum of [crc32, crc32ByTable]) {
    expect(sum('123456789')).toBe(0xcbf43926);
    expect(sum(new Uint8Array(0))).toBe(0);
    expect(sum('6789', sum('12345'))).toBe(0xcbf43926);
  }
});
