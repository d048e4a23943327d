/**
 * Fan-out against a plain `ws` broadcast, and our lines against the bare socket of the same kind. CPU time is
 * compared, not wall time: it is what survives a machine that has other things to do.
 */
import { runFanout } from '../fanout/benchmark.js';
import { Progress } from '../harness/progress.js';
import { measurePairs, type PairFigure } from '../pairs/benchmark.js';
import { totalCpuNs } from '../pairs/meter.js';
import { expectedMs, type Plan, QUICK_PLAN } from '../pairs/plan.js';
import { fanoutOf, pairOf } from '../ways/index.js';

const WINDOWS = [256, 16, 1];
const MEMBERS = 100;
const BYTES = 64;
const PLAN: Plan = {
  ...QUICK_PLAN,
  rounds: 3,
  roundTripMs: 150,
  sizes: [BYTES],
  throughputMs: 400,
  warmUpMs: 500,
  wakeUps: 1,
  idleMs: 10,
};

/** Our line, and what it is compared with. */
const PAIRS = [
  ['shm-channel', 'unix'],
  ['shm-log', 'unix'],
  ['chat-unix', 'unix'],
  ['chat-tcp', 'tcp'],
] as const;

/** @returns deliveries per server CPU-second as a multiple of those of `ws` */
export async function measureFanoutRatios(): Promise<Record<string, number>> {
  const { windows } = await runFanout({
    targets: ['chat', 'ws'].map((name) => fanoutOf(name).fanout),
    members: [MEMBERS],
    windows: WINDOWS,
    payloadBytes: BYTES,
    roundMs: 800,
    rounds: 3,
    latencyRate: 0,
    verify: false,
  });
  const perCpu = (target: string, window: number): number =>
    windows.find((row) => row.target === target && row.window === window)?.deliveriesPerCpuSecond?.median ??
    Number.NaN;
  return Object.fromEntries(
    WINDOWS.map((window) => [
      `fan-out at window ${window}, against ws`,
      perCpu('chat', window) / perCpu('ws', window),
    ]),
  );
}

/** @returns messages per CPU-second of both ends and the server, as a multiple of those of the bare socket */
export async function measurePairRatios(): Promise<Record<string, number>> {
  const pairs = [...new Set(PAIRS.flat())].map(pairOf);
  const { figures } = await measurePairs({
    pairs,
    plan: PLAN,
    progress: new Progress(PLAN.rounds * pairs.length * expectedMs(PLAN), process.stderr),
    signal: new AbortController().signal,
    onFailure: (line) => console.error(line),
  });
  const cpu = (id: string): number => totalCpu(figures.find((row) => row.id === id));
  return Object.fromEntries(
    PAIRS.map(([ours, bare]) => [`${ours} at ${BYTES} bytes, against bare ${bare}`, cpu(bare) / cpu(ours)]),
  );
}

function totalCpu(figure: PairFigure | undefined): number {
  const cpu = figure?.throughput[0]?.cpuNsPerMessage;
  return (cpu && totalCpuNs(cpu)) ?? Number.NaN;
}
