/** The figures as CSV, one file for each kind, for those who want to draw their own pictures. */
import { LOG_READER } from './design.js';
import type { CompareReport } from './figures.js';

type Cell = string | number | undefined;

/** @returns the text of each file by its name */
export function renderCsv(report: CompareReport): Record<string, string> {
  return {
    'round-trips.csv': render(
      [
        'id',
        'title',
        'p50_ns',
        'p90_ns',
        'p99_ns',
        'p99.9_ns',
        'max_ns',
        'count',
        'lost',
        'replaced',
        'from_idle_p50_ns',
        'idle_cpu_ms_per_s',
        'attach_ms',
      ],
      report.transports.map((row) => {
        const trip = row.roundTrip?.summary;
        return [
          row.id,
          row.title,
          trip?.p50Ns,
          trip?.p90Ns,
          trip?.p99Ns,
          trip?.p999Ns,
          trip?.maxNs,
          trip?.count,
          row.lost,
          row.overwritten,
          row.wakeUp?.summary.p50Ns,
          row.idleCpuMsPerSecond?.median,
          row.attachMs?.median,
        ];
      }),
    ),
    'latency-distribution.csv': render(
      ['id', 'percent', 'ns'],
      report.transports.flatMap((row) =>
        (row.roundTrip?.distribution ?? []).map(({ percent, ns }): Cell[] => [row.id, percent, ns]),
      ),
    ),
    'throughput.csv': render(
      [
        'id',
        'bytes',
        'messages_per_s',
        'messages_per_s_min',
        'messages_per_s_max',
        'bytes_per_s',
        'cpu_ns_sender',
        'cpu_ns_server',
        'cpu_ns_receiver',
      ],
      report.transports.flatMap((row) =>
        row.throughput.map((size): Cell[] => [
          row.id,
          size.bytes,
          size.messagesPerSecond.median,
          size.messagesPerSecond.min,
          size.messagesPerSecond.max,
          size.bytesPerSecond.median,
          size.cpuNsPerMessage.near,
          size.cpuNsPerMessage.server,
          size.cpuNsPerMessage.far,
        ]),
      ),
    ),
    'fan-out.csv': render(
      ['from', 'receivers', 'deliveries_per_s', 'deliveries_per_server_cpu_s', 'lost'],
      [
        ...report.logReaders.map((row): Cell[] => [
          LOG_READER,
          row.readers,
          row.deliveriesPerSecond.median,
          undefined,
          row.lost,
        ]),
        ...report.fanout.windows.map((row): Cell[] => [
          row.target,
          row.members,
          row.deliveriesPerSecond.median,
          row.deliveriesPerCpuSecond?.median,
          row.lost,
        ]),
      ],
    ),
    'memory.csv': render(
      ['of', 'how_many', 'before_bytes', 'after_bytes', 'each_bytes'],
      report.memory.map((row): Cell[] => [
        row.target,
        row.connections,
        row.beforeBytes,
        row.afterBytes,
        row.perConnectionBytes,
      ]),
    ),
  };
}

function render(header: readonly string[], rows: readonly (readonly Cell[])[]): string {
  return [header, ...rows].map((row) => `${row.map(cell).join(',')}\n`).join('');
}

function cell(value: Cell): string {
  if (value === undefined) return '';
  if (typeof value === 'number') return String(Math.round(value * 1000) / 1000);
  return /[",\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}
