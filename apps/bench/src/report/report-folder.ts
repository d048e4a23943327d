/**
 * Writes a report: the page with everything in it, and beside it a short form in Markdown, each picture as SVG,
 * the figures as CSV and the whole as JSON.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';
import { REPOSITORY_FOLDER } from '../harness/built-module.js';
import { renderCsv } from './csv.js';
import type { CompareReport } from './figures.js';
import { renderMarkdown } from './page/markdown.js';
import { renderPage } from './page/page.js';
import { drawPictures } from './pictures/pictures.js';

/** Text colours of pictures that stand alone: they do not inherit those of a page. */
const STANDALONE_STYLE =
  '<style>svg{color:#1c1c1c;background:#fff}' +
  '@media(prefers-color-scheme:dark){svg{color:#e8e8e8;background:#16181d}}</style>';

/** @returns the path of the page */
export function writeReport(
  folder: string,
  report: CompareReport,
  earlier: CompareReport | undefined,
): string {
  mkdirSync(folder, { recursive: true });
  const pictures = drawPictures(report);
  for (const { name, svg } of pictures) {
    writeFileSync(join(folder, `${name}.svg`), `${svg.replace(/(<svg[^>]*>)/, `$1${STANDALONE_STYLE}`)}\n`);
  }
  for (const [name, text] of Object.entries(renderCsv(report))) writeFileSync(join(folder, name), text);
  writeFileSync(join(folder, 'report.json'), `${JSON.stringify(report, undefined, 2)}\n`);
  const toRoot = `${relative(resolve(folder), REPOSITORY_FOLDER).split(sep).join('/')}/`;
  const surroundings = { pictures, earlier, toRoot };
  writeFileSync(join(folder, 'README.md'), renderMarkdown(report, surroundings));
  const page = join(folder, 'index.html');
  writeFileSync(page, renderPage(report, surroundings));
  return page;
}
