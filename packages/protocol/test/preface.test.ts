import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ProtocolErrorCode } from '../src/errors.js';
import { decodePreface, encodePreface, PREFACE_BYTES, PREFACE_FIRST_BYTE } from '../src/preface.js';
import { holds } from './support/holds.js';

describe('decodePreface', () => {
  it('answers undefined while bytes are missing', () => {
    const preface = encodePreface();
    for (let bytes = 0; bytes < PREFACE_BYTES; bytes++) {
      expect(decodePreface(preface.subarray(0, bytes))).toBeUndefined();
    }
  });

  it('reads any version, whatever follows', () => {
    holds(
      fc.property(fc.integer({ min: 1, max: 255 }), fc.uint8Array(), (version, rest) => {
        expect(decodePreface(Uint8Array.of(...encodePreface(version), ...rest))).toBe(version);
      }),
    );
  });

  it('refuses anything else at its first byte that differs', () => {
    holds(
      fc.property(fc.nat({ max: 6 }), fc.integer({ min: 1, max: 255 }), (position, difference) => {
        const bytes = encodePreface().subarray(0, position + 1);
        bytes[position]! ^= difference;
        expect(() => decodePreface(bytes)).toThrow(
          expect.objectContaining({ code: ProtocolErrorCode.BadPreface }),
        );
      }),
    );
  });

  it('begins with a byte that begins neither UTF-8, nor HTTP, nor TLS', () => {
    expect(() =>
      new TextDecoder('utf-8', { fatal: true }).decode(Uint8Array.of(PREFACE_FIRST_BYTE)),
    ).toThrow();
    expect(PREFACE_FIRST_BYTE).toBeGreaterThan(0x7f);
    expect(PREFACE_FIRST_BYTE).not.toBe(0x16);
  });
});

describe('encodePreface', () => {
  it.each([0, 256, 1.5, -1, Number.NaN])('refuses version %d', (version) => {
    expect(() => encodePreface(version)).toThrow(RangeError);
  });
});
