import { describe, expect, it } from 'vitest';
import { TokenBucket } from '../../src/limits/token-bucket.js';

/** How many units are taken at `now`. */
function take(bucket: TokenBucket, now: number, tries = 1000): number {
  let taken = 0;
  while (taken < tries && bucket.tryCharge(now)) taken++;
  return taken;
}

describe('TokenBucket', () => {
  it('takes the burst without debt, as much again in debt, and then nothing', () => {
    const bucket = new TokenBucket({ perSecond: 10, burst: 20 }, 0);
    expect(take(bucket, 0, 20)).toBe(20);
    expect(bucket.debtMs(0)).toBe(0);
    expect(take(bucket, 0)).toBe(20);
    expect(bucket.debtMs(0)).toBe(2000);
    expect(bucket.tryCharge(0)).toBe(false);
  });

  it('pays a debt back at its rate', () => {
    const bucket = new TokenBucket({ perSecond: 10, burst: 20 }, 0);
    take(bucket, 0);
    expect(bucket.debtMs(1500)).toBe(500);
    expect(bucket.debtMs(2000)).toBe(0);
  });

  it('saves up no more than a burst', () => {
    const bucket = new TokenBucket({ perSecond: 10, burst: 20 }, 0);
    expect(take(bucket, 1_000_000)).toBe(40);
  });

  it('is not paid by a clock that goes backwards', () => {
    const bucket = new TokenBucket({ perSecond: 10, burst: 20 }, 10_000);
    take(bucket, 10_000);
    expect(bucket.tryCharge(0)).toBe(false);
    expect(bucket.debtMs(0)).toBe(2000);
  });

  it('takes everything at an infinite rate', () => {
    const bucket = new TokenBucket({ perSecond: Number.POSITIVE_INFINITY, burst: 1 }, 0);
    expect(take(bucket, 0)).toBe(1000);
    expect(bucket.debtMs(0)).toBe(0);
  });

  it('follows a rate that changes, also from none to one and back', () => {
    const rate = { perSecond: 10, burst: 20 };
    const bucket = new TokenBucket(rate, 0);
    take(bucket, 0);
    Object.assign(rate, { perSecond: Number.POSITIVE_INFINITY });
    expect(bucket.debtMs(0)).toBe(0);
    expect(take(bucket, 0)).toBe(1000);
    Object.assign(rate, { perSecond: 1, burst: 2 });
    expect(take(bucket, 0)).toBe(4);
    expect(bucket.debtMs(0)).toBe(2000);
    expect(bucket.isFull(3000)).toBe(false);
    expect(bucket.isFull(4000)).toBe(true);
  });
});
