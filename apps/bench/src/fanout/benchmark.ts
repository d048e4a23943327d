/**
 * The fan-out benchmark: every server in a process of its own, every load in one beside it, rounds
 * interleaved so that a slow minute of the machine hits all of them.
 */
import { LatencyHistogram, type LatencySummary } from '../latency-histogram.js';
import { measureOtherWork } from '../machine.js';
import { builtModule } from '../process/built-module.js';
import { Remote } from '../process/remote.js';
import type { ServerProcess } from '../process/server-process.js';
import { type Spread, spreadOf } from '../spread.js';
import type { WindowResult } from './audience.js';
import type { LoadOperations } from './load.js';
import type { Target } from './targets.js';

/** One server at one number of members and one window, over all rounds. */
export interface WindowFigure {
  readonly target: string;
  readonly members: number;
  readonly window: number;
  readonly deliveriesPerSecond: Spread;
  /** Undefined where the system does not tell CPU times. */
  readonly deliveriesPerCpuSecond: Spread | undefined;
  /** CPU time of the server as a share of the time that passed; above 1 with several threads. */
  readonly serverLoad: number | undefined;
  /** CPU time of the publisher and all subscribers, for one delivery. */
  readonly loadCpuNsPerDelivery: number;
  readonly lost: number;
}

/** One server at a fixed rate, over all rounds. */
export interface PacedFigure {
  readonly target: string;
  readonly members: number;
  readonly ratePerSecond: number;
  readonly latency: LatencySummary;
  /** The p50 of each round. */
  readonly p50Ns: Spread;
  readonly p99Ns: Spread;
  readonly histogram: string;
  readonly serverCpuNsPerDelivery: number | undefined;
  readonly lost: number;
}

/** All figures, and what went wrong. */
export interface FanoutFigures {
  readonly windows: readonly WindowFigure[];
  readonly paced: readonly PacedFigure[];
  readonly failures: readonly string[];
  /** Largest share of the machine that others used between the rounds. */
  readonly otherWork: number | undefined;
}

/** Options of {@link runFanout}. */
export interface FanoutRun {
  readonly targets: readonly Target[];
  readonly members: readonly number[];
  readonly windows: readonly number[];
  readonly payloadBytes: number;
  readonly roundMs: number;
  readonly rounds: number;
  /** Messages a second for the latency; 0 leaves it out. */
  readonly latencyRate: number;
  readonly verify: boolean;
  /** Told before each step, with the share that is done. */
  readonly onStep?: (what: string, done: number) => void;
  /** Ends the run after the current step, keeping what was measured. */
  readonly signal?: AbortSignal;
}

const WARM_UP_MS = 400;
/** Latency needs no long rounds to be stable, but enough samples for a p99. */
const PACED_MS_PER_ROUND = 2500;

interface Contender {
  readonly target: Target;
  readonly server: ServerProcess;
  readonly load: Remote<LoadOperations>;
  readonly windows: Map<number, WindowResult[]>;
  readonly latencies: LatencyHistogram[];
  readonly pacedCpuNs: number[];
  pacedLost: number;
  failed: boolean;
}

/** Runs everything, one number of members after the other. */
export async function runFanout(run: FanoutRun): Promise<FanoutFigures> {
  const windows: WindowFigure[] = [];
  const paced: PacedFigure[] = [];
  const failures: string[] = [];
  let otherWork = await measureOtherWork();
  for (const [index, members] of run.members.entries()) {
    const contenders = await connectAll(run, members, failures);
    try {
      const step = (what: string, done: number): void =>
        run.onStep?.(`${members} members, ${what}`, (index + done) / run.members.length);
      const noise = await runRounds(run, contenders, members, step, failures);
      otherWork = Math.max(otherWork ?? 0, noise);
    } finally {
      await closeAll(contenders);
    }
    for (const contender of contenders) {
      windows.push(...windowFigures(contender, members));
      const figure = pacedFigure(contender, members, run.latencyRate);
      if (figure) paced.push(figure);
    }
  }
  return { windows, paced, failures, otherWork };
}

async function connectAll(run: FanoutRun, members: number, failures: string[]): Promise<Contender[]> {
  const contenders: Contender[] = [];
  for (const target of run.targets) {
    run.onStep?.(`${members} members, starting ${target.name}`, 0);
    const load = new Remote<LoadOperations>(builtModule('fanout-load'));
    let server: ServerProcess | undefined;
    try {
      server = await target.start();
      const { wire } = target;
      const { address, pid: serverPid } = server;
      const { payloadBytes, verify } = run;
      await load.call('connect', { wire, address, serverPid, members, payloadBytes, verify });
      contenders.push({
        target,
        server,
        load,
        windows: new Map(),
        latencies: [],
        pacedCpuNs: [],
        pacedLost: 0,
        failed: false,
      });
    } catch (error) {
      failures.push(`${target.name}: ${(error as Error).message}`);
      await load.close();
      await server?.close();
    }
  }
  return contenders;
}

