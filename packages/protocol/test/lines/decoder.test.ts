import * as fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { encodeUtf8 } from '../../src/bytes/utf8.js';
import { type ProtocolError, ProtocolErrorCode } from '../../src/errors.js';
import { LineDecoder } from '../../src/lines/decoder.js';
import { cutAt, cutEvery, cutPoints } from '../support/cuts.js';
import { holds } from '../support/holds.js';

/** All lines; one that was refused as its message. */
function linesOf(chunks: readonly Uint8Array[], decoder: LineDecoder = new LineDecoder()): string[] {
  const lines: string[] = [];
  const read = (move: () => string | undefined): boolean => {
    try {
      const line = move();
      return line !== undefined && lines.push(line) > 0;
    } catch (error) {
      return lines.push((error as ProtocolError).message) > 0;
    }
  };
  for (const chunk of chunks) {
    decoder.push(chunk);
    while (read(() => decoder.next()));
  }
  while (read(() => decoder.flush()));
  return lines;
}

function bytesOf(...parts: readonly (string | readonly number[])[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...(typeof part === 'string' ? encodeUtf8(part) : part)]));
}

const line = fc.string({ unit: 'binary', maxLength: 30 }).map((text) => text.replace(/[\r\n\0]/g, ''));

describe('LineDecoder', () => {
  it('gives back any lines through any cut, whatever ends them', () => {
    const end = fc.constantFrom('\n', '\r\n', '\r\0', '\0');
    holds(
      fc.property(fc.array(fc.tuple(line, end)), cutPoints, (lines, points) => {
        const bytes = encodeUtf8(lines.map(([text, ended]) => text + ended).join(''));
        const expected = lines.map(([text]) => text);
        expect(linesOf(cutAt(bytes, points))).toEqual(expected);
        expect(linesOf(cutEvery(bytes, 1))).toEqual(expected);
      }),
    );
  });

  it('ends a line at a carriage return at once, and takes what belongs to it later', () => {
    const decoder = new LineDecoder();
    decoder.push(encodeUtf8('ada\r'));
    expect([decoder.next(), decoder.next(), decoder.isWithinLine]).toEqual(['ada', undefined, false]);
    decoder.push(encodeUtf8('\nhi\rho\r\r\n'));
    expect([decoder.next(), decoder.next(), decoder.next(), decoder.next()]).toEqual([
      'hi',
      'ho',
      '',
      undefined,
    ]);
  });

  it('yields nothing until the line is ended, and the rest at the end of the stream', () => {
    const decoder = new LineDecoder();
    decoder.push(encodeUtf8('ada\nhel'));
    expect([decoder.next(), decoder.next()]).toEqual(['ada', undefined]);
    decoder.push(encodeUtf8('lo'));
    expect(decoder.next()).toBeUndefined();
    expect([decoder.pendingBytes, decoder.isWithinLine]).toEqual([5, true]);
    expect([decoder.flush(), decoder.flush(), decoder.pendingBytes]).toEqual(['hello', undefined, 0]);
  });

  it('flushes the lines that were not read before the end', () => {
    const decoder = new LineDecoder();
    decoder.push(encodeUtf8('a\nb\nc'));
    expect([decoder.flush(), decoder.flush(), decoder.flush(), decoder.flush()]).toEqual([
      'a',
      'b',
      'c',
      undefined,
    ]);
  });

  it.each(['\n', '\r\n', '\0'])(
    'takes a line of maxLineBytes before %j, refuses one byte more, and goes on',
    (end) => {
      for (const size of [1, 3, 100]) {
        const bytes = bytesOf('a'.repeat(10), end, 'b'.repeat(11), end, 'c'.repeat(1000), end, 'd', end);
        const lines = linesOf(cutEvery(bytes, size), new LineDecoder({ maxLineBytes: 10 }));
        expect(lines).toEqual([
          'a'.repeat(10),
          expect.stringMatching(/^line of \d+ bytes or more exceeds maxLineBytes 10$/),
          expect.stringMatching(/^line of \d+ bytes or more exceeds maxLineBytes 10$/),
          'd',
        ]);
      }
    },
  );

  it('tells of a line that never ends once, and holds no more than the limit', () => {
    const decoder = new LineDecoder({ maxLineBytes: 100 });
    const errors: unknown[] = [];
    for (let i = 0; i < 1000; i++) {
      decoder.push(new Uint8Array(7).fill(0x61));
      try {
        expect(decoder.next()).toBeUndefined();
      } catch (error) {
        errors.push(error);
      }
      expect(decoder.pendingBytes).toBeLessThanOrEqual(100);
    }
    expect(errors).toEqual([expect.objectContaining({ code: ProtocolErrorCode.LineTooLong })]);
    expect(decoder.isWithinLine).toBe(true);
    // Silence ends it as well as a line end.
    expect(decoder.flush()).toBeUndefined();
    decoder.push(encodeUtf8('b\n'));
    expect(decoder.next()).toBe('b');
  });

  it('copies each byte a bounded number of times when they come one by one', () => {
    const set = vi.spyOn(Uint8Array.prototype, 'set');
    try {
      const bytes = new Uint8Array(16_384).fill(0x61);
      expect(linesOf(cutEvery(bytes, 1))).toHaveLength(1);
      const copied = set.mock.calls.reduce((sum, [source]) => sum + source.length, 0);
      expect(copied).toBeGreaterThan(bytes.length);
      expect(copied).toBeLessThan(3 * bytes.length);
    } finally {
      set.mockRestore();
    }
  });

  it('shows bytes that are not UTF-8 as U+FFFD, and hands them over as they are', () => {
    expect(linesOf([bytesOf('caf', [0xe9], '\nok\n')])).toEqual(['caf\uFFFD', 'ok']);
    const decoder = new LineDecoder();
    decoder.push(bytesOf('caf', [0xe9], '\nre', [0xe9]));
    expect([decoder.nextBytes(), decoder.nextBytes()]).toEqual([bytesOf('caf', [0xe9]), undefined]);
    expect([decoder.flushBytes(), decoder.flushBytes()]).toEqual([bytesOf('re', [0xe9]), undefined]);
  });

  it('answers garbage with lines or a coded error, in any cut with the same', () => {
    holds(
      fc.property(fc.uint8Array({ maxLength: 200 }), cutPoints, (garbage, points) => {
        const decoder = (): LineDecoder => new LineDecoder({ maxLineBytes: 50 });
        const isLine = (text: string): boolean => !text.startsWith('line of ');
        const lines = linesOf(cutAt(garbage, points), decoder());
        expect(lines.filter(isLine)).toEqual(linesOf([garbage], decoder()).filter(isLine));
      }),
    );
  });

  it.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])('refuses maxLineBytes %d', (maxLineBytes) => {
    expect(() => new LineDecoder({ maxLineBytes })).toThrow(RangeError);
  });
});

