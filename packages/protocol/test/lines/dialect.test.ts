import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  formatMessageLines,
  formatNoticeLine,
  isQuitLine,
  parsePasswordLine,
  parseUserNameLine,
  printable,
} from '../../src/lines/dialect.js';
import { holds } from '../support/holds.js';

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

describe('parsePasswordLine', () => {
  it.each([
    ['PASSWORD:secret', 'secret'],
    ['\uFEFF \tpassword: a b ', 'a b'],
    ['Password:PASSWORD:x', 'PASSWORD:x'],
    ['PASSWORD:', ''],
    ['PASSWORD', undefined],
    ['my PASSWORD: secret', undefined],
    ['PASSWORDS: secret', undefined],
    ['', undefined],
  ])('reads the password of %j', (line, password) => {
    expect(parsePasswordLine(line)).toBe(password);
  });
});

describe('isQuitLine', () => {
  it.each(['/quit', '/QUIT', '/Quit', '/quit ', '/quit \t '])('takes %j for leave', (line) => {
    expect(isQuitLine(line)).toBe(true);
  });

  it.each(['/quit smoking', ' /quit', '/quitter', 'quit', '/exit', ''])('takes %j for a message', (line) => {
    expect(isQuitLine(line)).toBe(false);
  });
});

describe('formatMessageLines', () => {
  it('puts the name before each line of the text, whatever ends it', () => {
    for (const end of ['\n', '\r\n', '\r', '\v', '\f', '\u0085', '\u2028', '\u2029']) {
      expect(formatMessageLines('ada', `hi${end}bob: me too`)).toBe('ada: hi\nada: bob: me too\n');
    }
  });

  it('makes one empty line of several, and as many lines of a text as are wanted', () => {
    expect(formatMessageLines('ada', '\n'.repeat(65_000))).toBe('ada: \n');
    expect(formatMessageLines('ada', 'a\n\n\r\n\nb\n')).toBe('ada: a\nada: \nada: b\nada: \n');
    expect(formatMessageLines('ada', 'a\nb\nc', 3)).toBe('ada: a\nada: b\nada: c\n');
    expect(formatMessageLines('ada', 'a\nb\nc', 2)).toBe('ada: a\nada: b\nada: … 1 more line\n');
    const lines = formatMessageLines('ada', `${'a\n'.repeat(64_999)}a`).split('\n');
    expect(lines).toHaveLength(102);
    expect(lines.at(-2)).toBe('ada: … 64,900 more lines');
  });

  it('lets through no line and no control of somebody else', () => {
    holds(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
        const out = formatMessageLines('ada', text);
        expect(out).toMatch(/^(ada: [^\n]*\n)+$/);
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
