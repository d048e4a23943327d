import { describe, expect, it } from 'vitest';
import { calmLogLine } from '../../src/log/calm-log-line.js';

describe('calmLogLine', () => {
  it('replaces what a terminal obeys, written as it is or as an escape, and keeps the JSON', () => {
    const message = 'a\u001B[2J\u009B31m\u007F\u202Eb\\u001b\n    at c';
    const line = calmLogLine(`${JSON.stringify({ err: { message } })}\n`);
    expect(JSON.parse(line)).toEqual({
      err: { message: 'a\uFFFD[2J\uFFFD31m\uFFFD\uFFFDb\\u001b\n    at c' },
    });
    expect(line.endsWith('}\n')).toBe(true);
  });
});
