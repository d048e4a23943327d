/** No sentence of a report says more than its figures: made-up reports of every kind, and what is said of each. */
import { describe, expect, it } from 'vitest';
import { samplePair, sampleReport } from '../../../test/support/sample-report.js';
import type { PairFigure } from '../../pairs/benchmark.js';
import type { CompareReport } from '../figures.js';
import { renderMarkdown } from '../page/markdown.js';
import { renderPage } from '../page/page.js';
import { drawPictures } from '../pictures/pictures.js';
import { formatCompareReport } from '../terminal.js';
import { lineOf, rankRoundTrips, tooBusy } from './ranking.js';
import { designRows, shortAnswer, userRows } from './sentences.js';
import { findWarnings } from './warnings.js';

interface Times {
  readonly polled?: number;
  readonly woken?: number;
  readonly unix?: number;
  readonly tcp?: number;
}

/** A report with these round trips in nanoseconds; what is not named is not measured. */
function reportOf(
  times: Times,
  polling: Partial<PairFigure> = {},
  over: Partial<CompareReport> = {},
): CompareReport {
  const { polled, woken, unix, tcp } = times;
  const shared = { family: 'shared memory' } as const;
  const line = (id: string, title: string, ns: number | undefined, more: Partial<PairFigure> = {}) =>
    ns === undefined ? [] : [samplePair(id, title, ns, more)];
  return sampleReport({
    transports: [
      ...line('shm-channel-polled', 'channel (polled)', polled, {
        ...shared,
        polls: true,
        coreShare: 0.99,
        ...polling,
      }),
      ...line('shm-channel', 'channel (doorbell)', woken, shared),
      ...line('unix', 'Unix socket', unix),
      ...line('tcp', 'TCP', tcp),
    ],
    ...over,
  });
}

const QUIET: Times = { polled: 500, woken: 30_000, unix: 20_000, tcp: 25_000 };
const { machine } = sampleReport();

/** Runs that cannot rank a line that polls, and why. */
const BUSY: readonly (readonly [string, CompareReport, string])[] = [
  [
    'an end of which got half a core',
    reportOf({ ...QUIET, polled: 8_100_000, unix: 163_000 }, { coreShare: 0.5 }),
    'polling takes two cores, and an end got 50 % of its own',
  ],
  [
    'on a machine with one core',
    reportOf(QUIET, { coreShare: undefined }, { machine: { ...machine, cores: 1 } }),
    'polling takes two cores, and this machine has one',
  ],
  [
    'beside other programs, in a report from before shares were measured',
    reportOf(QUIET, { coreShare: undefined }, { otherWork: 0.4 }),
    'other programs used up to 40 % of the machine',
  ],
  [
    'that was fast beside other programs all the same',
    reportOf(QUIET, {}, { otherWork: 0.4 }),
    'other programs used up to 40 % of the machine',
  ],
];

/** Everything that a report says in words. */
function wordsOf(report: CompareReport): string {
  const around = { pictures: drawPictures(report), earlier: undefined, toRoot: '' };
  return [renderMarkdown(report, around), renderPage(report, around), formatCompareReport(report)].join('\n');
}

