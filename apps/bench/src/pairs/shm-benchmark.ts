/**
 * `npm run bench:shm`: the structures of `@chat/shm` by themselves, at full speed, beside what Node offers.
 *
 * Throughput is one way, message after message, the median of three floods. A round trip is one message of 64
 * bytes and its echo. Rings poll on both sides and need a core each; everything else sleeps while it waits.
 */
import { randomBytes } from 'node:crypto';
import { builtModule } from '../harness/built-module.js';
import { LatencyHistogram } from '../harness/latency-histogram.js';
import { Remote } from '../harness/remote.js';
import { type Rounds, runRounds } from '../harness/rounds.js';
import { median, type Spread, spreadOf } from '../harness/spread.js';
import { pairOf } from '../ways/index.js';
import { type FairnessFigure, type IdleFigure, measureFairness, measureIdleChannels } from './crowd.js';
import type { LogOperations } from './log-process.js';
import { withLine } from './with-line.js';

/** One way. */
export interface ShmRow {
  readonly id: string;
  readonly title: string;
  /** By size, in the order of {@link SHM_SIZES}; undefined where a message is too long for it. */
  readonly messagesPerSecond: readonly (number | undefined)[];
  readonly p50Ns: number;
  readonly p99Ns: number;
}

/** One writer of a log and its readers. */
export interface LogFigure {
  readonly batch: number;
  /** Entries that the readers had, all together, in each second. */
  readonly entriesPerSecond: Spread;
}

/** All figures. */
export interface ShmFigures {
  readonly rows: readonly ShmRow[];
  readonly log: readonly LogFigure[];
  /** CPU time of a reader that has nothing to read, as a share of a core. */
  readonly idleShare: number | undefined;
  readonly idleChannels: IdleFigure | undefined;
  readonly fairness: readonly FairnessFigure[];
  readonly otherWork: number;
  readonly failures: readonly string[];
}

/** Sizes of the messages, in bytes. */
export const SHM_SIZES: readonly number[] = [64, 1024, 65_536];
/** What the others are compared with. */
export const SHM_REFERENCE = 'unix';
/** Readers of the log. */
export const LOG_READERS = 3;

/** Messages of a flood by size, and round trips, by how fast a thing is. */
const POLLING = { counts: [6_000_000, 2_000_000, 60_000], trips: 400_000 };
const WOKEN = { counts: [1_500_000, 600_000, 30_000], trips: 4000 };
const KERNEL = { counts: [200_000, 100_000, 6000], trips: 4000 };

/** Rings for small messages take none that are longer than an eighth of them. */
const SMALL_RING_MESSAGE_BYTES = 8192;
const SMALL_RINGS = ['shm-ring', 'shm-ring-staged'];
const LOADS = {
  'shm-ring': POLLING,
  'shm-ring-staged': POLLING,
  'shm-ring-large': POLLING,
  'shm-channel-for-await': WOKEN,
  unix: KERNEL,
  tcp: KERNEL,
  'process-send': KERNEL,
  'message-port': KERNEL,
};
const FLOODS = 3;
const ROUND_TRIP_BYTES = 64;
/** Counts are multiples of this: messages that are published or timed together are all sent. */
const TOGETHER = 64;
const LOG_COUNT = 2_000_000;
const LOG_BATCHES = [1, 32];
const LOG_BYTES = 2 ** 20;
const IDLE_MS = 5000;
const SETTLE_MS = 1000;

/**
 * Measures the ways whose title contains `only`, and the log, an idle reader and a mutex where these words do.
 *
 * @param scale - share of the counts and times
 */
export async function measureShm(
  scale: number,
  only: string,
  run: Pick<Rounds<never>, 'signal' | 'onStep'> = {},
): Promise<ShmFigures> {
  const rows: ShmRow[] = [];
  const log: LogFigure[] = [];
  const failures: string[] = [];
  const fairness: FairnessFigure[] = [];
  let idleShare: number | undefined;
  let idleChannels: IdleFigure | undefined;
  const entrants = [
    ...Object.entries(LOADS).map(([id, load]) => {
      const { title } = pairOf(id).pair;
      return {
        title,
        measure: async () => void rows.push(await measureWay(id, title, load, scale, run.signal)),
      };
    }),
    { title: 'log', measure: async () => void log.push(...(await measureLog(scale, run.signal))) },
    {
      title: 'idle',
      measure: async () => {
        idleShare = await measureIdle(scale);
        idleChannels = await measureIdleChannels(scale);
      },
    },
    {
      title: 'mutex',
      measure: async () => void fairness.push(...(await measureFairness(scale, run.signal))),
    },
  ].filter(({ title }) => title.includes(only));
  const otherWork = await runRounds({
    entrants,
    rounds: 1,
    steps: [{ name: '', measure: ({ measure }: (typeof entrants)[number]) => measure() }],
    ...run,
    onFailure: (line) => void failures.push(line),
  });
  return { rows, log, idleShare, idleChannels, fairness, otherWork, failures };
}