describe('LineDecoder, with Telnet', () => {
  it('takes commands, options and subnegotiations out, in any cut', () => {
    const bytes = bytesOf(
      [0xff, 0xfb, 0x1f, 0xff, 0xfa, 0x18, 0x00, 0x0a, 0xff, 0xff, 0x0d, 0xff, 0xf0],
      'a',
      [0xff, 0xf6],
      'da\r',
      [0xff, 0xfd, 0x0a],
      '\0hi',
      [0xff, 0xf4, 0xff, 0xfe, 0x00, 0xff, 0xff],
      '\r\n',
    );
    for (let size = 1; size <= bytes.length; size++) {
      expect(linesOf(cutEvery(bytes, size))).toEqual(['ada', 'hi']);
    }
  });

  it('tells of timing marks that want an answer', () => {
    const decoder = new LineDecoder();
    for (const chunk of cutEvery(bytesOf([0xff, 0xf4, 0xff, 0xfd, 0x06, 0xff, 0xfd, 0x01]), 1)) {
      decoder.push(chunk);
    }
    expect([decoder.takeTimingMarks(), decoder.takeTimingMarks()]).toEqual([1, 0]);
  });

  it('loses no line end behind FF, and little to a subnegotiation without end', () => {
    expect(linesOf([bytesOf('a', [0xff], '\nb\n')])).toEqual(['a\uFFFD', 'b']);
    expect(linesOf([bytesOf([0xff, 0xfa], 'x'.repeat(1000), '\nb\n')]).at(-1)).toBe('b');
  });

  it('reads FF as a letter where the charset has one, but in a stream that begins with a command', () => {
    const read = (bytes: Uint8Array): Uint8Array[] =>
      [1, 2, 100].map((size) => {
        const decoder = new LineDecoder({ ffIsText: true });
        const text: number[] = [];
        for (const chunk of cutEvery(bytes, size)) {
          decoder.push(chunk);
          text.push(...(decoder.nextBytes() ?? []));
        }
        return Uint8Array.from(text);
      });
    const letters = bytesOf('a', [0xff, 0xfe, 0xf2, 0xff, 0xff], '\n');
    expect(read(letters)).toEqual(Array(3).fill(letters.subarray(0, -1)));
    const telnet = bytesOf([0xff, 0xfb, 0x01], 'a', [0xff, 0xff, 0xff, 0xf1], '\n');
    expect(read(telnet)).toEqual(Array(3).fill(bytesOf('a', [0xff])));
  });
});
