import { describe, expect, it } from 'vitest';
import { calmText, excerpt, isOnlyEmoji } from '../../src/text/calm-text.js';

describe('calmText', () => {
  it('leaves alone what people write', () => {
    for (const text of ['naïve café', 'שלום \u200Fעולם', 'นี้ที่ปู่', 'Việt Nam', '👩‍👩‍👧‍👦 🏳️‍🌈', 'a\tb\nc', '']) {
      expect(calmText(text)).toBe(text);
    }
  });

  it('shows overrides of the direction instead of obeying them', () => {
    expect(calmText('photo\u202Egnp.exe\u202C')).toBe('photo\uFFFDgnp.exe\u202C');
    expect(calmText('\u202Da\u202A+49 30\u202C')).toBe('\uFFFDa\u202A+49 30\u202C');
  });

  it('shows controls instead of obeying them, and makes line ends one kind', () => {
    expect(calmText('a\u001B[31mb\u0007\u0085')).toBe('a\uFFFD[31mb\uFFFD\uFFFD');
    expect(calmText('a\r\nb\rc')).toBe('a\nb\nc');
  });

  it('cuts piles of accents', () => {
    const pile = '\u0301\u0316'.repeat(50);
    expect(calmText(`z${pile}x`)).toBe(`z${pile.slice(0, 5)}x`);
  });
});

describe('isOnlyEmoji', () => {
  it('knows a few emoji from text', () => {
    for (const text of ['🎉', '🎉🎉 🎉', '👩‍👩‍👧‍👦', '🇩🇪', '❤️']) expect(isOnlyEmoji(text)).toBe(true);
    for (const text of ['', ' ', '1', '#', 'a🎉', '🎉'.repeat(20)]) expect(isOnlyEmoji(text)).toBe(false);
  });
});

describe('excerpt', () => {
  it('is nothing for what is short', () => {
    expect(excerpt('word '.repeat(100))).toBeUndefined();
    expect(excerpt('line\n'.repeat(15))).toBeUndefined();
  });

  it('cuts what is long, in characters or in lines', () => {
    expect(excerpt('x'.repeat(60_000))?.length).toBe(900);
    expect(excerpt('a line of some words\n'.repeat(40))?.split('\n')).toHaveLength(16);
  });

  it('does not cut a character in two', () => {
    expect(excerpt(`x${'😀'.repeat(5000)}`)).toMatch(/^x(😀)+$/u);
  });
});
