import { encodePreface } from '@chat/protocol/frames';
import { describe, expect, it } from 'vitest';
import { type DialectName, detectDialect } from '../../../src/connection/detect/detect-dialect.js';
import { seeded } from '../../support/seeded.js';

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

/** The dialect, and after how many bytes it is known. */
function detect(bytes: Uint8Array, tls = false): readonly [DialectName | undefined, number] {
  for (let count = 0; count <= bytes.length; count++) {
    const dialect = detectDialect(bytes.subarray(0, count), tls);
    if (dialect) return [dialect, count];
  }
  return [undefined, bytes.length];
}

describe('detectDialect', () => {
  it.each([
    ['the preface', encodePreface(), 'binary', 1],
    ['a request', text('GET / HTTP/1.1\r\n'), 'http', 4],
    ['the longest method', text('OPTIONS * HTTP/1.1\r\n'), 'http', 8],
    ['HTTP/2 without a request', text('PRI * HTTP/2.0\r\n'), 'http', 4],
    ['a name', text('ada\n'), 'line', 1],
    ['a name like a method', text('GETRUDE\n'), 'line', 4],
    ['a name that is a method', text('GET\n'), 'line', 4],
    ['USERNAME:', text('USERNAME: ada\n'), 'line', 1],
    ['a small letter', text('get / HTTP/1.1\r\n'), 'line', 1],
    ['an empty line', text('\n'), 'line', 1],
    ['a NUL', Uint8Array.of(0), 'stray', 1],
    ['a remote desktop', Uint8Array.of(0x03, 0, 0, 0x13), 'stray', 1],
  ] as const)('knows %s byte by byte', (_what, bytes, dialect, after) => {
    expect(detect(bytes)).toEqual([dialect, after]);
  });

  it('takes 16 as TLS only where there is a certificate', () => {
    const hello = Uint8Array.of(0x16, 0x03, 0x01);
    expect(detect(hello, true)).toEqual(['tls', 1]);
    expect(detect(hello, false)).toEqual(['stray', 1]);
  });

  it('waits while it may still become HTTP', () => {
    expect(detect(text('DELETE'))).toEqual([undefined, 6]);
    expect(detectDialect(new Uint8Array(0), false)).toBeUndefined();
  });

  it('has decided after eight bytes, whatever they are', () => {
    const random = seeded(7);
    for (let i = 0; i < 2000; i++) {
      const bytes = random.bytes(8);
      if (random.below(2)) bytes.set(text('OPTIONS').subarray(0, random.below(8)));
      expect(detectDialect(bytes, random.below(2) === 1)).toBeDefined();
    }
  });
});
