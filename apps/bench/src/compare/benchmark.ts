/**
 * The comparison: round by round, each line is opened, measured and closed again, so that a slow minute of the
 * machine hits all of them and nothing that is not measured spins beside what is.
 *
 * An interrupt ends the run after the current measurement; what was found until then is kept.
 */
import { LatencyHistogram } from '../latency-histogram.js';
import { measureOtherWork } from '../machine.js';
import type { Remote } from '../process/remote.js';
import { median, type Spread, spreadOf } from '../spread.js';
import type { LatencyFigure, SizeFigure, TransportFigure } from './figures.js';
import { type CpuUse, type RoundTrips, type Throughput, totalCpuNs } from './meter.js';
import type { NearOperations } from './near.js';
import { expectedMs, type Plan, SMALL_MESSAGE_BYTES } from './plan.js';
import type { Progress } from './progress.js';
import type { Transport } from './transports.js';
import { withLine } from './with-line.js';

/** What runs of one transport have found so far. */
interface Collected {
  readonly roundTrips: LatencyHistogram[];
  readonly wakeUps: LatencyHistogram[];
  readonly throughput: Map<number, Throughput[]>;
  readonly idle: number[];
  readonly attachMs: number[];
  serverStartMs: number | undefined;
  /** Of each round. */
  readonly coreShares: number[];
  lost: number;
  overwritten: number;
  failed: boolean;
}

/** What {@link measureTransports} needs. */
export interface TransportRun {
  readonly transports: readonly Transport[];
  readonly plan: Plan;
  readonly progress: Progress;
  readonly signal: AbortSignal;
  /** Told of each failure; the line is left out from then on. */
  readonly onFailure: (line: string) => void;
}

const PERCENTS = [
  1, 5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 95, 97.5, 99, 99.5, 99.75, 99.9, 99.95, 99.99, 100,
];
const WARM_UP_BYTES = 64;

/** Measures all lines, in interleaved rounds. @returns figures, and the most that others used of the machine */
export async function measureTransports(
  run: TransportRun,
): Promise<{ figures: TransportFigure[]; otherWork: number }> {
  const collected = new Map<Transport, Collected>();
  for (const transport of run.transports) collected.set(transport, emptyCollection());
  let otherWork = (await measureOtherWork()) ?? 0;
  for (let round = 0; round < run.plan.rounds; round++) {
    const order = [...run.transports.slice(round), ...run.transports.slice(0, round)];
    for (const transport of order) {
      if (run.signal.aborted) break;
      run.progress.step(`round ${round + 1}, ${transport.title}`, expectedMs(run.plan));
      const into = collected.get(transport)!;
      if (into.failed) continue;
      try {
        await measureOnce(run, transport, into);
      } catch (error) {
        into.failed = true;
        run.onFailure(`${transport.title}: ${(error as Error).message}`);
      }
    }
    otherWork = Math.max(otherWork, (await measureOtherWork()) ?? 0);
  }
  const figures = [...collected]
    .filter(([, { roundTrips }]) => roundTrips.length > 0)
    .map(([transport, found]) => summarize(transport, found));
  return { figures, otherWork };
}