async function runRounds(
  run: FanoutRun,
  contenders: readonly Contender[],
  members: number,
  step: (what: string, done: number) => void,
  failures: string[],
): Promise<number> {
  for (const contender of contenders) {
    step(`warming up ${contender.target.name}`, 0);
    await attempt(contender, failures, () =>
      contender.load.call('window', { window: Math.max(...run.windows), durationMs: WARM_UP_MS }),
    );
  }
  let noise = 0;
  const steps = run.rounds * (run.windows.length + (run.latencyRate > 0 ? 1 : 0)) * contenders.length;
  let done = 0;
  for (let round = 0; round < run.rounds; round++) {
    for (const window of run.windows) {
      for (const contender of rotate(contenders, round)) {
        if (run.signal?.aborted) return noise;
        step(`window ${window}, round ${round + 1}, ${contender.target.name}`, done++ / steps);
        await attempt(contender, failures, async () => {
          const result = await contender.load.call('window', { window, durationMs: run.roundMs });
          contender.windows.set(window, [...(contender.windows.get(window) ?? []), result]);
        });
      }
    }
    if (run.latencyRate > 0) {
      for (const contender of rotate(contenders, round)) {
        if (run.signal?.aborted) return noise;
        step(`latency, round ${round + 1}, ${contender.target.name}`, done++ / steps);
        await attempt(contender, failures, () => measurePaced(run, contender, members));
      }
    }
    noise = Math.max(noise, (await measureOtherWork()) ?? 0);
  }
  return noise;
}

async function measurePaced(run: FanoutRun, contender: Contender, members: number): Promise<void> {
  const result = await contender.load.call('paced', {
    ratePerSecond: run.latencyRate,
    durationMs: Math.min(PACED_MS_PER_ROUND, run.roundMs * 1.5),
  });
  contender.latencies.push(LatencyHistogram.decode(result.latency));
  contender.pacedLost += result.lost;
  if (result.serverCpuMs !== undefined) {
    contender.pacedCpuNs.push((result.serverCpuMs * 1e6) / (result.published * members));
  }
}

/** A server that fails is left out from then on, and named; the others go on. */
async function attempt(
  contender: Contender,
  failures: string[],
  measure: () => Promise<unknown>,
): Promise<void> {
  if (contender.failed) return;
  try {
    await measure();
  } catch (error) {
    contender.failed = true;
    failures.push(`${contender.target.name}: ${(error as Error).message}`);
  }
}

async function closeAll(contenders: readonly Contender[]): Promise<void> {
  for (const { load, server } of contenders) {
    await load.close();
    await server.close();
  }
}

function windowFigures(contender: Contender, members: number): WindowFigure[] {
  const figures: WindowFigure[] = [];
  for (const [window, results] of contender.windows) {
    const perCpu = results.flatMap((result) =>
      result.serverCpuMs ? [(result.deliveries / result.serverCpuMs) * 1000] : [],
    );
    const loads = results.flatMap((result) =>
      result.serverCpuMs === undefined ? [] : [result.serverCpuMs / result.elapsedMs],
    );
    figures.push({
      target: contender.target.name,
      members,
      window,
      deliveriesPerSecond: spreadOf(results.map((result) => (result.deliveries / result.elapsedMs) * 1000))!,
      deliveriesPerCpuSecond: spreadOf(perCpu),
      serverLoad: spreadOf(loads)?.median,
      loadCpuNsPerDelivery: spreadOf(
        results.map((result) => (result.loadCpuMs * 1e6) / Math.max(1, result.deliveries)),
      )!.median,
      lost: results.reduce((sum, result) => sum + result.lost, 0),
    });
  }
  return figures;
}

function pacedFigure(contender: Contender, members: number, ratePerSecond: number): PacedFigure | undefined {
  if (contender.latencies.length === 0) return undefined;
  const all = new LatencyHistogram();
  for (const histogram of contender.latencies) all.add(histogram);
  return {
    target: contender.target.name,
    members,
    ratePerSecond,
    latency: all.summary(),
    p50Ns: spreadOf(contender.latencies.map((histogram) => histogram.percentile(50)))!,
    p99Ns: spreadOf(contender.latencies.map((histogram) => histogram.percentile(99)))!,
    histogram: all.encode(),
    serverCpuNsPerDelivery: spreadOf(contender.pacedCpuNs)?.median,
    lost: contender.pacedLost,
  };
}

/** Each round begins with another server. */
function rotate<T>(items: readonly T[], by: number): T[] {
  if (items.length === 0) return [];
  const start = by % items.length;
  return [...items.slice(start), ...items.slice(0, start)];
}
