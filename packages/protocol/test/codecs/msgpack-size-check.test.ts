import { ExtData, encode } from '@msgpack/msgpack';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { announcesTooMuch } from '../../src/codecs/msgpack-size-check.js';
import { hex } from '../support/cuts.js';
import { holds } from '../support/holds.js';

describe('announcesTooMuch', () => {
  it('accepts whatever the library encodes, and refuses each of its beginnings', () => {
    const value = fc.oneof(
      fc.jsonValue(),
      fc.integer(),
      fc.double(),
      fc.float(),
      fc.uint8Array({ maxLength: 400 }),
      fc.string({ maxLength: 400 }),
      fc.array(fc.nat(), { maxLength: 30 }),
      fc.date({ noInvalidDate: true }),
      fc.uint8Array({ maxLength: 40 }).map((data) => new ExtData(5, data)),
    );
    holds(
      fc.property(fc.array(value, { maxLength: 20 }), fc.nat(), (values, cut) => {
        const body = encode(values);
        expect(announcesTooMuch(body)).toBe(false);
        expect(announcesTooMuch(body.subarray(0, cut % body.length))).toBe(true);
      }),
    );
  });

  it.each([
    ['an array of 4 G elements', 'dd ff ff ff ff 00'],
    ['an array of 65,535 elements', 'dc ff ff 00'],
    ['a map of 4 G pairs', 'df ff ff ff ff 00 00'],
    ['a map with a key and no value', '81 00'],
    ['a string of 4 GiB', 'db ff ff ff ff 61'],
    ['bytes longer than the body', 'c4 05 01'],
    ['an extension longer than the body', 'c7 03 01 00'],
    ['arrays whose sum exceeds the body', '92 93 00 00 93 00 00'],
    ['nothing', ''],
  ])('refuses %s', (_what, bytes) => {
    expect(announcesTooMuch(hex(bytes))).toBe(true);
  });

  it.each(['90', '80', 'a0', 'c0', 'c4 00', 'd4 01 00', 'c1', 'dc 00 00'])('accepts %s', (bytes) => {
    expect(announcesTooMuch(hex(bytes))).toBe(false);
  });
});