describe('a quiet run', () => {
  it('says that polling is fast, that sleeping is not, and what follows', () => {
    const report = reportOf(QUIET);
    expect(findWarnings(report)).toEqual([]);
    expect(shortAnswer(report)).toBe(
      'Shared memory is 40 times as fast as long as both sides stay awake: a round trip of 500 ns while they poll, against 20 µs over a Unix socket, at the price of a core each. ' +
        'When they sleep between messages it takes 30 µs, 1.5 times the 20 µs of the socket, since it is a socket that wakes them. ' +
        'So: shared memory between programs of one machine that are busy with each other, sockets for everything else.',
    );
    const [, speed, , , use] = userRows(report);
    expect(speed!.sharedMemory).toContain('polled it was 50 times as fast as TCP');
    expect(use!.sharedMemory).toContain('in microseconds');
    expect(drawPictures(report)[0]!.sentence).toContain(
      'The fastest line, channel (polled), takes 500 ns; TCP takes 25 µs, 50 times',
    );
  });

  it('says the contrary where it measured the contrary', () => {
    const report = reportOf({ polled: 50_000, woken: 10_000, unix: 20_000, tcp: 25_000 });
    const answer = shortAnswer(report);
    expect(answer).toContain(
      'In this run shared memory was slower even with both sides awake: a round trip of 50 µs',
    );
    expect(answer).toContain('it took 10 µs, and the socket 2 times as long: 20 µs');
    expect(answer).not.toMatch(/So:|fast/);
    expect(userRows(report)[1]!.sharedMemory).toContain('polled it took 2 times as long as TCP in this run');
    expect(drawPictures(report)[0]!.sentence).toContain('The fastest line, channel (doorbell), takes 10 µs');
  });

  it('concludes that shared memory was ahead in both where it was', () => {
    expect(shortAnswer(reportOf({ ...QUIET, woken: 10_000 }))).toMatch(
      /So: on one machine shared memory was ahead; /,
    );
  });

  it('ranks nothing whose rounds overlap', () => {
    const report = reportOf({ polled: 20_500, woken: 21_000, unix: 20_000, tcp: 20_300 });
    const answer = shortAnswer(report);
    expect(answer).toContain('neither faster nor slower with both sides awake');
    expect(answer).toContain('it takes as long as the socket, 21 µs and 20 µs');
    expect(answer).not.toMatch(/So:|times/);
    expect(userRows(report)[1]!.sharedMemory).toContain('neither faster nor slower than TCP in this run');
    expect(drawPictures(report)[0]!.sentence).toContain('TCP, with 20.3 µs, is too close to call');
  });
});

describe('a run', () => {
  it.each(BUSY)('%s, ranks no line that polls, and says why', (_name, report, why) => {
    expect(tooBusy(report, lineOf(report, 'shm-channel-polled')!)).toBe(why);
    const answer = shortAnswer(report);
    expect(answer).toContain(
      `This run was too busy to tell what shared memory gains with both sides awake: ${why}.`,
    );
    expect(answer).not.toMatch(/So:|as fast/);
    const [, speed, , , use] = userRows(report);
    expect(speed!.sharedMemory).toContain(`this run was too busy to tell which is faster: ${why}`);
    expect(use!.sharedMemory).not.toContain('microseconds');
    expect(designRows(report).find(({ aspect }) => aspect === 'choose it when')!.sharedMemory).not.toContain(
      'micro',
    );
    const words = wordsOf(report);
    expect(words).not.toMatch(
      /fastest line, channel \(polled\)|[0-9] times as fast|millions of messages.*microseconds/,
    );
    expect(findWarnings(report)).not.toEqual([]);
  });

  it('with one busy core still ranks the lines that sleep', () => {
    const report = reportOf(QUIET, { coreShare: 0.5 });
    expect(shortAnswer(report)).toContain('it takes 30 µs, 1.5 times the 20 µs of the socket');
    expect(drawPictures(report)[0]!.sentence).toContain('(all but 1) the fastest, Unix socket, takes 20 µs');
    expect(findWarnings(report)).toEqual([
      'The latencies of lines that poll say little in this run: channel (polled) (polling takes two cores, and an end got 50 % of its own).',
    ]);
  });

  it.each<[string, Times]>([
    ['nothing', {}],
    ['no socket', { polled: 500, woken: 30_000 }],
    ['sockets alone', { unix: 20_000, tcp: 25_000 }],
  ])('that measured %s compares nothing', (_name, times) => {
    const report = reportOf(times);
    expect(shortAnswer(report)).toBe('');
    expect(userRows(report)[1]!.sharedMemory).toContain('not measured together with TCP');
    expect(rankRoundTrips(report, lineOf(report, 'shm-channel'), lineOf(report, 'unix'))).toEqual({
      verdict: 'unknown',
    });
    expect(() => wordsOf(report)).not.toThrow();
  });

  it('that measured only polling, or only sleeping, says what it can', () => {
    expect(shortAnswer(reportOf({ polled: 500, unix: 20_000 }))).toMatch(
      /^Shared memory is 40 times .* So: /,
    );
    expect(shortAnswer(reportOf({ woken: 30_000, unix: 20_000 }))).toMatch(
      /^When they sleep .* wakes them\.$/,
    );
  });
});
