import { describe, expect, it } from 'vitest';
import { bucketOf } from '../../../src/limits/addresses/shared-bucket.js';
import { SharedCounts } from '../../support/shared-counts.js';

const RATE = { perSecond: 10, burst: 20 };

function bucketsOf(count: number) {
  const table = new SharedCounts();
  const parts = Array.from({ length: count }, () => table.part());
  return parts.map((part) => ({ part, bucket: bucketOf(RATE, 0, part.open('messages', 'a')) }));
}

describe('SharedBucket', () => {
  it('charges what was used at another server, and gives back as much as one bucket', () => {
    const [one, other] = bucketsOf(2);
    one!.bucket.charge(0, 15);
    other!.bucket.charge(0, 15);
    expect([one, other].map((shared) => shared!.bucket.debtMs(20))).toEqual([980, 980]);
    expect([one, other].map((shared) => shared!.bucket.debtMs(1000))).toEqual([0, 0]);
    expect(one!.bucket.isFull(2999)).toBe(false);
    expect(one!.bucket.isFull(3000)).toBe(true);
  });

  it('begins with what was used, but not in debt', () => {
    const [one, other] = bucketsOf(2);
    one!.bucket.charge(0, 1000);
    const late = bucketOf(RATE, 0, other!.part.open('messages', 'a'));
    expect(late.debtMs(0)).toBe(0);
    late.charge(0, 1);
    expect(late.debtMs(0)).toBe(100);
  });

  it('is not charged again, and gets nothing back, when another server has ended', () => {
    const [one, other] = bucketsOf(2);
    one!.bucket.charge(0, 30);
    expect(other!.bucket.debtMs(20)).toBe(1000);
    one!.part.clear();
    expect(other!.bucket.debtMs(100)).toBe(920);
    one!.bucket.charge(100, 5);
    expect(other!.bucket.debtMs(200)).toBe(1320);
  });
});
