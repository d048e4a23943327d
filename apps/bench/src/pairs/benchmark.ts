/**
 * The comparison of pairs: in each round each line is opened, measured and closed again, so that nothing that is
 * not measured spins beside what is.
 */
import { LatencyHistogram, type LatencySummary } from '../harness/latency-histogram.js';
import type { Progress } from '../harness/progress.js';
import type { Remote } from '../harness/remote.js';
import { runRounds } from '../harness/rounds.js';
import { median, type Spread, spreadOf } from '../harness/spread.js';
import type { PairWay } from '../ways/index.js';
import type { Pair } from '../ways/way.js';
import type { NearOperations } from './ends/near.js';
import { type CpuUse, type RoundTrips, type Throughput, totalCpuNs } from './meter.js';
import { expectedMs, type Plan, SMALL_MESSAGE_BYTES } from './plan.js';
import { withLine } from './with-line.js';

/** One-way transfer at one size. */
export interface SizeFigure {
  readonly bytes: number;
  readonly messagesPerSecond: Spread;
  readonly bytesPerSecond: Spread;
  /** CPU time for one message, by side; undefined where the system does not tell or there is no such side. */
  readonly cpuNsPerMessage: CpuUse;
}

/** Latencies over all rounds. */
export interface LatencyFigure {
  readonly summary: LatencySummary;
  /** p50 of each round. */
  readonly p50Ns: Spread;
  /** Points of the distribution: which latency so many percent do not exceed. */
  readonly distribution: readonly { readonly percent: number; readonly ns: number }[];
}

/** All that was measured of one pair. */
export interface PairFigure extends Pick<Pair, 'title' | 'family' | 'level' | 'polls'> {
  readonly id: string;
  /**
   * Of a line that polls: the share of a core that the end got which got less, in the worst round. Undefined where the
   * system does not tell, and in older reports.
   */
  readonly coreShare?: number | undefined;
  readonly roundTrip: LatencyFigure | undefined;
  readonly wakeUp: LatencyFigure | undefined;
  readonly throughput: readonly SizeFigure[];
  /** CPU time of all processes together per second of silence, in milliseconds. */
  readonly idleCpuMsPerSecond: Spread | undefined;
  readonly attachMs: Spread | undefined;
  readonly serverStartMs: number | undefined;
  readonly lost: number;
  /** Only for lines where a later value replaces an earlier one. */
  readonly overwritten: number;
}

/** What {@link measurePairs} needs. */
export interface PairRun {
  readonly pairs: readonly PairWay[];
  readonly plan: Plan;
  readonly progress: Progress;
  readonly signal: AbortSignal;
  /** Told of each failure; the line is left out from then on. */
  readonly onFailure: (line: string) => void;
}

/** One pair, and what its rounds have found so far. */
class Candidate {
  readonly id: string;
  readonly pair: Pair;
  readonly roundTrips: RoundTrips[] = [];
  readonly wakeUps: RoundTrips[] = [];
  readonly throughput = new Map<number, Throughput[]>();
  readonly idleCpuMsPerSecond: number[] = [];
  readonly attachMs: number[] = [];
  serverStartMs: number | undefined;

  constructor({ id, pair }: PairWay) {
    this.id = id;
    this.pair = pair;
  }

  get title(): string {
    return this.pair.title;
  }
}

const PERCENTS = [
  1, 5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 95, 97.5, 99, 99.5, 99.75, 99.9, 99.95, 99.99, 100,
];
const WARM_UP_BYTES = 64;

/** Measures all lines, in interleaved rounds. @returns figures, and the most that others used of the machine */
export async function measurePairs(run: PairRun): Promise<{ figures: PairFigure[]; otherWork: number }> {
  const entrants = run.pairs.map((way) => new Candidate(way));
  const otherWork = await runRounds({
    entrants,
    rounds: run.plan.rounds,
    steps: [{ name: '', measure: (candidate: Candidate) => measureOnce(run, candidate) }],
    signal: run.signal,
    onStep: (what) => run.progress.step(what, expectedMs(run.plan)),
    onFailure: run.onFailure,
  });
  const figures = entrants.filter(({ roundTrips }) => roundTrips.length > 0).map(summarize);
  return { figures, otherWork };
}

