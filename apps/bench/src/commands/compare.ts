/**
 * `npm run compare`: sockets, shared memory and what Node itself brings, measured on this machine, as tables,
 * pictures and JSON.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type FanoutFigures, runFanout } from '../fanout/benchmark.js';
import { allowedConnections, type MemoryFigure, measureMemory } from '../fanout/memory.js';
import { REPOSITORY_FOLDER } from '../harness/built-module.js';
import { listenForInterrupt } from '../harness/interrupt.js';
import { describeMachine } from '../harness/machine.js';
import { Progress } from '../harness/progress.js';
import { measurePairs } from '../pairs/benchmark.js';
import { LOG_READER, measureLogReaders, measureReaderMemory } from '../pairs/log-readers.js';
import { expectedMs, FULL_PLAN, type Plan, QUICK_PLAN } from '../pairs/plan.js';
import { type CompareReport, REPORT_FORMAT } from '../report/figures.js';
import { countCode } from '../report/prose/code-count.js';
import { writeReport } from '../report/report-folder.js';
import { formatCompareReport } from '../report/terminal.js';
import { fanoutOf, findPairs, findPeers } from '../ways/index.js';
import { parseCompareOptions } from './compare-options.js';

const FANOUT_PEERS = ['ws', 'socket.io', 'redis', 'nats'] as const;
const FANOUT_WINDOW = 16;
const FANOUT_BYTES = 64;
/** Connecting a thousand members to each of five servers, warming up, closing. */
const FANOUT_OVERHEAD_MS = 1100;
const MEMORY_MS = 3500;

const options = parseCompareOptions(process.argv.slice(2));
const plan: Plan = options.quick ? QUICK_PLAN : FULL_PLAN;
const report = options.render === undefined ? await measure() : readReport(options.render);
const now = new Date();
const stamp = now.toISOString().slice(0, 19).replaceAll(':', '-');
const folder = options.out ?? join(REPOSITORY_FOLDER, 'reports', stamp);
const earlier = options.against === undefined ? undefined : readReport(options.against);
const page = writeReport(folder, report, earlier);

if (options.json) {
  console.log(JSON.stringify(report, undefined, 2));
} else {
  console.log(formatCompareReport(report, earlier));
  console.log(`The report with its pictures: ${page}`);
}
const lost = report.transports.some((row) => row.lost > 0) || report.logReaders.some((row) => row.lost > 0);
if (lost || report.failures.length > 0) process.exitCode = 1;

async function measure(): Promise<CompareReport> {
  const signal = listenForInterrupt();
  const begin = performance.now();
  const { found, missing } = findPairs();
  const pairs = found.filter(({ id }) => !options.only || options.only.includes(id));
  const targets = [fanoutOf('chat'), ...findPeers(FANOUT_PEERS).found].map(({ fanout }) => fanout);
  const memoryTargets = [...targets, fanoutOf('chat (line)').fanout]
    .filter(({ name }) => plan.memoryOf.includes(name))
    .sort((left, right) => plan.memoryOf.indexOf(left.name) - plan.memoryOf.indexOf(right.name));
  const others = options.only === undefined;

  const fanoutMs =
    plan.fanoutMembers.length *
    targets.length *
    (FANOUT_OVERHEAD_MS + plan.fanoutRounds * plan.fanoutRoundMs);
  const logMs = plan.logReaders.length * plan.rounds * (plan.throughputMs + 500);
  const progress = new Progress(
    plan.rounds * pairs.length * expectedMs(plan) +
      (others ? fanoutMs + logMs + (memoryTargets.length + 1) * MEMORY_MS : 0),
    process.stderr,
  );
  const failures: string[] = [];
  const run = { pairs, plan, progress, signal, onFailure: (line: string) => void failures.push(line) };
  const measured = await measurePairs(run);
  const logReaders = others ? await measureLogReaders(run) : [];
  let fanout: FanoutFigures = { windows: [], paced: [], failures: [], otherWork: undefined };
  if (others && !signal.aborted) {
    let doneBefore = 0;
    fanout = await runFanout({
      targets,
      members: plan.fanoutMembers,
      windows: [FANOUT_WINDOW],
      payloadBytes: FANOUT_BYTES,
      roundMs: plan.fanoutRoundMs,
      rounds: plan.fanoutRounds,
      latencyRate: 0,
      verify: false,
      signal,
      onStep(what, done) {
        progress.step(what, (done - doneBefore) * fanoutMs);
        doneBefore = done;
      },
    });
  }
  const memory: MemoryFigure[] = [];
  const weigh = async (name: string, measureOne: () => Promise<MemoryFigure>): Promise<void> => {
    if (signal.aborted) return;
    progress.step(`memory of ${name}`, MEMORY_MS);
    try {
      memory.push(await measureOne());
    } catch (error) {
      failures.push(`memory of ${name}: ${(error as Error).message}`);
    }
  };
  if (others) {
    const connections = allowedConnections(plan.idleConnections);
    for (const target of memoryTargets) await weigh(target.name, () => measureMemory(target, connections));
    await weigh(LOG_READER, () => measureReaderMemory(plan.idleConnections));
  }
  progress.clear();
  return {
    format: REPORT_FORMAT,
    machine: describeMachine(new Date()),
    otherWork: Math.max(measured.otherWork, fanout.otherWork ?? 0),
    settings: {
      quick: plan.quick,
      rounds: plan.rounds,
      roundTripBytes: plan.roundTripBytes,
      ratePerSecond: plan.ratePerSecond,
      complete: !signal.aborted,
      elapsedMs: performance.now() - begin,
    },
    transports: measured.figures,
    fanout,
    logReaders,
    memory,
    code: countCode(REPOSITORY_FOLDER),
    missing,
    failures: [...failures, ...fanout.failures],
  };
}

function readReport(path: string): CompareReport {
  const report = JSON.parse(readFileSync(path, 'utf8')) as CompareReport;
  if (report.format !== REPORT_FORMAT) {
    throw new Error(`${path} has format ${report.format}, this program reads ${REPORT_FORMAT}`);
  }
  return report;
}
