import { describe, expect, it } from 'vitest';
import { formatBytes, formatCount, formatNs, formatNumber } from './units.js';

describe('units', () => {
  it.each([
    [0, '0'],
    [52.14, '52.1'],
    [0.2549, '0.255'],
    [1234, '1234'],
    [30, '30'],
    [Number.NaN, 'n/a'],
  ])('formats %d with three significant digits', (value, text) => {
    expect(formatNumber(value)).toBe(text);
  });

  it.each([
    [12, '12'],
    [343_210, '343 k'],
    [999_600, '1 M'],
    [52_100_000, '52.1 M'],
    [undefined, 'n/a'],
  ])('formats the count %s', (value, text) => {
    expect(formatCount(value)).toBe(text);
  });

  it.each([
    [310, '310 ns'],
    [999.7, '1 µs'],
    [184_200, '184 µs'],
    [2_500_000, '2.5 ms'],
    [1_200_000_000, '1.2 s'],
  ])('formats %d nanoseconds', (value, text) => {
    expect(formatNs(value)).toBe(text);
  });

  it.each([
    [64, '64 B'],
    [8000, '7.81 KiB'],
    [1_048_576, '1 MiB'],
  ])('formats %d bytes', (value, text) => {
    expect(formatBytes(value)).toBe(text);
  });
});
