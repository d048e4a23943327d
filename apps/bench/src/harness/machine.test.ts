import { describe, expect, it } from 'vitest';
import { parseBusy } from './machine.js';

describe('parseBusy', () => {
  it('counts everything but idle and waiting as work, and guests once', () => {
    const stat = 'cpu  100 5 50 800 20 1 4 20 100 0\ncpu0 50 2 25 400 10 0 2 10 50 0\n';
    expect(parseBusy(stat)).toEqual({ busy: 180, total: 1000 });
  });
});
