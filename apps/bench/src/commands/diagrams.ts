/**
 * `npm run diagrams -w chat-bench`: draws every Mermaid source of `docs/diagrams` with Mermaid in Chromium, and
 * leaves the SVG beside it. White paper under it, since pictures in a README lie on any background.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { REPOSITORY_FOLDER } from '../harness/built-module.js';
import { findProgram } from '../harness/server-process.js';
import { markPicture } from './diagram-mark.js';

const FOLDER = join(REPOSITORY_FOLDER, 'docs', 'diagrams');
const MERMAID = createRequire(import.meta.url).resolve('@mermaid-js/tiny/dist/mermaid.tiny.js');
/** As text, since it runs in the page. Labels are plain SVG text: HTML inside a picture is not shown everywhere. */
const DRAW = `async (source, name) => {
  mermaid.initialize({
    startOnLoad: false,
    theme: 'neutral',
    htmlLabels: false,
    flowchart: { htmlLabels: false, curve: 'basis', padding: 12, wrappingWidth: 340 },
    themeVariables: { fontFamily: 'system-ui, sans-serif', fontSize: '15px' },
    deterministicIds: true,
    deterministicIDSeed: name,
  });
  return (await mermaid.render('diagram-' + name, source)).svg;
}`;

const executablePath =
  findProgram('chromium') ?? findProgram('chromium-browser') ?? findProgram('google-chrome');
if (executablePath === undefined)
  throw new Error('chromium is needed to draw diagrams, and is not on the PATH');
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
try {
  const page = await browser.newPage({ viewport: { width: 1400, height: 1000 } });
  await page.addScriptTag({ path: MERMAID });
  for (const file of readdirSync(FOLDER).filter((name) => name.endsWith('.mmd'))) {
    const name = file.slice(0, -'.mmd'.length);
    const source = readFileSync(join(FOLDER, file), 'utf8');
    const svg = (await page.evaluate(
      `(${DRAW})(${JSON.stringify(source)}, ${JSON.stringify(name)})`,
    )) as string;
    const onPaper = svg.replace(/style="/, 'style="background: #fff; ');
    writeFileSync(join(FOLDER, `${name}.svg`), `${markPicture(onPaper, source)}\n`);
    console.log(`docs/diagrams/${name}.svg`);
  }
} finally {
  await browser.close();
}
