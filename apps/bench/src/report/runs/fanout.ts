/** The figures of the fan-out benchmark as tables for a terminal. */
import type { FanoutFigures, WindowFigure } from '../../fanout/benchmark.js';
import type { MemoryFigure } from '../../fanout/memory.js';
import { formatMachine, formatNoise, type Machine } from '../../harness/machine.js';
import { formatTable } from '../text-table.js';
import { formatBytes, formatCount, formatNs, formatNumber } from '../units.js';

/** Everything that one run found, as it is written to JSON. */
export interface FanoutReport {
  readonly machine: Machine;
  readonly versions: Readonly<Record<string, string>>;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly figures: FanoutFigures;
  readonly memory: readonly MemoryFigure[];
  readonly missing: readonly string[];
}

/** Renders a report. */
export function formatFanoutReport(report: FanoutReport): string {
  const { figures, memory } = report;
  const head = `${formatMachine(report.machine)}\n${formatVersions(report.versions)}\n`;
  const parts = [head, ...formatFanout(figures)];
  if (memory.length > 0) parts.push(formatMemory(memory));
  for (const line of report.missing) parts.push(`not compared with ${line}\n`);
  for (const line of figures.failures) parts.push(`FAILED ${line}\n`);
  for (const line of formatNoise(figures.otherWork)) parts.push(`${line}\n`);
  return parts.join('\n');
}

/** The tables of the windows and of the latency. */
export function formatFanout(figures: FanoutFigures): string[] {
  const tables: string[] = [];
  for (const members of unique(figures.windows.map((figure) => figure.members))) {
    for (const window of unique(figures.windows.map((figure) => figure.window))) {
      const rows = figures.windows.filter((figure) => figure.members === members && figure.window === window);
      if (rows.length > 0) tables.push(formatWindow(members, window, rows));
    }
  }
  if (figures.paced.length > 0) tables.push(formatPaced(figures));
  return tables;
}

function formatWindow(members: number, window: number, rows: readonly WindowFigure[]): string {
  const chat = rows[0]!;
  const table = formatTable(
    [
      'server',
      'deliveries/s',
      'per server CPU-second',
      'min … max',
      `${chat.target} is`,
      'server CPU',
      'lost',
    ],
    rows.map((row) => {
      const cpu = row.deliveriesPerCpuSecond;
      return [
        row.target,
        formatCount(row.deliveriesPerSecond.median),
        formatCount(cpu?.median),
        cpu ? `${formatCount(cpu.min)} … ${formatCount(cpu.max)}` : 'n/a',
        row === chat ? '' : formatRatio(chat.deliveriesPerCpuSecond?.median, cpu?.median),
        row.serverLoad === undefined ? 'n/a' : `${Math.round(row.serverLoad * 100)} %`,
        String(row.lost),
      ];
    }),
    [0, 3],
  );
  return `${members} members, window ${window} (published, but not yet received by all)\n${table}`;
}

function formatPaced(figures: FanoutFigures): string {
  const chat = figures.paced[0]!;
  const table = formatTable(
    ['server', 'members', 'p50', 'p99', 'p99.9', 'max', `p50 of ${chat.target} is`, 'CPU/delivery', 'lost'],
    figures.paced.map((row) => {
      const peer = figures.paced.find(
        (other) => other.members === row.members && other.target === chat.target,
      );
      return [
        row.target,
        String(row.members),
        formatNs(row.p50Ns.median),
        formatNs(row.p99Ns.median),
        formatNs(row.latency.p999Ns),
        formatNs(row.latency.maxNs),
        row === peer ? '' : formatRatio(peer?.p50Ns.median, row.p50Ns.median),
        formatNs(row.serverCpuNsPerDelivery),
        String(row.lost),
      ];
    }),
  );
  return `From the moment a message is due until a member has it, ${chat.ratePerSecond} messages/s\n${table}`;
}

function formatMemory(memory: readonly MemoryFigure[]): string {
  const table = formatTable(
    ['server', 'connections', 'before', 'after', 'per connection'],
    memory.map((row) => [
      row.target,
      String(row.connections),
      formatBytes(row.beforeBytes),
      formatBytes(row.afterBytes),
      formatBytes(row.perConnectionBytes),
    ]),
  );
  return `Resident memory of idle connections\n${table}`;
}

function formatRatio(ours: number | undefined, theirs: number | undefined): string {
  if (ours === undefined || !theirs) return 'n/a';
  return `${formatNumber(ours / theirs)} ×`;
}

function formatVersions(versions: Readonly<Record<string, string>>): string {
  return Object.entries(versions)
    .map(([name, version]) => `${name} ${version}`)
    .join(', ');
}

function unique<T>(values: readonly T[]): T[] {
  return [...new Set(values)];
}
