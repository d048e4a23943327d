/** The comparison as tables for a terminal. */
import { formatMachine } from '../machine.js';
import { formatTable } from '../text-table.js';
import { formatBytes, formatCount, formatNs } from '../units.js';
import type { CompareReport, SizeFigure, TransportFigure } from './figures.js';
import { shortAnswer } from './short-answer.js';
import { userRows } from './user-table.js';
import { findWarnings } from './warnings.js';

/** Renders a report. */
export function formatCompareReport(report: CompareReport): string {
  const { transports, settings } = report;
  const parts = [`${formatMachine(report.machine)}\n`];
  parts.push(
    formatTable(
      [
        { title: 'feature', align: 'left' },
        { title: 'sockets', align: 'left' },
        { title: 'shared memory', align: 'left' },
      ],
      userRows(report).map((row) => [row.feature, row.sockets, row.sharedMemory]),
    ),
  );
  parts.push(
    `Round trip of ${settings.roundTripBytes} bytes, ${settings.ratePerSecond} a second, from the moment each is due\n` +
      formatLatencies(transports),
  );
  parts.push(`One way, as fast as it goes\n${formatThroughput(transports)}`);
  if (report.logReaders.length > 0 || report.fanout.windows.length > 0) {
    parts.push(`One to many, 64 bytes, window 16: deliveries per second\n${formatFanout(report)}`);
  }
  if (report.memory.length > 0) {
    parts.push(
      `Resident memory of an idle connection, or of a reader\n${formatTable(
        [{ title: 'of', align: 'left' }, { title: 'how many' }, { title: 'each' }],
        report.memory.map((row) => [
          row.target,
          String(row.connections),
          formatBytes(row.perConnectionBytes),
        ]),
      )}`,
    );
  }
  const answer = shortAnswer(report);
  if (answer !== '') parts.push(`${answer}\n`);
  parts.push(...findWarnings(report).map((line) => `${line}\n`));
  return parts.join('\n');
}

function formatLatencies(transports: readonly TransportFigure[]): string {
  return formatTable(
    [
      { title: 'line', align: 'left' },
      { title: 'p50' },
      { title: 'p90' },
      { title: 'p99' },
      { title: 'p99.9' },
      { title: 'max' },
      { title: 'from idle' },
      { title: 'idle CPU' },
      { title: 'attach' },
      { title: 'lost' },
    ],
    transports.map((row) => {
      const trip = row.roundTrip?.summary;
      return [
        row.title,
        formatNs(trip?.p50Ns),
        formatNs(trip?.p90Ns),
        formatNs(trip?.p99Ns),
        formatNs(trip?.p999Ns),
        formatNs(trip?.maxNs),
        row.polls ? '-' : formatNs(row.wakeUp?.summary.p50Ns),
        row.idleCpuMsPerSecond === undefined ? 'n/a' : `${(row.idleCpuMsPerSecond.median / 10).toFixed(1)} %`,
        formatNs((row.attachMs?.median ?? Number.NaN) * 1e6),
        row.overwritten > 0 ? `${row.overwritten} replaced` : String(row.lost),
      ];
    }),
  );
}

function formatThroughput(transports: readonly TransportFigure[]): string {
  const sizes = [...new Set(transports.flatMap((row) => row.throughput.map(({ bytes }) => bytes)))];
  const rows = transports.filter((row) => row.throughput.length > 0);
  return formatTable(
    [
      { title: 'line', align: 'left' },
      ...sizes.map((bytes) => ({ title: formatBytes(bytes) })),
      { title: 'CPU/message at 64 B' },
    ],
    rows.map((row) => [
      row.title,
      ...sizes.map((bytes) => formatSize(row.throughput.find((figure) => figure.bytes === bytes))),
      formatCpu(row.throughput.find((figure) => figure.bytes === 64)),
    ]),
  );
}

/** Small messages by their number, large ones by their bytes. */
function formatSize(figure: SizeFigure | undefined): string {
  if (!figure) return '-';
  return figure.bytes < 16_384
    ? `${formatCount(figure.messagesPerSecond.median)}/s`
    : `${formatBytes(figure.bytesPerSecond.median)}/s`;
}

function formatCpu(figure: SizeFigure | undefined): string {
  if (!figure) return '-';
  const { near, far, server } = figure.cpuNsPerMessage;
  return [near, server, far]
    .filter((side) => side !== undefined)
    .map((side) => formatNs(side))
    .join(' + ');
}

function formatFanout(report: CompareReport): string {
  const { windows } = report.fanout;
  const counts = [
    ...new Set([
      ...windows.map((figure) => figure.members),
      ...report.logReaders.map((figure) => figure.readers),
    ]),
  ].sort((left, right) => left - right);
  const targets = [...new Set(windows.map((figure) => figure.target))];
  const rows = targets.map((target) => [
    target,
    ...counts.map((members) => {
      const figure = windows.find((row) => row.target === target && row.members === members);
      return formatCount(figure?.deliveriesPerSecond.median);
    }),
  ]);
  rows.unshift([
    'log in shared memory, polled',
    ...counts.map((readers) =>
      formatCount(report.logReaders.find((row) => row.readers === readers)?.deliveriesPerSecond.median),
    ),
  ]);
  return formatTable(
    [{ title: 'from', align: 'left' }, ...counts.map((count) => ({ title: `to ${count}` }))],
    rows,
  );
}
