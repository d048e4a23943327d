import { describe, expect, it } from 'vitest';
import { formatShm } from './shm.js';

describe('formatShm', () => {
  const text = formatShm({
    rows: [
      {
        id: 'shm-ring',
        title: 'ring, polling',
        messagesPerSecond: [18.5e6, 1e7, undefined],
        p50Ns: 380,
        p99Ns: 500,
      },
      { id: 'unix', title: 'Unix socket', messagesPerSecond: [2e6, 4e5, 2e4], p50Ns: 100_000, p99Ns: 3e5 },
    ],
    log: [{ batch: 32, entriesPerSecond: { median: 13.7e6, min: 1e7, max: 15e6 } }],
    idleShare: 0.003,
    idleChannels: { channels: 400, cpuShare: 0.004, descriptors: 420 },
    fairness: [{ processes: 8, turnsPerSecond: 900, leastShare: 0.96, worstWaitMs: 9.04 }],
    otherWork: 0.5,
    failures: ['TCP: gone'],
  });

  it('sets each way beside the Unix socket of the same run', () => {
    expect(text).toContain('| ring, polling | 18.5 M (9.3×) | 10 M (25.0×) | – | 0.38 (0.00×) | 0.50 |');
    expect(text).toContain('compared with the Unix socket of the same run');
  });

  it('tells the log, the idle ones, the mutex, what failed, and that the machine was noisy', () => {
    expect(text).toContain(
      '3 reliable readers, 64 B, 32 at a time: 13.7 M entries/s read in total (best 15 M)',
    );
    expect(text).toContain('idle reader of a channel: 0.30 % of a core');
    expect(text).toContain('400 idle channels of one process: 0.40 % of a core, 420 descriptors');
    expect(text).toContain(
      'mutex, 8 processes without pause, held for 1 ms: 900 turns/s, worst wait 9.0 ms, fewest turns 0.96 of the most',
    );
    expect(text).toContain('FAILED TCP: gone');
    expect(text).toContain('up to 50 %');
  });
});
