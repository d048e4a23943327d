/**
 * The report for those who read it in the repository, where HTML is shown as source: the same chapters as the page,
 * with the pictures as files beside it.
 */
import { formatMachine } from '../../harness/machine.js';
import type { CompareReport } from '../figures.js';
import { describeMethod, designRows, shortAnswer, userRows } from '../prose/sentences.js';
import { findWarnings } from '../prose/warnings.js';
import { codeTable, type NumberTable, numberTables } from '../tables.js';
import type { Surroundings } from './page.js';

/** Renders `README.md`, to lie beside the pictures. */
export function renderMarkdown(report: CompareReport, { pictures, earlier, toRoot }: Surroundings): string {
  const { machine, settings } = report;
  const parts = [
    '# Sockets and shared memory, measured',
    `${formatMachine(machine)}. ${machine.date.slice(0, 10)}${settings.quick ? ', a quick run' : ''}. Made by \`npm run compare\`; every figure is in [report.json](report.json) and the CSV files. [index.html](index.html) is the same as one page.`,
    ...findWarnings(report).map((line) => `> ${line}`),
    '## The short answer',
    shortAnswer(report),
    'What people say, and what this machine says:',
    renderTable(
      ['', 'sockets', 'shared memory'],
      userRows(report).map((row) => [
        `**${row.feature}**`,
        `*${row.claimSockets}*: ${row.sockets}`,
        `*${row.claimSharedMemory}*: ${row.sharedMemory}`,
      ]),
    ),
    '## In pictures',
    ...pictures.map(({ name, title, sentence }) => `### ${title}\n\n![${title}](${name}.svg)\n\n${sentence}`),
    '## In numbers',
    ...numberTables(report, earlier).map(renderNumbers),
    '## By design',
    renderTable(
      ['', 'sockets', 'shared memory', 'see'],
      designRows(report).map(({ aspect, sockets, sharedMemory, figures, evidence }) => {
        const links = evidence.map((path) => `[${path.split('/').at(-1)}](${toRoot}${path})`);
        return [
          `**${aspect}**`,
          sockets,
          sharedMemory,
          [...(figures === '' ? [] : [figures]), ...links].join('<br>'),
        ];
      }),
    ),
    renderNumbers(codeTable(report)),
    '## How it was measured',
    describeMethod(report)
      .map((item) => `- ${item}`)
      .join('\n'),
  ];
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

function renderNumbers({ caption, head, rows }: NumberTable): string {
  const cells = rows.map((row) =>
    row.map((cell) => {
      const [first, ...small] = cell.split('\n');
      return [first, ...small.map((line) => `<sub>${line}</sub>`)].join('<br>');
    }),
  );
  return `${caption}\n\n${renderTable(head, cells)}`;
}

function renderTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), `|${' --- |'.repeat(head.length)}`, ...rows.map(line)].join('\n');
}
