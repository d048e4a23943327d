/**
 * Figures of a report as they are quoted in sentences: each by its name and the line that it belongs to, as text,
 * or `n/a` where that was not measured.
 */
import type { PairFigure } from '../../pairs/benchmark.js';
import type { CompareReport } from '../figures.js';
import { formatBytes, formatCount, formatNs, formatNumber } from '../units.js';
import { lineOf, tooBusy } from './ranking.js';
import type { Lookup } from './template.js';

const POLLED = 'shm-channel-polled';
/** What the sockets take: the code that has to be there for one message. */
const SOCKET_PARTS = ['protocol', 'server', 'client'];

const QUOTES: Readonly<Record<string, (report: CompareReport, id: string) => string | boolean>> = {
  /** Half of the round trips are back within this. */
  'round-trip': (report, id) => formatNs(lineOf(report, id)?.roundTrip?.summary.p50Ns),
  /** Half of the round trips after a silence are back within this. */
  'wake-up': (report, id) => formatNs(lineOf(report, id)?.wakeUp?.summary.p50Ns),
  /** The most messages a second, at the size at which there are most. */
  rate: (report, id) => `${formatCount(mostMessages(report, id))} messages/s`,
  /** CPU time of both ends, and of the server between them, for one message of 64 bytes. */
  cpu: (report, id) => formatNs(cpuOfSmall(lineOf(report, id))?.total),
  idle: (report, id) => formatIdleCpu(lineOf(report, id)),
  /** How much code a part is, and how many names its users can import. */
  code(report, part) {
    const count = report.code.find((row) => row.part === part);
    return count ? `${count.codeLines} lines, ${count.exports} names` : 'not counted';
  },
  /** What the count of lines says to "higher" and "lower"; nothing where one of the parts was not counted. */
  'code-share'({ code }) {
    const linesOf = (part: string): number => code.find((row) => row.part === part)?.codeLines ?? Number.NaN;
    const share = linesOf('shared memory') / SOCKET_PARTS.reduce((sum, part) => sum + linesOf(part), 0);
    return Number.isNaN(share) ? '' : `, ${formatNumber(share)} times what the sockets take`;
  },
  /** Deliveries to the largest audience of the chat that was measured. */
  'fan-out'({ fanout }) {
    const rows = fanout.windows.filter((row) => row.target === 'chat');
    const largest = rows.toSorted((left, right) => right.members - left.members)[0];
    if (!largest) return 'not measured';
    return `${formatCount(largest.deliveriesPerSecond.median)} deliveries/s to ${largest.members} members`;
  },
  /** Deliveries to the most readers of one log in shared memory that were measured. */
  'log-fan-out'({ logReaders }) {
    const largest = logReaders.toSorted((left, right) => right.readers - left.readers)[0];
    if (!largest) return 'not measured';
    return `${formatCount(largest.deliveriesPerSecond.median)} deliveries/s to ${largest.readers} readers of one log`;
  },
  /** Memory of one idle connection, or of one reader. */
  memory: ({ memory }, target) =>
    formatBytes(memory.find((row) => row.target === target)?.perConnectionBytes),
  /** Whether half of the polled round trips were back within microseconds, in a run that can tell. */
  'when-fast'(report) {
    const row = lineOf(report, POLLED);
    const p50 = row?.roundTrip?.summary.p50Ns;
    return row !== undefined && p50 !== undefined && p50 < 100_000 && tooBusy(report, row) === undefined;
  },
  /** Whether more than a million messages a second went through a channel. */
  'when-millions': (report) => (mostMessages(report, POLLED) ?? 0) >= 1e6,
  /** Whether it was measured how much of a core each end got. */
  'when-cores': ({ transports }) => transports.some(({ coreShare }) => coreShare !== undefined),
  rounds: ({ settings: { rounds } }) => `${rounds} round${rounds === 1 ? '' : 's'}`,
  'round-trip-bytes': ({ settings }) => String(settings.roundTripBytes),
  'rate-per-second': ({ settings }) => String(settings.ratePerSecond),
  elapsed: ({ settings }) => `${Math.round(settings.elapsedMs / 1000)} s`,
};

/** Looks figures up in one report. */
export function quotesFrom(report: CompareReport): Lookup {
  return (name, argument) => QUOTES[name]?.(report, argument);
}

/** `0.5 %`: CPU of all processes of a silent line; 100 % is one core. */
export function formatIdleCpu(row: PairFigure | undefined): string {
  const idle = row?.idleCpuMsPerSecond?.median;
  return idle === undefined ? 'n/a' : `${(idle / 10).toFixed(1)} %`;
}

/** CPU time for one message of 64 bytes by side, and of all sides; undefined where it was not measured. */
export function cpuOfSmall(
  row: PairFigure | undefined,
): { sender: number; server: number; receiver: number; total: number } | undefined {
  const cpu = row?.throughput.find(({ bytes }) => bytes === 64)?.cpuNsPerMessage;
  if (cpu?.near === undefined) return undefined;
  const { near: sender, server = 0, far: receiver = 0 } = cpu;
  return { sender, server, receiver, total: sender + server + receiver };
}

function mostMessages(report: CompareReport, id: string): number | undefined {
  const rates = lineOf(report, id)?.throughput.map(({ messagesPerSecond }) => messagesPerSecond.median) ?? [];
  return rates.length > 0 ? Math.max(...rates) : undefined;
}
