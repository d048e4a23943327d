/**
 * `npm run bench:fanout`: how many deliveries a server makes of one message to many, what each costs in CPU
 * time, how long it takes, and what an idle connection weighs. Beside it what others do on the same machine
 * in the same minutes.
 */
import { writeFileSync } from 'node:fs';
import { describeMachine } from '../machine.js';
import { listenForInterrupt } from '../process/interrupt.js';
import { runFanout } from './benchmark.js';
import { allowedConnections, type MemoryFigure, measureMemory } from './memory.js';
import { parseFanoutOptions } from './options.js';
import { type FanoutReport, formatFanoutReport } from './report.js';
import { chatTarget, findTargets, type Target } from './targets.js';

const options = parseFanoutOptions(process.argv.slice(2));
const { found, missing } = findTargets(options.peers);
const withLines = options.memory || options.dialect === 'line';
const chats = withLines ? (['binary', 'line'] as const) : ([options.dialect] as const);
const targets: Target[] = [...chats.map((dialect) => chatTarget(dialect, options.profile)), ...found];
const signal = listenForInterrupt();

const memory: MemoryFigure[] = [];
const failures: string[] = [];
let otherWork: number | undefined;
let figures: FanoutReport['figures'] = { windows: [], paced: [], failures, otherWork };
if (options.memory) {
  const connections = allowedConnections(options.idleConnections);
  for (const target of targets) {
    if (signal.aborted) break;
    showStep(`${connections} idle connections, ${target.name}`);
    try {
      memory.push(await measureMemory(target, connections));
    } catch (error) {
      failures.push(`${target.name}: ${(error as Error).message}`);
    }
  }
} else {
  figures = await runFanout({
    ...options,
    targets,
    signal,
    onStep: (what, done) => showStep(`${Math.round(done * 100)} % ${what}`),
  });
  otherWork = figures.otherWork;
}
showStep('');

const { members, windows, payloadBytes, roundMs, rounds, verify, latencyRate } = options;
const report: FanoutReport = {
  machine: describeMachine(new Date()),
  versions: Object.fromEntries(targets.map((target) => [target.name, target.version])),
  settings: { members, windows, payloadBytes, roundMs, rounds, verify, latencyRate },
  figures,
  memory,
  missing,
};
if (options.json === true) {
  console.log(JSON.stringify(report, undefined, 2));
} else {
  if (options.json) writeFileSync(options.json, `${JSON.stringify(report, undefined, 2)}\n`);
  console.log(formatFanoutReport(report));
}
const lost = [...figures.windows, ...figures.paced].some((figure) => figure.lost > 0);
if (lost || figures.failures.length > 0) process.exitCode = 1;

function showStep(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}
