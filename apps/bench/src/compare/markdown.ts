/**
 * The report for those who read it in the repository, where HTML is shown as source: the short answer and the
 * pictures, with what is to be seen in them.
 */
import { formatMachine, NOISY_SHARE } from '../machine.js';
import type { CompareReport } from './figures.js';
import type { Picture } from './plots.js';
import { userRows } from './user-table.js';

/** Renders `README.md`, to lie beside the pictures. */
export function renderMarkdown(report: CompareReport, pictures: readonly Picture[]): string {
  const rows = userRows(report).map(
    (row) =>
      `| **${row.feature}** | *${row.claimSockets}*: ${row.sockets} | *${row.claimSharedMemory}*: ${row.sharedMemory} |`,
  );
  const noisy = (report.otherWork ?? 0) > NOISY_SHARE;
  const parts = [
    '# Sockets and shared memory, measured',
    `${formatMachine(report.machine)}. ${report.machine.date.slice(0, 10)}. Made by \`npm run compare\`; all figures are in [report.json](report.json) and the CSV files, and on [a page of its own](index.html).`,
    ...(noisy ? ['The machine was noisy while this was measured; tails are worse than they could be.'] : []),
    ['| | sockets | shared memory |', '| --- | --- | --- |', ...rows].join('\n'),
    ...pictures.map(({ name, title, sentence }) => `## ${title}\n\n![${title}](${name}.svg)\n\n${sentence}`),
  ];
  return `${parts.join('\n\n')}\n`;
}
