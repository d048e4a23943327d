/**
 * The numbers of a report as tables, the same for the terminal, the page and Markdown. A cell is text; what follows its first
 * line is the small print: the range over the rounds, or the same in another unit.
 */
import type { Spread } from '../harness/spread.js';
import type { SizeFigure } from '../pairs/benchmark.js';
import { LOG_READER } from '../pairs/log-readers.js';
import { findChanges } from './difference.js';
import type { CompareReport } from './figures.js';
import { formatIdleCpu } from './prose/quotes.js';
import { formatBytes, formatCount, formatNs } from './units.js';

/** One table. The first cell of each row is its title. */
export interface NumberTable {
  readonly caption: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/**
 * All tables that the report has rows for.
 *
 * @param cpuSizes - sizes of messages whose CPU time is shown; all of them when not given
 */
export function numberTables(
  report: CompareReport,
  earlier: CompareReport | undefined,
  cpuSizes?: readonly number[],
): NumberTable[] {
  const tables = [
    latencyTable(report),
    throughputTable(report),
    cpuTable(report, cpuSizes),
    fanOutTable(report),
    memoryTable(report),
    ...(earlier ? [differenceTable(earlier, report)] : []),
  ];
  return tables.filter(({ rows }) => rows.length > 0);
}

/** Code on each side, counted. */
export function codeTable(report: CompareReport): NumberTable {
  return {
    caption:
      'How much code of this repository each side is: lines of code, lines of comment, and names that a user can import.',
    head: ['part', 'files', 'code', 'comment', 'names'],
    rows: report.code.map((row) => [
      row.part,
      String(row.files),
      String(row.codeLines),
      String(row.commentLines),
      String(row.exports),
    ]),
  };
}

function latencyTable({ transports, settings }: CompareReport): NumberTable {
  return {
    caption:
      `Round trip of ${settings.roundTripBytes} bytes at ${settings.ratePerSecond} a second; from idle: the first one after a silence; ` +
      'idle CPU: of all processes of the line, 100 % is one core.',
    head: [
      'line',
      'p50',
      'p90',
      'p99',
      'p99.9',
      'max',
      'from idle',
      'idle CPU',
      'attach',
      'server start',
      'lost',
    ],
    rows: transports.map((row) => {
      const trip = row.roundTrip?.summary;
      return [
        row.title,
        withRange(formatNs(trip?.p50Ns), row.roundTrip?.p50Ns, formatNs),
        formatNs(trip?.p90Ns),
        formatNs(trip?.p99Ns),
        formatNs(trip?.p999Ns),
        formatNs(trip?.maxNs),
        row.polls ? '–' : withRange(formatNs(row.wakeUp?.summary.p50Ns), row.wakeUp?.p50Ns, formatNs),
        formatIdleCpu(row),
        formatNs((row.attachMs?.median ?? Number.NaN) * 1e6),
        row.serverStartMs === undefined ? '–' : formatNs(row.serverStartMs * 1e6),
        row.overwritten > 0 ? `${row.overwritten} replaced` : String(row.lost),
      ];
    }),
  };
}

function throughputTable(report: CompareReport): NumberTable {
  return sizeTable(
    report,
    'Messages one way by size, as fast as they go: messages a second with the smallest and the largest round, and bytes a second.',
    ({ messagesPerSecond, bytesPerSecond }) =>
      `${withRange(`${formatCount(messagesPerSecond.median)}/s`, messagesPerSecond, formatCount)}\n${formatBytes(bytesPerSecond.median)}/s`,
  );
}

function cpuTable(report: CompareReport, sizes?: readonly number[]): NumberTable {
  return sizeTable(
    report,
    'CPU time for one message: sender + server + receiver.',
    ({ cpuNsPerMessage: { near, server, far } }) =>
      [near, server, far]
        .filter((side) => side !== undefined)
        .map(formatNs)
        .join(' + '),
    sizes,
  );
}

/** A row for each line that streams, a column for each size. */
function sizeTable(
  { transports }: CompareReport,
  caption: string,
  format: (figure: SizeFigure) => string,
  sizes: readonly number[] = [
    ...new Set(transports.flatMap((row) => row.throughput.map(({ bytes }) => bytes))),
  ],
): NumberTable {
  return {
    caption,
    head: ['line', ...sizes.map(formatBytes)],
    rows: transports
      .filter((row) => row.throughput.length > 0)
      .map((row) => [
        row.title,
        ...sizes.map((bytes) => {
          const figure = row.throughput.find((size) => size.bytes === bytes);
          return figure ? format(figure) : '–';
        }),
      ]),
  };
}

function fanOutTable({ fanout, logReaders }: CompareReport): NumberTable {
  return {
    caption:
      'One to many: 64 bytes, 16 messages in flight until all have them. CPU for one delivery counts both sides.',
    head: ['from', 'receivers', 'deliveries/s', 'per server CPU-second', 'CPU for one', 'lost'],
    rows: [
      ...logReaders.map((row) => [
        LOG_READER,
        String(row.readers),
        withRange(formatCount(row.deliveriesPerSecond.median), row.deliveriesPerSecond, formatCount),
        '–',
        row.deliveriesPerCpuSecond ? formatNs(1e9 / row.deliveriesPerCpuSecond.median) : 'n/a',
        String(row.lost),
      ]),
      ...fanout.windows.map((row) => {
        const server = row.deliveriesPerCpuSecond;
        return [
          row.target,
          String(row.members),
          withRange(formatCount(row.deliveriesPerSecond.median), row.deliveriesPerSecond, formatCount),
          withRange(formatCount(server?.median), server, formatCount),
          server ? formatNs(1e9 / server.median + row.loadCpuNsPerDelivery) : 'n/a',
          String(row.lost),
        ];
      }),
    ],
  };
}

function memoryTable({ memory }: CompareReport): NumberTable {
  return {
    caption: `Resident memory: of a server with idle connections, of a process with readers of a ${LOG_READER}.`,
    head: ['of', 'how many', 'before', 'after', 'each'],
    rows: memory.map((row) => [
      row.target,
      String(row.connections),
      formatBytes(row.beforeBytes),
      formatBytes(row.afterBytes),
      formatBytes(row.perConnectionBytes),
    ]),
  };
}

function differenceTable(earlier: CompareReport, report: CompareReport): NumberTable {
  const since = `commit ${earlier.machine.commit}, ${earlier.machine.date.slice(0, 10)}`;
  const changes = findChanges(earlier, report).filter(({ verdict }) => verdict !== 'same');
  return {
    caption: `What has changed since ${since}, where the rounds of both lie apart.`,
    head: ['line', 'figure', 'before', 'now', 'ratio', ''],
    rows:
      changes.length === 0
        ? [['nothing', 'that is clear of the noise', '', '', '', '']]
        : changes.map((row) => [
            row.title,
            row.figure,
            row.before,
            row.after,
            row.ratio.toFixed(2),
            row.verdict,
          ]),
  };
}

/** The smallest and the largest round below the middle one; nothing where there was only one. */
function withRange(text: string, spread: Spread | undefined, format: (value: number) => string): string {
  if (!spread || spread.min === spread.max) return text;
  return `${text}\n${format(spread.min)} – ${format(spread.max)}`;
}