async function measureOnce({ plan, signal }: PairRun, into: Candidate): Promise<void> {
  const { id, pair } = into;
  const sizes = pair.latestOnly ? [] : plan.sizes;
  const small = sizes.filter((bytes) => bytes <= SMALL_MESSAGE_BYTES);
  const large = sizes.filter((bytes) => bytes > SMALL_MESSAGE_BYTES);
  const server = await pair.startServer?.();
  if (server) into.serverStartMs ??= server.startupMs;
  const measureSizes = async (near: Remote<NearOperations>, some: readonly number[]): Promise<void> => {
    for (const bytes of some) {
      if (signal.aborted) return;
      const result = await near.call('throughput', { bytes, durationMs: plan.throughputMs });
      into.throughput.set(bytes, [...(into.throughput.get(bytes) ?? []), result]);
    }
  };
  try {
    await withLine({ pair: id, server, maxMessageBytes: SMALL_MESSAGE_BYTES }, async (near, attachMs) => {
      into.attachMs.push(attachMs);
      await warmUp(near, plan, pair, WARM_UP_BYTES);
      const { roundTripBytes: bytes, ratePerSecond, roundTripMs: durationMs } = plan;
      into.roundTrips.push(await near.call('roundTrips', { bytes, ratePerSecond, durationMs }));
      await measureSizes(near, small);
      // A line that polls is never asleep.
      if (!pair.polls && !signal.aborted) {
        const { wakeUps: count, silenceMs } = plan;
        into.wakeUps.push(await near.call('wakeUps', { count, silenceMs }));
      }
      const idle = await near.call('idle', { durationMs: plan.idleMs });
      const cpuNs = totalCpuNs(idle.cpu);
      if (cpuNs !== undefined) into.idleCpuMsPerSecond.push(cpuNs / 1e6 / (idle.elapsedMs / 1000));
    });
    if (large.length > 0 && !signal.aborted) {
      await withLine({ pair: id, server, maxMessageBytes: Math.max(...large) }, async (near) => {
        await warmUp(near, plan, pair, Math.min(...large));
        await measureSizes(near, large);
      });
    }
  } finally {
    await server?.close();
  }
}

/** Fresh processes run code that is not compiled yet; nobody would keep them so. */
async function warmUp(near: Remote<NearOperations>, plan: Plan, pair: Pair, bytes: number): Promise<void> {
  const { ratePerSecond, warmUpMs: durationMs } = plan;
  if (pair.latestOnly) await near.call('roundTrips', { bytes, ratePerSecond, durationMs });
  else await near.call('throughput', { bytes, durationMs });
}

function summarize(found: Candidate): PairFigure {
  const { title, family, level, polls, latestOnly } = found.pair;
  const coreShares = polls ? found.roundTrips.flatMap(({ coreShare }) => coreShare ?? []) : [];
  const unanswered = sumOfLost([...found.roundTrips, ...found.wakeUps]);
  return {
    id: found.id,
    title,
    family,
    level,
    polls,
    coreShare: coreShares.length > 0 ? Math.min(...coreShares) : undefined,
    roundTrip: latencyFigure(found.roundTrips),
    wakeUp: latencyFigure(found.wakeUps),
    throughput: [...found.throughput].map(([bytes, results]) => sizeFigure(bytes, results)),
    idleCpuMsPerSecond: spreadOf(found.idleCpuMsPerSecond),
    attachMs: spreadOf(found.attachMs),
    serverStartMs: found.serverStartMs,
    lost: sumOfLost([...found.throughput.values()].flat()) + (latestOnly ? 0 : unanswered),
    overwritten: latestOnly ? unanswered : 0,
  };
}

function sumOfLost(results: readonly { readonly lost: number }[]): number {
  return results.reduce((sum, { lost }) => sum + lost, 0);
}

function latencyFigure(trips: readonly RoundTrips[]): LatencyFigure | undefined {
  const histograms = trips.map(({ latency }) => LatencyHistogram.decode(latency));
  const all = LatencyHistogram.sum(histograms);
  if (all.count === 0) return undefined;
  return {
    summary: all.summary(),
    p50Ns: spreadOf(histograms.map((histogram) => histogram.percentile(50)))!,
    distribution: PERCENTS.map((percent) => ({ percent, ns: all.percentile(percent) })),
  };
}

function sizeFigure(bytes: number, results: readonly Throughput[]): SizeFigure {
  const perSecond = results.map((result) => (result.messages / result.elapsedMs) * 1000);
  const side = (name: keyof CpuUse): number | undefined => {
    const values = results.flatMap(({ cpu, messages }) =>
      cpu[name] === undefined || messages === 0 ? [] : [cpu[name] / messages],
    );
    return values.length === 0 ? undefined : median(values);
  };
  return {
    bytes,
    messagesPerSecond: spreadOf(perSecond)!,
    bytesPerSecond: spreadOf(perSecond.map((messages) => messages * bytes))!,
    cpuNsPerMessage: { near: side('near'), far: side('far'), server: side('server') },
  };
}
