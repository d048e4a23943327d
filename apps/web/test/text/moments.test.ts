import { describe, expect, it } from 'vitest';
import { clockTime, dayName, isSameDay } from '../../src/text/moments.js';
import { initial, nameHue } from '../../src/text/name-mark.js';

const at = (text: string): number => new Date(text).getTime();

describe('isSameDay', () => {
  it('goes by the calendar, not by hours', () => {
    expect(isSameDay(at('2026-03-01T00:00:00'), at('2026-03-01T23:59:59'))).toBe(true);
    expect(isSameDay(at('2026-03-01T23:59:59'), at('2026-03-02T00:00:00'))).toBe(false);
    expect(isSameDay(at('2026-03-01T12:00:00'), at('2026-04-01T12:00:00'))).toBe(false);
  });
});

describe('dayName', () => {
  it('names near days by what they are', () => {
    const now = at('2026-03-10T09:00:00');
    expect(dayName(at('2026-03-10T01:00:00'), now)).toBe('Today');
    expect(dayName(at('2026-03-09T23:00:00'), now)).toBe('Yesterday');
    expect(dayName(at('2026-03-02T12:00:00'), now)).toContain('2');
    expect(dayName(at('2025-03-02T12:00:00'), now)).toContain('2025');
  });
});

describe('clockTime', () => {
  it('has hours and minutes', () => {
    expect(clockTime(at('2026-03-10T09:05:00'))).toMatch(/9:05/);
  });
});

describe('the mark of a name', () => {
  it('is the same everywhere, and a hue', () => {
    expect(nameHue('Ada')).toBe(nameHue('ada'));
    for (const name of ['Ada', 'מרים', '🎉', '']) expect(nameHue(name)).toBeGreaterThanOrEqual(0);
    for (const name of ['Ada', 'מרים', '🎉', '']) expect(nameHue(name)).toBeLessThan(360);
  });

  it('is the first letter, digit or emoji', () => {
    expect(['ada', '_x', 'מרים', '👩‍🚀 neil', '', '--'].map(initial)).toEqual([
      'A',
      'X',
      'מ',
      '👩‍🚀',
      '?',
      '?',
    ]);
  });
});
