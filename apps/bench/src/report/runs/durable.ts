/** The figures of `bench:durable` as tables for a terminal, and what was aimed at. */
import { type Aim, aimsOf } from '../../durable/aims.js';
import type { DurableFigures } from '../../durable/benchmark.js';
import { formatMachine, formatNoise, type Machine } from '../../harness/machine.js';
import { formatTable } from '../text-table.js';
import { formatBytes, formatCount, formatNs, formatNumber } from '../units.js';
import { formatFanout } from './fanout.js';

/** Everything that one run found, as it is written to JSON. */
export interface DurableReport {
  readonly machine: Machine;
  readonly versions: Readonly<Record<string, string>>;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly figures: DurableFigures;
}

/** Renders a report. */
export function formatDurableReport({ machine, versions, figures }: DurableReport): string {
  const { fanout, publish, pages, starts, remarks, failures, otherWork } = figures;
  const names = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return [
    `${formatMachine(machine)}\n${names.join(', ')}\n`,
    ...(fanout ? formatFanout(fanout) : []),
    ...(publish.length > 0 ? [formatPublish(figures)] : []),
    ...(pages.length > 0 ? [formatPages(figures)] : []),
    ...(starts.length > 0 ? [formatStarts(figures)] : []),
    formatAims(aimsOf(figures)),
    ...remarks.map((line) => `${line}\n`),
    ...failures.map((line) => `FAILED ${line}\n`),
    ...formatNoise(otherWork).map((line) => `${line}\n`),
  ].join('\n');
}

function formatPublish({ publish }: DurableFigures): string {
  const table = formatTable(
    ['stores', 'window', 'messages/s', 'min … max', 'CPU/message', 'group', 'transaction', 'lost'],
    publish.map(({ name, window, messagesPerSecond, cpuNsPerMessage, group, commitMs, lost }) => [
      name,
      String(window),
      formatCount(messagesPerSecond.median),
      `${formatCount(messagesPerSecond.min)} … ${formatCount(messagesPerSecond.max)}`,
      formatNs(cpuNsPerMessage?.median),
      group === undefined ? '' : String(group),
      commitMs === undefined ? '' : formatNs(commitMs * 1e6),
      String(lost),
    ]),
  );
  return `Stored messages: flushed, then acknowledged; the window is what waits for acknowledgement\n${table}`;
}

function formatPages({ pages }: DurableFigures): string {
  const table = formatTable(
    ['room', 'pages/s', 'min … max', 'server CPU/page', 'empty'],
    pages.map(({ room, pagesPerSecond, cpuMsPerPage, empty }) => [
      room,
      formatCount(pagesPerSecond.median),
      `${formatCount(pagesPerSecond.min)} … ${formatCount(pagesPerSecond.max)}`,
      formatNs(cpuMsPerPage && cpuMsPerPage.median * 1e6),
      String(empty),
    ]),
  );
  return `Pages of 100 entries at random positions of the store\n${table}`;
}

function formatStarts({ starts }: DurableFigures): string {
  const table = formatTable(
    ['stored messages', 'until readyz', 'min … max', 'resident memory'],
    starts.map(({ messages, readyMs, residentBytes }) => [
      formatCount(messages),
      formatNs(readyMs.median * 1e6),
      `${formatNs(readyMs.min * 1e6)} … ${formatNs(readyMs.max * 1e6)}`,
      formatBytes(residentBytes),
    ]),
  );
  return `Starting with messages of 100 bytes in the store\n${table}`;
}

function formatAims(aims: readonly Aim[]): string {
  const table = formatTable(
    ['aim', 'wanted', 'found', ''],
    aims.map(({ what, aim, found, unit, isMet }) => [
      what,
      `${aim} ${unit}`,
      `${formatNumber(found)} ${unit}`,
      isMet ? 'met' : 'MISSED',
    ]),
    [0, 3],
  );
  return `What was aimed at\n${table}`;
}