async function measureOnce(run: TransportRun, transport: Transport, into: Collected): Promise<void> {
  const { plan, signal } = run;
  const sizes = transport.latestOnly ? [] : plan.sizes;
  const small = sizes.filter((bytes) => bytes <= SMALL_MESSAGE_BYTES);
  const large = sizes.filter((bytes) => bytes > SMALL_MESSAGE_BYTES);
  const server = await transport.startServer?.();
  if (server) into.serverStartMs ??= server.startupMs;
  try {
    const { mechanism, inWorker = false } = transport;
    const line = { mechanism, inWorker, server };
    await withLine({ ...line, maxMessageBytes: SMALL_MESSAGE_BYTES }, async (near, attachMs) => {
      into.attachMs.push(attachMs);
      await warmUp(near, plan, transport, WARM_UP_BYTES);
      const trips = await near.call('roundTrips', {
        bytes: plan.roundTripBytes,
        ratePerSecond: plan.ratePerSecond,
        durationMs: plan.roundTripMs,
      });
      keep(trips, transport, into.roundTrips, into);
      if (transport.polls && trips.coreShare !== undefined) into.coreShares.push(trips.coreShare);
      for (const bytes of small) if (!signal.aborted) await measureSize(near, plan, bytes, into);
      // Who polls is never asleep.
      if (!transport.polls && !signal.aborted) {
        const wakes = await near.call('wakeUps', { count: plan.wakeUps, silenceMs: plan.silenceMs });
        keep(wakes, transport, into.wakeUps, into);
      }
      const idle = await near.call('idle', { durationMs: plan.idleMs });
      const cpuNs = totalCpuNs(idle.cpu);
      if (cpuNs !== undefined) into.idle.push(cpuNs / 1e6 / (idle.elapsedMs / 1000));
    });
    if (large.length > 0 && !signal.aborted) {
      await withLine({ ...line, maxMessageBytes: Math.max(...large) }, async (near) => {
        await warmUp(near, plan, transport, Math.min(...large));
        for (const bytes of large) if (!signal.aborted) await measureSize(near, plan, bytes, into);
      });
    }
  } finally {
    await server?.close();
  }
}

/** Fresh processes run code that is not compiled yet; nobody would keep them so. */
async function warmUp(
  near: Remote<NearOperations>,
  plan: Plan,
  transport: Transport,
  bytes: number,
): Promise<void> {
  if (transport.latestOnly) {
    await near.call('roundTrips', { bytes, ratePerSecond: plan.ratePerSecond, durationMs: plan.warmUpMs });
  } else {
    await near.call('throughput', { bytes, durationMs: plan.warmUpMs });
  }
}

async function measureSize(
  near: Remote<NearOperations>,
  plan: Plan,
  bytes: number,
  into: Collected,
): Promise<void> {
  const result = await near.call('throughput', { bytes, durationMs: plan.throughputMs });
  into.throughput.set(bytes, [...(into.throughput.get(bytes) ?? []), result]);
  into.lost += result.lost;
}

function keep(trips: RoundTrips, transport: Transport, list: LatencyHistogram[], into: Collected): void {
  list.push(LatencyHistogram.decode(trips.latency));
  if (transport.latestOnly) into.overwritten += trips.lost;
  else into.lost += trips.lost;
}

function summarize(transport: Transport, found: Collected): TransportFigure {
  const { id, title, family, level, polls } = transport;
  return {
    id,
    title,
    family,
    level,
    polls,
    coreShare: found.coreShares.length > 0 ? Math.min(...found.coreShares) : undefined,
    roundTrip: latencyFigure(found.roundTrips),
    wakeUp: latencyFigure(found.wakeUps),
    throughput: [...found.throughput].map(([bytes, results]) => sizeFigure(bytes, results)),
    idleCpuMsPerSecond: spreadOf(found.idle),
    attachMs: spreadOf(found.attachMs),
    serverStartMs: found.serverStartMs,
    lost: found.lost,
    overwritten: found.overwritten,
  };
}

function latencyFigure(histograms: readonly LatencyHistogram[]): LatencyFigure | undefined {
  const all = new LatencyHistogram();
  for (const histogram of histograms) all.add(histogram);
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
    bytesPerSecond: scale(spreadOf(perSecond)!, bytes),
    cpuNsPerMessage: { near: side('near'), far: side('far'), server: side('server') },
  };
}

function scale({ median: middle, min, max }: Spread, by: number): Spread {
  return { median: middle * by, min: min * by, max: max * by };
}

function emptyCollection(): Collected {
  return {
    roundTrips: [],
    wakeUps: [],
    throughput: new Map(),
    idle: [],
    attachMs: [],
    serverStartMs: undefined,
    coreShares: [],
    lost: 0,
    overwritten: 0,
    failed: false,
  };
}
