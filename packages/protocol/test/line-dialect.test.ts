import * as fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { ProtocolError, ProtocolErrorCode } from '../src/errors.js';
import {
  formatMessageLines,
  formatNoticeLine,
  LineDecoder,
  parseUserNameLine,
  printable,
} from '../src/line-dialect.js';
import { encodeUtf8 } from '../src/utf8.js';
import { cutAt, cutEvery, cutPoints } from './support/cuts.js';
import { holds } from './support/holds.js';

function linesOf(chunks: readonly Uint8Array[], decoder = new LineDecoder()): string[] {
  const lines: string[] = [];
  const read = (line: string | undefined): boolean => line !== undefined && lines.push(line) > 0;
  for (const chunk of chunks) {
    decoder.push(chunk);
    while (read(decoder.next()));
  }
  while (read(decoder.flush()));
  return lines;
}

const line = fc.string({ unit: 'binary', maxLength: 30 }).map((text) => text.replace(/\n|\r$/g, ''));

describe('LineDecoder', () => {
  it('gives back any lines through any cut, with either line end', () => {
    holds(
      fc.property(fc.array(fc.tuple(line, fc.constantFrom('\n', '\r\n'))), cutPoints, (lines, points) => {
        const bytes = encodeUtf8(lines.map(([text, end]) => text.replace(/\r$/, '') + end).join(''));
        const expected = lines.map(([text]) => text.replace(/\r$/, ''));
        expect(linesOf(cutAt(bytes, points))).toEqual(expected);
        expect(linesOf(cutEvery(bytes, 1))).toEqual(expected);
      }),
    );
  });

  it('yields nothing until the line is ended, and the rest at the end of the stream', () => {
    const decoder = new LineDecoder();
    decoder.push(encodeUtf8('ada\nhel'));
    expect([decoder.next(), decoder.next()]).toEqual(['ada', undefined]);
    decoder.push(encodeUtf8('lo'));
    expect(decoder.next()).toBeUndefined();
    expect(decoder.pendingBytes).toBe(5);
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

  it.each(['\n', '\r\n'])(
    'accepts a line of exactly maxLineBytes before %j and refuses one byte more',
    (end) => {
      for (const size of [1, 3, 100]) {
        const fits = cutEvery(encodeUtf8('a'.repeat(10) + end), size);
        expect(linesOf(fits, new LineDecoder({ maxLineBytes: 10 }))).toEqual(['a'.repeat(10)]);
        const exceeds = cutEvery(encodeUtf8('a'.repeat(11) + end), size);
        expect(() => linesOf(exceeds, new LineDecoder({ maxLineBytes: 10 }))).toThrow(
          expect.objectContaining({ code: ProtocolErrorCode.LineTooLong }),
        );
      }
    },
  );

  it('refuses a line that never ends once it exceeds the limit, and holds no more than that', () => {
    const decoder = new LineDecoder({ maxLineBytes: 100 });
    expect(() => {
      for (;;) {
        decoder.push(new Uint8Array(7).fill(0x61));
        decoder.next();
        expect(decoder.pendingBytes).toBeLessThanOrEqual(101);
      }
    }).toThrow(expect.objectContaining({ code: ProtocolErrorCode.LineTooLong }));
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

  it('answers garbage with lines or a coded error, and is poisoned then', () => {
    holds(
      fc.property(fc.uint8Array({ maxLength: 200 }), cutPoints, (garbage, points) => {
        const decoder = new LineDecoder({ maxLineBytes: 50 });
        try {
          linesOf(cutAt(garbage, points), decoder);
        } catch (error) {
          expect(ProtocolError.is(error)).toBe(true);
          expect(() => decoder.next()).toThrow(error as Error);
          expect(() => decoder.flush()).toThrow(error as Error);
          expect(() => decoder.push(new Uint8Array(1))).toThrow(error as Error);
        }
      }),
    );
  });

  it.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])('refuses maxLineBytes %d', (maxLineBytes) => {
    expect(() => new LineDecoder({ maxLineBytes })).toThrow(RangeError);
  });
});

describe('parseUserNameLine', () => {
  it.each([
    ['ada', 'ada'],
    ['USERNAME:ada', 'ada'],
    ['username:  ada ', 'ada'],
    ['\uFEFFUSERNAME: ada', 'ada'],
    ['', ''],
    ['ada USERNAME:', 'ada USERNAME:'],
  ])('reads the name of %j', (text, name) => {
    expect(parseUserNameLine(text)).toBe(name);
  });
});

describe('formatMessageLines', () => {
  it('puts the name before each line of the text, whatever ends it', () => {
    for (const end of ['\n', '\r\n', '\r', '\v', '\f', '\u0085', '\u2028', '\u2029']) {
      expect(formatMessageLines('ada', `hi${end}bob: me too`)).toBe('ada: hi\nada: bob: me too\n');
    }
  });

  it('lets through no line and no control of somebody else', () => {
    holds(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
        const out = formatMessageLines('ada', text);
        expect(out.endsWith('\n')).toBe(true);
        for (const each of out.slice(0, -1).split('\n')) expect(each).toMatch(/^ada: /);
        expect(out.replaceAll('\n', '')).not.toMatch(
          /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/,
        );
      }),
    );
  });

  it('disarms a terminal sequence and a direction override, and keeps tabs and emoji', () => {
    expect(formatMessageLines('ada', '\u001b[2J\u202Eevil\t👩‍🚀')).toBe('ada: \uFFFD[2J\uFFFDevil\t👩‍🚀\n');
  });
});

describe('formatNoticeLine', () => {
  it('makes one line of any text', () => {
    expect(formatNoticeLine('ada has\r\njoined\n*** bob')).toBe('*** ada has joined *** bob\n');
  });
});

describe('printable', () => {
  it('replaces controls but line ends and tabs', () => {
    expect(printable('a\u0007b\tc\r\n\u009b')).toBe('a\uFFFDb\tc\r\n\uFFFD');
  });
});
