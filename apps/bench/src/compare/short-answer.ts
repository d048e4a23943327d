/**
 * The short answer: what the whole report comes down to, in a few sentences. Which ones is decided by its own figures,
 * so that no run says of itself what another one has found.
 */
import { formatNs, formatNumber } from '../units.js';
import type { CompareReport } from './figures.js';
import { lineOf, type Rank, rankRoundTrips } from './ranking.js';

/** Empty when no round trip of shared memory can be set against one of a Unix socket. */
export function shortAnswer(report: CompareReport): string {
  const polled = lineOf(report, 'shm-channel-polled');
  const woken = lineOf(report, 'shm-channel');
  const unix = lineOf(report, 'unix');
  const p50 = (row: typeof unix): string => formatNs(row?.roundTrip?.summary.p50Ns);
  const awake = rankRoundTrips(report, polled, unix);
  const asleep = rankRoundTrips(report, woken, unix);
  return [
    ofPolling(awake, p50(polled), p50(unix)),
    ofSleeping(asleep, p50(woken), p50(unix)),
    conclusion(awake, asleep),
  ]
    .filter((sentence) => sentence !== '')
    .join(' ');
}

function ofPolling(rank: Rank, polled: string, unix: string): string {
  const figures = `a round trip of ${polled} while they poll, against ${unix} over a Unix socket`;
  switch (rank.verdict) {
    case 'ahead':
      return `Shared memory is ${formatNumber(rank.times)} times as fast as long as both sides stay awake: ${figures}, at the price of a core each.`;
    case 'behind':
      return `In this run shared memory was slower even with both sides awake: ${figures}.`;
    case 'close':
      return `In this run shared memory was neither faster nor slower with both sides awake: ${figures}.`;
    case 'too-busy':
      return `This run was too busy to tell what shared memory gains with both sides awake: ${rank.why}. It measured ${figures}.`;
    case 'unknown':
      return '';
  }
}

function ofSleeping(rank: Rank, woken: string, unix: string): string {
  switch (rank.verdict) {
    case 'ahead':
      return `When they sleep between messages it took ${woken}, and the socket ${formatNumber(rank.times)} times as long: ${unix}.`;
    case 'behind':
      return `When they sleep between messages it takes ${woken}, ${formatNumber(rank.times)} times the ${unix} of the socket, since it is a socket that wakes them.`;
    case 'close':
      return `When they sleep between messages it takes as long as the socket, ${woken} and ${unix}, since it is a socket that wakes them.`;
    case 'too-busy':
      return `With both asleep between messages the run measured ${woken}, against ${unix} of the socket, and was too busy to tell which is less.`;
    case 'unknown':
      return '';
  }
}

/** Only what both comparisons say together. */
function conclusion(awake: Rank, asleep: Rank): string {
  if (awake.verdict !== 'ahead') return '';
  if (asleep.verdict === 'ahead')
    return 'So: on one machine shared memory was ahead; sockets reach the others.';
  return 'So: shared memory between programs of one machine that are busy with each other, sockets for everything else.';
}