function measureWay(
  id: string,
  title: string,
  load: typeof POLLING,
  scale: number,
  signal: AbortSignal | undefined,
): Promise<ShmRow> {
  return withLine({ pair: id, maxMessageBytes: Math.max(...SHM_SIZES) }, async (near) => {
    const messagesPerSecond: (number | undefined)[] = [];
    for (const [i, bytes] of SHM_SIZES.entries()) {
      if (SMALL_RINGS.includes(id) && bytes > SMALL_RING_MESSAGE_BYTES) {
        messagesPerSecond.push(undefined);
        continue;
      }
      const count = scaled(load.counts[i]!, scale);
      const rates: number[] = [];
      for (let flood = 0; flood <= FLOODS; flood++) {
        signal?.throwIfAborted();
        rates.push((count / (await near.call('flood', { bytes, count }))) * 1000);
      }
      // The first one finds cold code.
      messagesPerSecond.push(median(rates.slice(1)));
    }
    const trips = { bytes: ROUND_TRIP_BYTES, count: scaled(load.trips, scale) };
    await near.call('pingPong', trips);
    const latency = LatencyHistogram.decode(await near.call('pingPong', trips));
    return { id, title, messagesPerSecond, p50Ns: latency.percentile(50), p99Ns: latency.percentile(99) };
  });
}

/** One writer, three reliable readers, each in a process of its own. */
async function measureLog(scale: number, signal: AbortSignal | undefined): Promise<LogFigure[]> {
  const remotes = Array.from(
    { length: 1 + LOG_READERS },
    () => new Remote<LogOperations>(builtModule('shm-log')),
  );
  const [writer, ...readers] = remotes as [Remote<LogOperations>, ...Remote<LogOperations>[]];
  const name = `bench-${randomBytes(6).toString('hex')}`;
  try {
    for (const remote of remotes) {
      await remote.call('open', { name, capacityBytes: LOG_BYTES, reads: remote !== writer });
    }
    const figures: LogFigure[] = [];
    for (const batch of LOG_BATCHES) {
      const count = scaled(LOG_COUNT, scale);
      const rates: number[] = [];
      for (let flood = 0; flood <= FLOODS; flood++) {
        signal?.throwIfAborted();
        const start = performance.now();
        const read = Promise.all(readers.map((reader) => reader.call('read', { count })));
        await writer.call('append', { count, entryBytes: SHM_SIZES[0]!, batch });
        const lost = (await read).reduce((sum, entries) => sum + entries, 0);
        if (lost > 0) throw new Error(`reliable readers lost ${lost} entries`);
        rates.push((count * LOG_READERS * 1000) / (performance.now() - start));
      }
      figures.push({ batch, entriesPerSecond: spreadOf(rates.slice(1))! });
    }
    return figures;
  } finally {
    for (const reader of readers) await reader.close();
    await writer.call('close', {}).catch(() => {});
    await writer.close();
  }
}

/** @returns undefined where the system does not tell CPU times */
function measureIdle(scale: number): Promise<number | undefined> {
  return withLine({ pair: 'shm-channel', maxMessageBytes: SHM_SIZES[0]! }, async (near) => {
    await near.call('idle', { durationMs: SETTLE_MS });
    const { cpu, elapsedMs } = await near.call('idle', {
      durationMs: Math.max(SETTLE_MS, IDLE_MS * scale),
    });
    return cpu.far === undefined ? undefined : cpu.far / (elapsedMs * 1e6);
  });
}

function scaled(count: number, scale: number): number {
  return Math.ceil((count * scale) / TOGETHER) * TOGETHER;
}
