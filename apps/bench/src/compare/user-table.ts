/**
 * The five rows in which sockets and shared memory are usually compared, with what was measured in the place of
 * adjectives.
 */
import { formatNumber } from '../units.js';
import type { CompareReport } from './figures.js';
import { Quotes } from './quotes.js';
import { lineOf, rankRoundTrips } from './ranking.js';

/** One row: what people usually say, and what this run says. */
export interface UserRow {
  readonly feature: string;
  readonly claimSockets: string;
  readonly claimSharedMemory: string;
  readonly sockets: string;
  readonly sharedMemory: string;
}

/** Makes the rows from a report; what was not measured is said to be so. */
export function userRows(report: CompareReport): UserRow[] {
  const quotes = new Quotes(report);
  return [
    {
      feature: 'scope',
      claimSockets: 'different machines',
      claimSharedMemory: 'same machine only',
      sockets: 'any machine that can be reached: TCP, WebSocket, TLS; Unix sockets on the same one',
      sharedMemory: 'processes of one machine that see the same folder',
    },
    {
      feature: 'speed',
      claimSockets: 'slower (network)',
      claimSharedMemory: 'very fast',
      sockets: `round trip ${quotes.roundTrip('tcp')} bare, ${quotes.roundTrip('chat-tcp')} through the chat; up to ${quotes.mostMessages('tcp')}`,
      sharedMemory: `round trip ${quotes.roundTrip('shm-channel-polled')} polled, ${quotes.roundTrip('shm-channel')} woken; up to ${quotes.mostMessages('shm-channel-polled')}; ${speedVerdict(report)}`,
    },
    {
      feature: 'complexity',
      claimSockets: 'higher',
      claimSharedMemory: 'lower',
      sockets: `protocol ${quotes.code('protocol')}; server ${quotes.code('server')}; client ${quotes.code('client')}`,
      sharedMemory: `${quotes.code('shared memory')}${codeVerdict(report)}, and the order of every store to be argued`,
    },
    {
      feature: 'scalability',
      claimSockets: 'high',
      claimSharedMemory: 'limited',
      sockets: `${quotes.fanOut()}; ${quotes.memory('chat')} for an idle one`,
      sharedMemory: `${quotes.logFanOut()}; ends at the machine`,
    },
    {
      feature: 'use case',
      claimSockets: 'distributed systems',
      claimSharedMemory: 'local IPC',
      sockets: 'people and programs that come and go, anywhere; names, rooms, history, resume',
      sharedMemory: `few programs on one machine that exchange much${quotes.microseconds() ? ', or need the answer in microseconds' : ''}`,
    },
  ];
}

/** What this run says to "slower" and "very fast". */
function speedVerdict(report: CompareReport): string {
  const rank = rankRoundTrips(report, lineOf(report, 'shm-channel-polled'), lineOf(report, 'tcp'));
  switch (rank.verdict) {
    case 'ahead':
      return `polled it was ${formatNumber(rank.times)} times as fast as TCP`;
    case 'behind':
      return `polled it took ${formatNumber(rank.times)} times as long as TCP in this run`;
    case 'close':
      return 'polled it was neither faster nor slower than TCP in this run';
    case 'too-busy':
      return `this run was too busy to tell which is faster: ${rank.why}`;
    case 'unknown':
      return 'not measured together with TCP';
  }
}

/** What the count of lines says to "higher" and "lower"; nothing where one of the parts was not counted. */
function codeVerdict({ code }: CompareReport): string {
  const linesOf = (part: string): number | undefined => code.find((row) => row.part === part)?.codeLines;
  const shared = linesOf('shared memory');
  const sockets = ['protocol', 'server', 'client'].map(linesOf);
  if (shared === undefined || sockets.includes(undefined)) return '';
  const sum = sockets.reduce<number>((total, lines) => total + (lines ?? 0), 0);
  return `, ${formatNumber(shared / sum)} times what the sockets take`;
}
