import { describe, expect, it } from 'vitest';
import { samplePair, sampleReport } from '../../test/support/sample-report.js';
import { findChanges } from './difference.js';

describe('findChanges', () => {
  const before = sampleReport();

  it('finds nothing between a report and itself', () => {
    expect(findChanges(before, before).every(({ verdict }) => verdict === 'same')).toBe(true);
  });

  it('counts a change only where the rounds lie apart, and knows which direction is better', () => {
    const after = sampleReport({ transports: [samplePair('tcp', 'TCP', 40_000)] });
    expect(findChanges(before, after).map(({ figure, verdict }) => [figure, verdict])).toEqual([
      ['round trip p50', 'worse'],
      ['messages/s at 64 B', 'worse'],
      ['messages/s at 1024 B', 'worse'],
    ]);
    const near = sampleReport({ transports: [samplePair('tcp', 'TCP', 21_000)] });
    expect(findChanges(before, near).every(({ verdict }) => verdict === 'same')).toBe(true);
  });
});
