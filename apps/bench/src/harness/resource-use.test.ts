import { describe, expect, it } from 'vitest';
import { parseCpuMs, parseRssBytes } from './resource-use.js';

describe('parseCpuMs', () => {
  it('adds user and system ticks, whatever the program is called', () => {
    const stat = '4242 (a) b (c) S 1 4242 4242 0 -1 4194560 100 0 0 0 123 45 0 0 20 0 11 0 99 1 2 3';
    expect(parseCpuMs(stat)).toBe(1680);
  });

  it('answers undefined for other text', () => {
    expect(parseCpuMs('nothing')).toBeUndefined();
  });
});

describe('parseRssBytes', () => {
  it('reads VmRSS', () => {
    expect(parseRssBytes('Name:\tnode\nVmHWM:\t   99999 kB\nVmRSS:\t   43210 kB\n')).toBe(43210 * 1024);
  });
});
