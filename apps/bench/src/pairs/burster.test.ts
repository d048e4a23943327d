import { describe, expect, it } from 'vitest';
import { joined, linePair, wokenPair } from '../../test/support/line-pair.js';
import { LatencyHistogram } from '../harness/latency-histogram.js';
import type { Line } from '../ways/way.js';
import { Burster } from './burster.js';

const lines: [string, () => Line][] = [
  ['that is polled', () => joined(...linePair())],
  ['that wakes the event loop', wokenPair],
];

describe.each(lines)('Burster on a line %s', (_name, open) => {
  it('floods it until the far end has the last message, again and again', async () => {
    const burster = new Burster(open());
    for (let i = 0; i < 2; i++) expect(await burster.flood(64, 100)).toBeGreaterThan(0);
  });

  it('times round trips, one after the other', async () => {
    const latency = LatencyHistogram.decode(await new Burster(open()).pingPong(64, 128));
    expect(latency.percentile(50)).toBeGreaterThan(0);
  });
});
