/**
 * `npm run bench:fanout`: how many deliveries a server makes of one message to many, what each costs in CPU
 * time, how long it takes, and what an idle connection weighs. Beside it what others do on the same machine
 * in the same minutes.
 */
import { writeFileSync } from 'node:fs';
import { runFanout } from '../fanout/benchmark.js';
import { allowedConnections, type MemoryFigure, measureMemory } from '../fanout/memory.js';
import { listenForInterrupt } from '../harness/interrupt.js';
import { describeMachine } from '../harness/machine.js';
import { Progress } from '../harness/progress.js';
import { type FanoutReport, formatFanoutReport } from '../report/runs/fanout.js';
import { workersName } from '../ways/chat/chat.js';
import { fanoutOf, findPeers } from '../ways/index.js';
import { parseFanoutOptions } from './fanout-options.js';

const options = parseFanoutOptions(process.argv.slice(2));
const { found, missing } = findPeers(options.peers);
const chat = options.dialect === 'websocket' ? 'chat (websocket)' : 'chat';
const chats = options.memory || options.dialect === 'line' ? ['chat', 'chat (line)'] : [chat];
const targets = [...chats.map(fanoutOf), ...options.workers.map(workersName).map(fanoutOf), ...found].map(
  ({ fanout }) => fanout,
);
const signal = listenForInterrupt();
const progress = new Progress(1, process.stderr);

const memory: MemoryFigure[] = [];
const failures: string[] = [];
let otherWork: number | undefined;
let figures: FanoutReport['figures'] = { windows: [], paced: [], failures, otherWork };
if (options.memory) {
  const connections = allowedConnections(options.idleConnections);
  for (const [i, target] of targets.entries()) {
    if (signal.aborted) break;
    progress.show(`${connections} idle connections, ${target.name}`, i / targets.length);
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
    onStep: (what, done) => progress.show(what, done),
  });
  otherWork = figures.otherWork;
}
progress.clear();

const { members, windows, payloadBytes, roundMs, rounds, verify, latencyRate } = options;
const report: FanoutReport = {
  machine: describeMachine(new Date()),
  versions: Object.fromEntries(targets.map(({ name, version }) => [name, version()])),
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
