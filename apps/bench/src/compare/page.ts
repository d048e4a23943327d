/**
 * The report as one HTML file that needs nothing else: no script, no font, no picture from outside. Light and
 * dark as the reader's system is; tables scroll sideways on a narrow screen, the page does not.
 */
import { formatMachine, NOISY_SHARE } from '../machine.js';
import { formatBytes, formatCount, formatNs } from '../units.js';
import { DESIGN_ROWS } from './design.js';
import { findChanges } from './difference.js';
import type { CompareReport, TransportFigure } from './figures.js';
import { STYLE } from './page-style.js';
import type { Picture } from './plots.js';
import { userRows } from './user-table.js';

/** From the folder of a report to the root of the repository: `reports/<date>` and `docs/comparison` alike. */
const TO_ROOT = '../../';

/** Renders the page. */
export function renderPage(
  report: CompareReport,
  pictures: readonly Picture[],
  earlier: CompareReport | undefined,
): string {
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
<p class="machine">${escapeHtml(formatMachine(report.machine))}. ${escapeHtml(report.machine.date.slice(0, 16).replace('T', ' '))} UTC${report.settings.quick ? ', a quick run' : ''}.</p>
${renderWarnings(report)}
<h2>The short answer</h2>
${renderUserTable(report)}
<h2>In pictures</h2>
${pictures.map(renderPicture).join('\n')}
<h2>In numbers</h2>
${renderLatencies(report)}
${renderThroughput(report)}
${renderFanout(report)}
${renderMemory(report)}
${earlier ? renderDifference(earlier, report) : ''}
<h2>By design</h2>
${renderDesign()}
${renderCode(report)}
<h2>How it was measured</h2>
${renderMethod(report)}
</main>
</body>
</html>
`;
}

function renderWarnings(report: CompareReport): string {
  const warnings: string[] = [];
  if (!report.settings.complete)
    warnings.push('The run was interrupted: this is what was measured until then.');
  if ((report.otherWork ?? 0) > NOISY_SHARE) {
    const percent = Math.round((report.otherWork ?? 0) * 100);
    warnings.push(
      `The machine was noisy: other programs used up to ${percent} % of it between the measurements. Tails and throughputs are worse than they could be.`,
    );
  }
  warnings.push(
    ...report.failures.map((line) => `Failed: ${line}`),
    ...report.missing.map((line) => `Not compared with ${line}.`),
  );
  return warnings.map((line) => `<p class="warning">${escapeHtml(line)}</p>`).join('\n');
}

function renderUserTable(report: CompareReport): string {
  const rows = userRows(report).map(
    (row) =>
      `<tr><th scope="row">${escapeHtml(row.feature)}</th>` +
      `<td data-label="sockets"><span class="claim">${escapeHtml(row.claimSockets)}</span> ${escapeHtml(row.sockets)}</td>` +
      `<td data-label="shared memory"><span class="claim">${escapeHtml(row.claimSharedMemory)}</span> ${escapeHtml(row.sharedMemory)}</td></tr>`,
  );
  return table(
    'What people say, and below it what this machine says.',
    ['', 'sockets', 'shared memory'],
    rows,
    'wide',
  );
}

function renderPicture({ name, title, sentence, svg }: Picture): string {
  const labelled = svg.replace('<svg ', `<svg aria-label="${escapeHtml(title)}" `);
  return `<figure id="${name}"><h3>${escapeHtml(title)}</h3><div class="picture">${labelled}</div><figcaption>${escapeHtml(sentence)}</figcaption></figure>`;
}

function renderLatencies(report: CompareReport): string {
  const rows = report.transports.map((row) => {
    const trip = row.roundTrip?.summary;
    return cells(row.title, [
      formatNs(trip?.p50Ns),
      formatNs(trip?.p90Ns),
      formatNs(trip?.p99Ns),
      formatNs(trip?.p999Ns),
      formatNs(trip?.maxNs),
      row.polls ? '–' : formatNs(row.wakeUp?.summary.p50Ns),
      row.idleCpuMsPerSecond === undefined ? 'n/a' : `${(row.idleCpuMsPerSecond.median / 10).toFixed(1)} %`,
      formatNs((row.attachMs?.median ?? Number.NaN) * 1e6),
      row.serverStartMs === undefined ? '–' : formatNs(row.serverStartMs * 1e6),
      row.overwritten > 0 ? `${row.overwritten} replaced` : String(row.lost),
    ]);
  });
  const caption = `Round trip of ${report.settings.roundTripBytes} bytes at ${report.settings.ratePerSecond} a second; from idle: the first one after a silence; idle CPU: of all processes of the line, 100 % is one core.`;
  return table(
    caption,
    ['line', 'p50', 'p90', 'p99', 'p99.9', 'max', 'from idle', 'idle CPU', 'attach', 'server start', 'lost'],
    rows,
  );
}

function renderThroughput(report: CompareReport): string {
  const sizes = [...new Set(report.transports.flatMap((row) => row.throughput.map(({ bytes }) => bytes)))];
  const rows = report.transports
    .filter((row) => row.throughput.length > 0)
    .map((row) =>
      cells(
        row.title,
        sizes.map((bytes) => {
          const figure = row.throughput.find((size) => size.bytes === bytes);
          return figure
            ? `${formatCount(figure.messagesPerSecond.median)}/s<br><small>${formatBytes(figure.bytesPerSecond.median)}/s</small>`
            : '–';
        }),
      ),
    );
  const cpu = report.transports
    .filter((row) => row.throughput.length > 0)
    .map((row) =>
      cells(
        row.title,
        sizes.map((bytes) => formatCpu(row, bytes)),
      ),
    );
  return (
    table(
      'Messages one way by size, as fast as they go: messages and bytes per second.',
      ['line', ...sizes.map(formatBytes)],
      rows,
    ) +
    table('CPU time for one message: sender + server + receiver.', ['line', ...sizes.map(formatBytes)], cpu)
  );
}

function formatCpu(row: TransportFigure, bytes: number): string {
  const cpu = row.throughput.find((size) => size.bytes === bytes)?.cpuNsPerMessage;
  if (!cpu) return '–';
  return [cpu.near, cpu.server, cpu.far]
    .filter((side) => side !== undefined)
    .map(formatNs)
    .join(' + ');
}

function renderFanout(report: CompareReport): string {
  const { windows } = report.fanout;
  if (windows.length === 0 && report.logReaders.length === 0) return '';
  const rows = [
    ...report.logReaders.map((row) =>
      cells('log in shared memory', [
        String(row.readers),
        formatCount(row.deliveriesPerSecond.median),
        '–',
        row.deliveriesPerCpuSecond ? formatNs(1e9 / row.deliveriesPerCpuSecond.median) : 'n/a',
        String(row.lost),
      ]),
    ),
    ...windows.map((row) => {
      const server = row.deliveriesPerCpuSecond;
      return cells(row.target, [
        String(row.members),
        formatCount(row.deliveriesPerSecond.median),
        formatCount(server?.median),
        server ? formatNs(1e9 / server.median + row.loadCpuNsPerDelivery) : 'n/a',
        String(row.lost),
      ]);
    }),
  ];
  return table(
    'One to many: 64 bytes, 16 messages in flight until all have them. CPU for one delivery counts both sides.',
    ['from', 'receivers', 'deliveries/s', 'per server CPU-second', 'CPU for one', 'lost'],
    rows,
  );
}

function renderMemory(report: CompareReport): string {
  if (report.memory.length === 0) return '';
  const rows = report.memory.map((row) =>
    cells(row.target, [
      String(row.connections),
      formatBytes(row.beforeBytes),
      formatBytes(row.afterBytes),
      formatBytes(row.perConnectionBytes),
    ]),
  );
  return table(
    'Resident memory of the server with idle connections.',
    ['server', 'connections', 'before', 'after', 'each'],
    rows,
  );
}

function renderDifference(earlier: CompareReport, report: CompareReport): string {
  const rows = findChanges(earlier, report)
    .filter(({ verdict }) => verdict !== 'same')
    .map((row) => cells(row.title, [row.figure, row.before, row.after, row.ratio.toFixed(2), row.verdict]));
  const since = `commit ${earlier.machine.commit}, ${earlier.machine.date.slice(0, 10)}`;
  if (rows.length === 0)
    return `<p>Since ${escapeHtml(since)} nothing has changed that is clear of the noise.</p>`;
  return table(
    `What has changed since ${since}, where the rounds of both lie apart.`,
    ['line', 'figure', 'before', 'now', 'ratio', ''],
    rows,
  );
}

function renderDesign(): string {
  const rows = DESIGN_ROWS.map((row) => {
    const links = row.evidence.map(
      (path) =>
        `<a href="${TO_ROOT}${path}">${escapeHtml(path.replace(/^packages\//, '').replace('/src/', ': '))}</a>`,
    );
    return `<tr><th scope="row">${escapeHtml(row.aspect)}</th><td data-label="sockets">${escapeHtml(row.sockets)}</td><td data-label="shared memory">${escapeHtml(row.sharedMemory)}</td><td class="links">${links.join('<br>')}</td></tr>`;
  });
  return table('', ['', 'sockets', 'shared memory', 'see'], rows, 'wide');
}

