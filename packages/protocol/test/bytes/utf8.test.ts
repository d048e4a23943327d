import * as fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { decodeUtf8, encodeUtf8 } from '../../src/bytes/utf8.js';
import { ProtocolErrorCode } from '../../src/errors.js';
import { encodeFrame } from '../../src/frames/any-frame.js';
import { FrameType } from '../../src/frames/frame.js';
import { holds } from '../support/holds.js';

const frame = { type: FrameType.Response, id: 1, response: { name: 'é' } } as const;

describe('UTF-8', () => {
  it('gives back any text, a byte order mark and NUL included', () => {
    holds(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(decodeUtf8(encodeUtf8(text))).toBe(text);
      }),
    );
    expect(decodeUtf8(encodeUtf8('\uFEFFa\u0000'))).toBe('\uFEFFa\u0000');
  });

  it.each([
    ['a continuation byte alone', [0x80]],
    ['a sequence that is cut', [0xe2, 0x82]],
    ['an overlong form', [0xc0, 0xaf]],
    ['a surrogate', [0xed, 0xa0, 0x80]],
    ['a code point above U+10FFFF', [0xf4, 0x90, 0x80, 0x80]],
    ['ff', [0x61, 0xff]],
  ])('refuses %s', (_what, bytes) => {
    expect(() => decodeUtf8(Uint8Array.from(bytes))).toThrow(
      expect.objectContaining({ code: ProtocolErrorCode.InvalidUtf8 }),
    );
  });

  it('encodes ASCII of any length, and one letter beyond it', () => {
    for (const length of [0, 1, 63, 64, 65, 1000]) {
      const text = 'a\u007f'.repeat(length).slice(0, length);
      expect(encodeUtf8(text)).toEqual(new TextEncoder().encode(text));
      expect(encodeUtf8(`${text}é`)).toEqual(new TextEncoder().encode(`${text}é`));
    }
  });

  it.each([undefined, null, 7, {}, ['a']])('refuses to encode %j', (value) => {
    expect(() => encodeUtf8(value as unknown as string)).toThrow(TypeError);
  });

  it('refuses to encode half a surrogate pair', () => {
    expect(() => encodeUtf8('a\ud83d')).toThrow(TypeError);
    expect(() => encodeUtf8('\ude00a')).toThrow(TypeError);
  });

  it('loads where the engine has no TextEncoder, and says so when it is needed', async () => {
    vi.stubGlobal('TextEncoder', undefined);
    vi.stubGlobal('TextDecoder', undefined);
    vi.resetModules();
    try {
      const without = { ...(await import('../../src/index.js')), ...(await import('../../src/frames.js')) };
      expect(without.userNameProblem('ada')).toBeUndefined();
      expect(() => without.encodeFrame(frame)).toThrow(/TextEncoder is not/);
      expect(() => without.decodeFrame(encodeFrame(frame))).toThrow(/TextDecoder is not/);
    } finally {
      vi.unstubAllGlobals();
      vi.resetModules();
    }
  });
});
