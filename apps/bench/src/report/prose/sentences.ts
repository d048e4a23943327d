/** Which sentences of `prose.md` a report says: chosen by its own figures. */
import type { CompareReport } from '../figures.js';
import { formatNumber } from '../units.js';
import { quotesFrom } from './quotes.js';
import { lineOf, type Rank, rankRoundTrips } from './ranking.js';
import { fill, listOf, say, tableOf } from './template.js';

/** One of the five rows in which the two are usually compared: what people say, and what this run says. */
export interface UserRow {
  readonly feature: string;
  readonly claimSockets: string;
  readonly claimSharedMemory: string;
  readonly sockets: string;
  readonly sharedMemory: string;
}

/** A row of the comparison that no stopwatch makes. It leans on figures, or on files of this repository. */
export interface DesignRow {
  readonly aspect: string;
  readonly sockets: string;
  readonly sharedMemory: string;
  /** Empty where there are none. */
  readonly figures: string;
  /** Paths from the root of the repository. */
  readonly evidence: readonly string[];
}

/** What the whole comes down to; empty when no round trip of shared memory can be set against a Unix socket. */
export function shortAnswer(report: CompareReport): string {
  const unix = lineOf(report, 'unix');
  const awake = rankRoundTrips(report, lineOf(report, 'shm-channel-polled'), unix);
  const asleep = rankRoundTrips(report, lineOf(report, 'shm-channel'), unix);
  const sentences = [
    sayRank('polling', awake, report),
    sayRank('sleeping', asleep, report),
    // Only what both comparisons say together.
    awake.verdict !== 'ahead'
      ? ''
      : say(asleep.verdict === 'ahead' ? 'conclusion ahead in both' : 'conclusion ahead while polling'),
  ];
  return sentences.filter((sentence) => sentence !== '').join(' ');
}

/** What people usually say, and measured values in the place of adjectives. */
export function userRows(report: CompareReport): UserRow[] {
  const rank = rankRoundTrips(report, lineOf(report, 'shm-channel-polled'), lineOf(report, 'tcp'));
  const speed = rank.verdict === 'unknown' ? say('speed unknown') : sayRank('speed', rank, report);
  return filledTable('users', report, { speed }).map(
    ([feature = '', claimSockets = '', claimSharedMemory = '', sockets = '', sharedMemory = '']) => ({
      feature,
      claimSockets,
      claimSharedMemory,
      sockets,
      sharedMemory,
    }),
  );
}

/** What each way can do, what it costs to understand, how it fails, and when to choose it. */
export function designRows(report: CompareReport): DesignRow[] {
  return filledTable('design', report).map(
    ([aspect = '', sockets = '', sharedMemory = '', figures = '', evidence = '']) => ({
      aspect,
      sockets,
      sharedMemory,
      figures,
      evidence: evidence.split(' ').filter((path) => path !== ''),
    }),
  );
}

/** How it was measured: one item for each thing that a reader may ask. */
export function describeMethod(report: CompareReport): string[] {
  return listOf('method').map((item) => fill(item, quotesFrom(report)));
}

/** The section about this subject for a verdict; nothing where nothing is known. */
export function sayRank(subject: string, rank: Rank, report: CompareReport): string {
  if (rank.verdict === 'unknown') return '';
  const figures = {
    ...('times' in rank && { times: formatNumber(rank.times) }),
    ...('why' in rank && { why: rank.why }),
  };
  return say(`${subject} ${rank.verdict}`, figures, quotesFrom(report));
}

function filledTable(
  heading: string,
  report: CompareReport,
  more: Readonly<Record<string, string>> = {},
): string[][] {
  const lookups = [more, quotesFrom(report)];
  return tableOf(heading).map((row) => row.map((cell) => fill(cell, ...lookups)));
}
