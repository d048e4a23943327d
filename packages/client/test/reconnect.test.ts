import { describe, expect, it } from 'vitest';
import { reconnectDelay } from '../src/reconnect.js';

const options = {
  enabled: true,
  initial: false,
  baseDelayMs: 500,
  maxDelayMs: 30_000,
  maxAttempts: Infinity,
};

describe('reconnectDelay', () => {
  it('doubles its upper bound with each attempt, up to the cap', () => {
    const bounds = [1, 2, 3, 4, 5, 6, 7, 8, 1000].map((attempt) => reconnectDelay(attempt, options, () => 1));
    expect(bounds).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
  });

  it('spreads the delay over the whole range from zero', () => {
    expect(reconnectDelay(3, options, () => 0)).toBe(0);
    expect(reconnectDelay(3, options, () => 0.25)).toBe(500);
  });

  it('is never sooner than the server asked for', () => {
    expect(reconnectDelay(1, options, () => 0.5, 5000)).toBe(5000);
    expect(reconnectDelay(6, options, () => 1, 5000)).toBe(16_000);
  });
});
