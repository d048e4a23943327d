import { describe, expect, it } from 'vitest';
import { LineCharset } from '../../src/options/line-charset.js';

describe('LineCharset', () => {
  it.each([
    ['windows-1252', 'Straße, 5 €, naïve – “ça”'],
    ['cp1255', 'שלום, מה שלומך? ₪'],
    ['windows-1256', 'السلام عليكم'],
    ['koi8-r', 'Привет, Ёж'],
    ['iso-8859-8', 'שלום'],
    ['windows-874', 'สวัสดี'],
    ['shift_jis', 'こんにちは、世界 ｱ ~'],
    ['gbk', '你好，世界 €'],
    ['gb18030', '你好，世界'],
    ['big5', '你好，世界'],
    ['euc-kr', '안녕하세요'],
    ['euc-jp', 'こんにちは'],
  ])('writes what it reads in %s', (label, text) => {
    const charset = new LineCharset(label);
    const bytes = charset.encode(text);
    expect(charset.decode(bytes)).toBe(text);
    expect(bytes.length).toBeLessThan(Buffer.byteLength(text));
    expect(charset.decode(charset.encode('ada: hi\n'))).toBe('ada: hi\n');
  });

  it('composes what was decomposed, and has a question mark for each character that it lacks', () => {
    const charset = new LineCharset('windows-1252');
    expect(charset.encode('e\u0301 ש 🎈')).toEqual(Buffer.from([0xe9, 0x20, 0x3f, 0x20, 0x3f]));
    // Some versions of Node read these as Latin-1.
    expect(charset.encode('€–Ÿ')).toEqual(Buffer.from([0x80, 0x96, 0x9f]));
    expect(charset.decode(Uint8Array.of(0x80, 0x96, 0x9f, 0x81))).toBe('€–Ÿ\u0081');
  });

  it('has the bytes of every single-byte charset', () => {
    for (const label of [
      'windows-1250',
      'windows-1251',
      'windows-1253',
      'iso-8859-15',
      'ibm866',
      'macintosh',
    ]) {
      const charset = new LineCharset(label);
      for (let byte = 0x80; byte < 256; byte++) {
        const text = charset.decode(Uint8Array.of(byte));
        if (text === '\uFFFD' || text.normalize('NFC') !== text) continue;
        expect(charset.encode(text)).toEqual(Buffer.of(byte));
      }
    }
  });

  it('knows where FF is a letter', () => {
    const letters = ['windows-1251', 'windows-1252', 'koi8-r'].map(
      (label) => new LineCharset(label).ffIsText,
    );
    expect(letters).toEqual([true, true, true]);
    expect(['windows-1255', 'utf-8', 'euc-kr'].map((label) => new LineCharset(label).ffIsText)).toEqual([
      false,
      false,
      false,
    ]);
  });

  it.each(['klingon', '', 'utf-16le', 'iso-2022-jp'])('refuses %j', (label) => {
    expect(() => new LineCharset(label)).toThrow(RangeError);
  });
});
