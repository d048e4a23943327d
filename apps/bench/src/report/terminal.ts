/** The comparison for a terminal: the five rows, every table without its small print, and the short answer. */
import { formatMachine } from '../harness/machine.js';
import type { CompareReport } from './figures.js';
import { shortAnswer, userRows } from './prose/sentences.js';
import { findWarnings } from './prose/warnings.js';
import { numberTables } from './tables.js';
import { formatTable } from './text-table.js';

/** The CPU time of every size would be wider than a terminal. */
const CPU_SIZES = [64];

/** Renders a report, with what has changed since an earlier one. */
export function formatCompareReport(report: CompareReport, earlier?: CompareReport): string {
  const users = formatTable(
    ['feature', 'sockets', 'shared memory'],
    userRows(report).map((row) => [row.feature, row.sockets, row.sharedMemory]),
    [0, 1, 2],
  );
  const tables = numberTables(report, earlier, CPU_SIZES).map(({ caption, head, rows }) => {
    const large = rows.map((row) => row.map((cell) => cell.split('\n')[0]!));
    return `${caption}\n${formatTable(head, large)}`;
  });
  const words = [shortAnswer(report), ...findWarnings(report)].filter((line) => line !== '');
  return [`${formatMachine(report.machine)}\n`, users, ...tables, ...words.map((line) => `${line}\n`)].join(
    '\n',
  );
}
