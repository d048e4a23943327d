/** The fan-out benchmark: every server in a process of its own, every load in one beside it. */
import { builtModule } from '../harness/built-module.js';
import { LatencyHistogram, type LatencySummary } from '../harness/latency-histogram.js';
import { Remote } from '../harness/remote.js';
import { runRounds, type Step } from '../harness/rounds.js';
import type { ServerProcess } from '../harness/server-process.js';
import { type Spread, spreadOf } from '../harness/spread.js';
import type { Fanout } from '../ways/way.js';
import type { PacedResult, WindowResult } from './audience.js';
import type { LoadOperations } from './load.js';

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
  readonly targets: readonly Fanout[];
  readonly members: readonly number[];
  readonly windows: readonly number[];
  readonly payloadBytes: number;
  readonly roundMs: number;
  readonly rounds: number;
  /** Messages a second for the latency; 0 leaves it out. */
  readonly latencyRate: number;
  readonly verify: boolean;
  /** Folder for CPU profiles of our server. */
  readonly profile?: string | undefined;
  /** Told before each step, with the share that is done. */
  readonly onStep?: (what: string, done: number) => void;
  /** Ends the run after the current step, keeping what was measured. */
  readonly signal?: AbortSignal;
}

const WARM_UP_MS = 400;
/** Latency needs no long rounds to be stable, but enough samples for a p99. */
const PACED_MS_PER_ROUND = 2500;

/** A server that is measured, and what was found of it. */
interface Contender {
  readonly title: string;
  readonly server: ServerProcess;
  readonly load: Remote<LoadOperations>;
  readonly windows: Map<number, WindowResult[]>;
  readonly paced: PacedResult[];
}

/** Runs everything, one number of members after the other. */
export async function runFanout(run: FanoutRun): Promise<FanoutFigures> {
  const windows: WindowFigure[] = [];
  const paced: PacedFigure[] = [];
  const failures: string[] = [];
  let otherWork = 0;
  for (const [index, members] of run.members.entries()) {
    const onStep = (what: string, done: number): void =>
      run.onStep?.(`${members} members, ${what}`, (index + done) / run.members.length);
    const contenders: Contender[] = [];
    try {
      for (const target of run.targets) {
        onStep(`starting ${target.name}`, 0);
        try {
          contenders.push(await connect(run, target, members));
        } catch (error) {
          failures.push(`${target.name}: ${(error as Error).message}`);
        }
      }
      const common = { signal: run.signal, onStep, onFailure: (line: string) => void failures.push(line) };
      const noise = await runRounds({
        ...common,
        entrants: contenders,
        rounds: run.rounds,
        steps: stepsOf(run),
      });
      otherWork = Math.max(otherWork, noise);
    } finally {
      for (const { load, server } of contenders) {
        await load.close();
        await server.close();
      }
    }
    for (const contender of contenders) {
      windows.push(...windowFigures(contender, members));
      if (contender.paced.length > 0) paced.push(pacedFigure(contender, members, run.latencyRate));
    }
  }
  return { windows, paced, failures, otherWork };
}

/** Starts the server and its load, and lets compiled code take the place of cold code. */
async function connect(run: FanoutRun, target: Fanout, members: number): Promise<Contender> {
  const { payloadBytes, verify, profile } = run;
  const load = new Remote<LoadOperations>(builtModule('fanout-load'));
  let server: ServerProcess | undefined;
  try {
    server = await target.startServer(profile);
    const { address, pid: serverPid } = server;
    await load.call('connect', {
      target: target.name,
      address,
      serverPid,
      members,
      payloadBytes,
      verify,
    });
    await load.call('window', { window: Math.max(...run.windows), durationMs: WARM_UP_MS });
    return { title: target.name, server, load, windows: new Map(), paced: [] };
  } catch (error) {
    await load.close();
    await server?.close();
    throw error;
  }
}

function stepsOf(run: FanoutRun): Step<Contender>[] {
  const windows = run.windows.map((window) => ({
    name: `window ${window}`,
    async measure({ load, windows: found }: Contender) {
      const result = await load.call('window', { window, durationMs: run.roundMs });
      found.set(window, [...(found.get(window) ?? []), result]);
    },
  }));
  const latency = {
    name: 'latency',
    async measure({ load, paced }: Contender) {
      const durationMs = Math.min(PACED_MS_PER_ROUND, run.roundMs * 1.5);
      paced.push(await load.call('paced', { ratePerSecond: run.latencyRate, durationMs }));
    },
  };
  return run.latencyRate > 0 ? [...windows, latency] : windows;
}

function windowFigures(contender: Contender, members: number): WindowFigure[] {
  return [...contender.windows].map(([window, results]) => ({
    target: contender.title,
    members,
    window,
    deliveriesPerSecond: spreadOf(results.map((row) => (row.deliveries / row.elapsedMs) * 1000))!,
    deliveriesPerCpuSecond: spreadOf(
      results.flatMap((row) => (row.serverCpuMs ? [(row.deliveries / row.serverCpuMs) * 1000] : [])),
    ),
    serverLoad: spreadOf(
      results.flatMap((row) => (row.serverCpuMs === undefined ? [] : [row.serverCpuMs / row.elapsedMs])),
    )?.median,
    loadCpuNsPerDelivery: spreadOf(results.map((row) => (row.loadCpuMs * 1e6) / Math.max(1, row.deliveries)))!
      .median,
    lost: sumOfLost(results),
  }));
}

function pacedFigure({ title, paced }: Contender, members: number, ratePerSecond: number): PacedFigure {
  const latencies = paced.map(({ latency }) => LatencyHistogram.decode(latency));
  const all = LatencyHistogram.sum(latencies);
  return {
    target: title,
    members,
    ratePerSecond,
    latency: all.summary(),
    p50Ns: spreadOf(latencies.map((histogram) => histogram.percentile(50)))!,
    p99Ns: spreadOf(latencies.map((histogram) => histogram.percentile(99)))!,
    histogram: all.encode(),
    serverCpuNsPerDelivery: spreadOf(
      paced.flatMap(({ serverCpuMs, published }) =>
        serverCpuMs === undefined ? [] : [(serverCpuMs * 1e6) / (published * members)],
      ),
    )?.median,
    lost: sumOfLost(paced),
  };
}

function sumOfLost(results: readonly { readonly lost: number }[]): number {
  return results.reduce((sum, { lost }) => sum + lost, 0);
}
