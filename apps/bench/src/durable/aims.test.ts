/** Aims against figures: what is met and what is missed, and that a figure which is missing is not met. */
import { describe, expect, it } from 'vitest';
import { aimsOf } from './aims.js';
import type { DurableFigures, PublishFigure } from './benchmark.js';

const spread = (median: number) => ({ median, min: median, max: median });

function publish(name: string, window: number, perSecond: number, cpuNs: number): PublishFigure {
  return {
    name,
    window,
    messagesPerSecond: spread(perSecond),
    cpuNsPerMessage: spread(cpuNs),
    group: undefined,
    commitMs: name === 'bare SQLite' ? 2 : undefined,
    lost: 0,
  };
}

const NONE: DurableFigures = {
  fanout: undefined,
  publish: [],
  pages: [],
  starts: [],
  remarks: [],
  failures: [],
  otherWork: 0,
};

const verdicts = (figures: Partial<DurableFigures>) =>
  aimsOf({ ...NONE, ...figures }).map(({ isMet, found }) => [isMet, Number(found.toFixed(2))]);

describe('the aims', () => {
  it('are none where nothing was measured', () => {
    expect(aimsOf(NONE)).toEqual([]);
  });

  it('hold publishes against the bare loop, and against others by rate and by CPU time', () => {
    const figures = [
      publish('chat (disk)', 256, 700, 10),
      publish('bare SQLite', 256, 1000, 5),
      publish('Redis Streams', 256, 350, 8),
    ];
    expect(verdicts({ publish: figures })).toEqual([
      [true, 0.7],
      [true, 2],
      [false, 0.8],
    ]);
  });

  it('hold pages, the start and the growth of memory against bounds', () => {
    const pages = [
      { room: 'dense', pagesPerSecond: spread(1999), cpuMsPerPage: undefined, empty: 0 },
      { room: 'sparse', pagesPerSecond: spread(10), cpuMsPerPage: undefined, empty: 0 },
    ];
    const starts = [
      { messages: 10, readyMs: spread(100), residentBytes: 0 },
      { messages: 100, readyMs: spread(3000), residentBytes: 16 * 1_048_576 },
    ];
    expect(verdicts({ pages, starts })).toEqual([
      [false, 1999],
      [true, 3000],
      [true, 16],
    ]);
  });

  it('are missed where there is no figure', () => {
    const [ours, theirs] = [publish('chat (disk)', 1, 5, 1), publish('Redis Streams', 1, 5, 1)];
    const without = { ...theirs, cpuNsPerMessage: undefined };
    expect(aimsOf({ ...NONE, publish: [ours, without] }).map(({ isMet }) => isMet)).toEqual([true, false]);
  });
});
