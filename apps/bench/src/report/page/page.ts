/**
 * The report as one HTML file that needs nothing else: no script, no font, no picture from outside. Light and
 * dark as the reader's system is; tables scroll sideways on a narrow screen, the page does not.
 */
import { formatMachine } from '../../harness/machine.js';
import type { CompareReport } from '../figures.js';
import type { Picture } from '../pictures/pictures.js';
import { describeMethod, designRows, shortAnswer, userRows } from '../prose/sentences.js';
import { findWarnings } from '../prose/warnings.js';
import { codeTable, type NumberTable, numberTables } from '../tables.js';
import { STYLE } from './page-style.js';

/** What a report is shown with. */
export interface Surroundings {
  readonly pictures: readonly Picture[];
  /** To say what has changed since. */
  readonly earlier: CompareReport | undefined;
  /** From the folder of the report to the root of the repository, with a slash at the end. */
  readonly toRoot: string;
}

/** Renders the page. */
export function renderPage(report: CompareReport, { pictures, earlier, toRoot }: Surroundings): string {
  const { machine, settings } = report;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sockets and shared memory, measured</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>Sockets and shared memory, measured</h1>
<p class="machine">${escapeHtml(formatMachine(machine))}. ${escapeHtml(machine.date.slice(0, 16).replace('T', ' '))} UTC${settings.quick ? ', a quick run' : ''}.</p>
${findWarnings(report)
  .map((line) => `<p class="warning">${escapeHtml(line)}</p>`)
  .join('\n')}
<h2>The short answer</h2>
<p>${escapeHtml(shortAnswer(report))}</p>
${renderUserTable(report)}
<h2>In pictures</h2>
${pictures.map(renderPicture).join('\n')}
<h2>In numbers</h2>
${numberTables(report, earlier).map(renderNumbers).join('\n')}
<h2>By design</h2>
${renderDesign(report, toRoot)}
${renderNumbers(codeTable(report))}
<h2>How it was measured</h2>
<ul>${describeMethod(report)
    .map((item) => `<li>${escapeHtml(item)}</li>`)
    .join('')}</ul>
</main>
</body>
</html>
`;
}

function renderUserTable(report: CompareReport): string {
  const rows = userRows(report).map(
    (row) =>
      `<tr><th scope="row">${escapeHtml(row.feature)}</th>` +
      `<td data-label="sockets"><span class="claim">${escapeHtml(row.claimSockets)}</span> ${escapeHtml(row.sockets)}</td>` +
      `<td data-label="shared memory"><span class="claim">${escapeHtml(row.claimSharedMemory)}</span> ${escapeHtml(row.sharedMemory)}</td></tr>`,
  );
  const caption = 'What people say, and below it what this machine says.';
  return renderTable(caption, ['', 'sockets', 'shared memory'], rows, 'wide');
}

function renderPicture({ name, title, sentence, svg }: Picture): string {
  const labelled = svg.replace('<svg ', `<svg aria-label="${escapeHtml(title)}" `);
  return `<figure id="${name}"><h3>${escapeHtml(title)}</h3><div class="picture">${labelled}</div><figcaption>${escapeHtml(sentence)}</figcaption></figure>`;
}

function renderNumbers({ caption, head, rows }: NumberTable): string {
  const lines = rows.map(([title, ...cells]) => {
    const columns = cells.map((cell) => {
      const [first, ...small] = cell.split('\n').map(escapeHtml);
      return `<td>${first}${small.map((line) => `<br><small>${line}</small>`).join('')}</td>`;
    });
    return `<tr><th scope="row">${escapeHtml(title ?? '')}</th>${columns.join('')}</tr>`;
  });
  return renderTable(caption, head, lines, 'numbers');
}

function renderDesign(report: CompareReport, toRoot: string): string {
  const rows = designRows(report).map(({ aspect, sockets, sharedMemory, figures, evidence }) => {
    const links = evidence.map(
      (path) =>
        `<a href="${escapeHtml(toRoot + path)}">${escapeHtml(path.replace(/^packages\//, '').replace('/src/', ': '))}</a>`,
    );
    const see = [...(figures === '' ? [] : [escapeHtml(figures)]), ...links].join('<br>');
    return (
      `<tr><th scope="row">${escapeHtml(aspect)}</th><td data-label="sockets">${escapeHtml(sockets)}</td>` +
      `<td data-label="shared memory">${escapeHtml(sharedMemory)}</td><td class="links">${see}</td></tr>`
    );
  });
  return renderTable('', ['', 'sockets', 'shared memory', 'see'], rows, 'wide');
}

function renderTable(
  caption: string,
  titles: readonly string[],
  rows: readonly string[],
  kind: 'numbers' | 'wide',
): string {
  const head = titles.map((title) => `<th scope="col">${escapeHtml(title)}</th>`).join('');
  const described = caption === '' ? '' : `<p class="caption">${escapeHtml(caption)}</p>`;
  return `${described}<div class="scroll" tabindex="0"><table class="${kind}"><thead><tr>${head}</tr></thead><tbody>${rows.join('')}</tbody></table></div>`;
}

function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
