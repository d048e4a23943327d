/** What every codec of this package promises. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Codec } from '../../src/codecs/codec.js';
import { ProtocolError } from '../../src/errors.js';
import { holds } from './holds.js';

export function codecContract<T>(codec: Codec<T>, values: fc.Arbitrary<T>): void {
  describe(`the contract of the ${codec.name} codec`, () => {
    it('has a tag of one byte', () => {
      expect(codec.tag).toBeGreaterThanOrEqual(0);
      expect(codec.tag).toBeLessThanOrEqual(255);
    });

    it('decodes what it encodes', () => {
      holds(
        fc.property(values, (value) => {
          expect(codec.decode(codec.encode(value))).toStrictEqual(value);
        }),
      );
    });

    it('decodes a body that is a view into a larger array', () => {
      holds(
        fc.property(values, (value) => {
          const body = codec.encode(value);
          const frame = new Uint8Array(body.length + 20).fill(0xff);
          frame.set(body, 7);
          expect(codec.decode(frame.subarray(7, 7 + body.length))).toStrictEqual(value);
        }),
      );
    });

    it('answers garbage with a value or a coded error', () => {
      holds(
        fc.property(fc.uint8Array({ maxLength: 100 }), (garbage) => {
          try {
            codec.decode(garbage);
          } catch (error) {
            if (!ProtocolError.is(error)) throw error;
            expect(error.code).toMatch(/^ERR_PROTOCOL_INVALID_(BODY|UTF8)$/);
          }
        }),
      );
    });
  });
}
