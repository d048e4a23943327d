import { describe, expect, it } from 'vitest';
import { colourDepth, PEOPLE_256, Theme } from '../../../src/screen/view/theme.js';

const LEVELS = [0, 95, 135, 175, 215, 255];

/** Relative luminance by WCAG 2, of a colour of the 6 × 6 × 6 cube. */
function luminance(colour: number): number {
  const index = colour - 16;
  const [red, green, blue] = [Math.floor(index / 36), Math.floor(index / 6) % 6, index % 6].map((level) => {
    const value = LEVELS[level]! / 255;
    return value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

describe('PEOPLE_256', () => {
  it('has colours that are readable on black and on white', () => {
    for (const colour of PEOPLE_256) {
      expect((luminance(colour) + 0.05) / 0.05, `${colour} on black`).toBeGreaterThan(3.5);
      expect(1.05 / (luminance(colour) + 0.05), `${colour} on white`).toBeGreaterThan(3.5);
    }
  });
});

describe('Theme', () => {
  it('paints a name in one colour, however it is written', () => {
    const theme = new Theme('256');
    const codes = ['Ada', 'ada', 'ＡＤＡ'].map((person) => theme.paint([{ text: 'x', person }]));
    expect(new Set(codes).size).toBe(1);
    expect(codes[0]).toMatch(/^\u001B\[38;5;\d+mx\u001B\[0m$/);
  });

  it('lets no sequence of anybody through to the terminal', () => {
    const theme = new Theme('none');
    const painted = theme.paint([{ text: 'a\u001B[2J\u009B31mb\u009D0;owned\u009C\nc\u202Ed' }]);
    expect(painted).not.toMatch(/[\u0000-\u001F\u007F-\u009F\u202E]/);
    expect(painted).toContain('[2J');
  });

  it('spreads names over many colours', () => {
    const theme = new Theme('256');
    const names = Array.from({ length: 200 }, (_, index) => `user${index}`);
    expect(new Set(names.map((person) => theme.paint([{ text: 'x', person }]))).size).toBeGreaterThan(20);
  });

  it('has no colour when there is none, and still tells things apart', () => {
    const theme = new Theme('none');
    expect(theme.paint([{ text: 'ada', person: 'ada' }])).toBe('ada');
    expect(theme.paint([{ text: 'x', look: 'alert' }])).toBe('\u001B[1mx\u001B[0m');
    expect(theme.paint([{ text: 'x', look: 'bar' }])).toBe('\u001B[7mx\u001B[0m');
  });
});

describe('colourDepth', () => {
  it('asks the terminal, unless its owner wants no colours', () => {
    const terminal = (bits: number) => ({ getColorDepth: () => bits });
    expect(colourDepth(terminal(24), {})).toBe('256');
    expect(colourDepth(terminal(8), {})).toBe('256');
    expect(colourDepth(terminal(4), {})).toBe('16');
    expect(colourDepth(terminal(1), {})).toBe('none');
    expect(colourDepth(terminal(24), { NO_COLOR: '1' })).toBe('none');
    expect(colourDepth(terminal(24), { NO_COLOR: '' })).toBe('256');
  });
});