function renderCode(report: CompareReport): string {
  const rows = report.code.map((row) =>
    cells(row.part, [
      String(row.files),
      String(row.codeLines),
      String(row.commentLines),
      String(row.exports),
    ]),
  );
  return table(
    'How much code of this repository each side is: lines of code, lines of comment, and names that a user can import.',
    ['part', 'files', 'code', 'comment', 'names'],
    rows,
  );
}

function renderMethod(report: CompareReport): string {
  const { rounds, roundTripBytes, ratePerSecond, elapsedMs } = report.settings;
  const items = [
    'Both ends are processes of their own; servers are a third one. Only MessagePort connects two threads of one process, because it cannot do more.',
    `${rounds} round${rounds === 1 ? '' : 's'} of everything, interleaved; each line is opened anew in each. Medians are shown; the JSON has the smallest and the largest.`,
    `Round trips of ${roundTripBytes} bytes start at a fixed rate of ${ratePerSecond} a second. Latency counts from the moment a message was due, so a stall is charged to all that it delayed. The first quarter is warm-up.`,
    'One-way messages are numbered; the receiver checks that each is the next one. At most 1,024 messages or 2 MiB are on their way, whichever is less.',
    '“Asked” lines ask for messages all the time on both sides, which takes a core each; “doorbell” lines sleep until they are woken.',
    'Bare sockets carry a length before each message, the least that one needs. The chat carries names, rooms, order, acknowledgements and history.',
    'CPU time is what the kernel’s scheduler has counted for all threads of each process; of MessagePort, whose two threads share one, it stands under the sender.',
    'The receiver looks at the header of a message and at nothing else; what a line copies to hand it over is in the figures, what a program does with it is not.',
    `It took ${Math.round(elapsedMs / 1000)} s. The rest is in docs/performance.md.`,
  ];
  return `<ul>${items.map((item) => `<li>${escapeHtml(item)}</li>`).join('')}</ul>`;
}

function cells(title: string, values: readonly string[]): string {
  return `<tr><th scope="row">${escapeHtml(title)}</th>${values.map((value) => `<td>${value}</td>`).join('')}</tr>`;
}

function table(
  caption: string,
  titles: readonly string[],
  rows: readonly string[],
  kind = 'numbers',
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
