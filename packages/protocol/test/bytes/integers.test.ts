import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as integers from '../../src/bytes/integers.js';
import { holds } from '../support/holds.js';

describe('integers', () => {
  it.each([
    [2, integers.writeU16, integers.readU16],
    [4, integers.writeU32, integers.readU32],
    [6, integers.writeU48, integers.readU48],
  ] as const)('reads the integers of %d bytes that it writes, little-endian', (bytes, write, read) => {
    holds(
      fc.property(
        fc.oneof(fc.nat({ max: 2 ** (8 * bytes) - 1 }), fc.constant(2 ** (8 * bytes) - 1)),
        (value) => {
          const target = new Uint8Array(bytes + 2);
          write(target, 1, value);
          expect(read(target, 1)).toBe(value);
          const view = Buffer.from(target.buffer, 1, bytes);
          expect(view.readUIntLE(0, bytes)).toBe(value);
          expect([target[0], target[bytes + 1]]).toEqual([0, 0]);
        },
      ),
    );
  });

  it('have the largest values of their size', () => {
    expect(integers.MAX_U32).toBe(2 ** 32 - 1);
    expect(integers.MAX_U48).toBe(2 ** 48 - 1);
  });
});
