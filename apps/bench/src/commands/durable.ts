/**
 * `npm run bench:durable`: what a log in a file costs, beside the same server without one, a bare SQLite loop, and other
 * servers that store; and what a large store costs.
 */
import { writeFileSync } from 'node:fs';
import { MEMORY, runDurable } from '../durable/benchmark.js';
import { listenForInterrupt } from '../harness/interrupt.js';
import { describeMachine } from '../harness/machine.js';
import { Progress } from '../harness/progress.js';
import { type DurableReport, formatDurableReport } from '../report/runs/durable.js';
import { findStoring } from '../ways/storing/index.js';
import { parseDurableOptions } from './durable-options.js';

const options = parseDurableOptions(process.argv.slice(2));
const progress = new Progress(1, process.stderr);
const figures = await runDurable({
  ...options,
  signal: listenForInterrupt(),
  onStep: (what, done) => progress.show(what, done),
});
progress.clear();

const { json, parts, ...settings } = options;
const report: DurableReport = {
  machine: describeMachine(new Date()),
  versions: Object.fromEntries([
    [MEMORY, 'this commit'],
    ...findStoring()
      .found.filter(({ program }) => program !== undefined)
      .map(({ name, version }) => [name, version()] as const),
  ]),
  settings: { ...settings, parts: [...parts] },
  figures,
};
if (json !== undefined) writeFileSync(json, `${JSON.stringify(report, undefined, 2)}\n`);
console.log(formatDurableReport(report));
const lost = [...(figures.fanout?.windows ?? []), ...(figures.fanout?.paced ?? []), ...figures.publish];
if (lost.some((figure) => figure.lost > 0) || figures.failures.length > 0) process.exitCode = 1;
