import { describe, expect, it } from 'vitest';
import {
  calmLine,
  calmLines,
  cellWidth,
  graphemes,
  keepDirection,
  truncate,
  wrap,
} from '../../../src/screen/rows/cell-text.js';

describe('calmLine', () => {
  it('leaves plain text, letters of all scripts and simple emoji as they are', () => {
    for (const text of ['hello', 'مُحَمَّد', '漢字', 'हिन्दी', '🦊 fox', '🇩🇪', 'می‌خواهم'])
      expect(calmLine(text)).toBe(text);
  });

  it('shows a sequence of emoji by its first picture, which every terminal draws alike', () => {
    expect(calmLine('👨‍👩‍👧 👍🏽 ❤️ 1️⃣ 🏳️‍🌈')).toBe('👨 👍 ❤ 1 🏳');
  });

  it('lets nothing through that a terminal obeys', () => {
    const shown = calmLine('a\u001B[2Jb\u009Bc\u0007d\u202Ee\u2066f\r\ng');
    expect(shown).toBe('a\uFFFD[2Jb\uFFFDc\uFFFDd\uFFFDe\uFFFDf g');
  });

  it('keeps a pile of marks from spilling over other rows', () => {
    expect([...calmLine(`Z${'\u0334'.repeat(40)}a`)]).toHaveLength(5);
  });
});

describe('calmLines', () => {
  it('splits at line ends of any kind, and has at least one line', () => {
    expect(calmLines('a\nb\r\n\u2028c')).toEqual(['a', 'b', '', 'c']);
    expect(calmLines('')).toEqual(['']);
  });
});

describe('cellWidth', () => {
  it('counts cells as terminals do', () => {
    const cells = { abc: 3, 漢字: 4, '🦊': 2, مُحَمَّد: 4, हिन्दी: 5, '🇩🇪': 2, é: 1 };
    for (const [text, width] of Object.entries(cells)) expect(cellWidth(text), text).toBe(width);
  });
});

describe('truncate', () => {
  it('cuts at a cell and never within a wide character', () => {
    expect(truncate('abcdef', 4)).toBe('abc…');
    expect(truncate('漢字漢字', 4)).toBe('漢…');
    expect(truncate('漢字', 4)).toBe('漢字');
    expect(truncate('abc', 0)).toBe('');
  });
});

describe('wrap', () => {
  it('wraps at spaces and breaks what is longer than a row', () => {
    expect(wrap('the quick brown fox', 10, 9)).toEqual(['the quick', 'brown fox']);
    expect(wrap('abcdefghij', 4, 9)).toEqual(['abcd', 'efgh', 'ij']);
    expect(wrap('漢字漢字漢', 4, 9)).toEqual(['漢字', '漢字', '漢']);
  });

  it('makes no row wider than it may be, and loses nothing but the spaces at which it wraps', () => {
    const text = 'one 漢字 two  مرحبا three 🦊🦊🦊 four-five-six-seven हिन्दी';
    for (let columns = 4; columns < 40; columns++) {
      const rows = wrap(text, columns, 99);
      for (const row of rows) expect(cellWidth(row), `${columns}: ${row}`).toBeLessThanOrEqual(columns);
      expect(rows.join('').replaceAll(' ', '')).toBe(text.replaceAll(' ', ''));
    }
  });

  it('does not look at what is beyond the last row', () => {
    expect(wrap('word '.repeat(100_000), 10, 3)).toHaveLength(3);
  });
});

describe('graphemes', () => {
  it('keeps an accent with its letter', () => {
    expect(graphemes('e\u0301a')).toEqual(['e\u0301', 'a']);
  });
});

describe('keepDirection', () => {
  it('puts marks around text from right to left alone', () => {
    expect(keepDirection('abc')).toBe('abc');
    expect(keepDirection('שלום')).toBe('\u200Eשלום\u200E');
  });
});
