/** The figures as CSV, one file for each kind, for those who want to draw their own pictures. */
import { LOG_READER } from '../pairs/log-readers.js';
import type { CompareReport } from './figures.js';

type Cell = string | number | undefined;
/** Columns by their title, in their order. */
type Row = Readonly<Record<string, Cell>>;

/** @returns the text of each file by its name; a kind that was not measured has an empty one */
export function renderCsv({ transports, logReaders, fanout, memory }: CompareReport): Record<string, string> {
  return {
    'round-trips.csv': render(
      transports.map((row) => {
        const trip = row.roundTrip?.summary;
        return {
          id: row.id,
          title: row.title,
          p50_ns: trip?.p50Ns,
          p90_ns: trip?.p90Ns,
          p99_ns: trip?.p99Ns,
          'p99.9_ns': trip?.p999Ns,
          max_ns: trip?.maxNs,
          count: trip?.count,
          lost: row.lost,
          replaced: row.overwritten,
          from_idle_p50_ns: row.wakeUp?.summary.p50Ns,
          idle_cpu_ms_per_s: row.idleCpuMsPerSecond?.median,
          attach_ms: row.attachMs?.median,
        };
      }),
    ),
    'latency-distribution.csv': render(
      transports.flatMap(({ id, roundTrip }) =>
        (roundTrip?.distribution ?? []).map(({ percent, ns }) => ({ id, percent, ns })),
      ),
    ),
    'throughput.csv': render(
      transports.flatMap(({ id, throughput }) =>
        throughput.map(({ bytes, messagesPerSecond: rate, bytesPerSecond, cpuNsPerMessage: cpu }) => ({
          id,
          bytes,
          messages_per_s: rate.median,
          messages_per_s_min: rate.min,
          messages_per_s_max: rate.max,
          bytes_per_s: bytesPerSecond.median,
          cpu_ns_sender: cpu.near,
          cpu_ns_server: cpu.server,
          cpu_ns_receiver: cpu.far,
        })),
      ),
    ),
    'fan-out.csv': render(
      [
        ...logReaders.map((row) => ({ ...row, from: LOG_READER, receivers: row.readers, perCpu: undefined })),
        ...fanout.windows.map((row) => ({
          ...row,
          from: row.target,
          receivers: row.members,
          perCpu: row.deliveriesPerCpuSecond?.median,
        })),
      ].map(({ from, receivers, deliveriesPerSecond, perCpu, lost }) => ({
        from,
        receivers,
        deliveries_per_s: deliveriesPerSecond.median,
        deliveries_per_server_cpu_s: perCpu,
        lost,
      })),
    ),
    'memory.csv': render(
      memory.map((row) => ({
        of: row.target,
        how_many: row.connections,
        before_bytes: row.beforeBytes,
        after_bytes: row.afterBytes,
        each_bytes: row.perConnectionBytes,
      })),
    ),
  };
}

function render(rows: readonly Row[]): string {
  const lines: (readonly Cell[])[] = [Object.keys(rows[0] ?? {}), ...rows.map((row) => Object.values(row))];
  return lines.map((line) => `${line.map(cell).join(',')}\n`).join('');
}

function cell(value: Cell): string {
  if (value === undefined) return '';
  if (typeof value === 'number') return String(Math.round(value * 1000) / 1000);
  return /[",\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}
