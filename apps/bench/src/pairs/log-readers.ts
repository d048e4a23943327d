/** One writer of a log in shared memory and many readers of it in one other process: their rate, and their memory. */
import type { MemoryFigure } from '../fanout/memory.js';
import { runRounds } from '../harness/rounds.js';
import { type Spread, spreadOf } from '../harness/spread.js';
import type { PairRun } from './benchmark.js';
import { type Throughput, totalCpuNs } from './meter.js';
import { withLine } from './with-line.js';

const WINDOW = 16;
const BYTES = 64;

/** Name of a reader of a log in shared memory, beside connections to servers. */
export const LOG_READER = 'log in shared memory';

/** One reader of a log in shared memory, and many. */
export interface ReaderFigure {
  readonly readers: number;
  readonly deliveriesPerSecond: Spread;
  readonly deliveriesPerCpuSecond: Spread | undefined;
  readonly lost: number;
}

/** Deliveries to each number of readers that the plan has. */
export async function measureLogReaders(run: PairRun): Promise<ReaderFigure[]> {
  const entrants = run.plan.logReaders.map((readers) => ({
    title: `log with ${readers} readers`,
    readers,
    found: [] as Throughput[],
  }));
  await runRounds({
    entrants,
    rounds: run.plan.rounds,
    steps: [
      {
        name: '',
        measure: async ({ readers, found }) => void found.push(await measureOnce(run, readers)),
      },
    ],
    signal: run.signal,
    onStep: (what) => run.progress.step(what, run.plan.throughputMs + 500),
    onFailure: run.onFailure,
  });
  return entrants
    .filter(({ found }) => found.length > 0)
    .map(({ readers, found }) => summarize(readers, found));
}

/** What a reader takes: the memory of a process with many of them, less that of one with a single one. */
export async function measureReaderMemory(readers: number): Promise<MemoryFigure> {
  const beforeBytes = await farMemoryBytes(1);
  const afterBytes = await farMemoryBytes(1 + readers);
  return {
    target: LOG_READER,
    connections: readers,
    beforeBytes,
    afterBytes,
    perConnectionBytes: (afterBytes - beforeBytes) / readers,
  };
}

async function measureOnce({ plan }: PairRun, readers: number): Promise<Throughput> {
  return withLine({ pair: 'shm-log-readers', maxMessageBytes: BYTES, readers }, async (near) => {
    const traffic = { bytes: BYTES, window: WINDOW };
    await near.call('throughput', { ...traffic, durationMs: plan.warmUpMs / 2 });
    return near.call('throughput', { ...traffic, durationMs: plan.throughputMs });
  });
}

async function farMemoryBytes(readers: number): Promise<number> {
  const bytes = await withLine({ pair: 'shm-log-readers', maxMessageBytes: BYTES, readers }, async (near) =>
    near.call('farMemory', {}),
  );
  if (bytes === undefined) throw new Error('resident memory cannot be read on this system');
  return bytes;
}

function summarize(readers: number, found: readonly Throughput[]): ReaderFigure {
  const perCpuSecond = found.flatMap(({ messages, cpu }) => {
    const cpuNs = totalCpuNs(cpu);
    return cpuNs ? [(messages * readers * 1e9) / cpuNs] : [];
  });
  return {
    readers,
    deliveriesPerSecond: spreadOf(
      found.map(({ messages, elapsedMs }) => (messages * readers * 1000) / elapsedMs),
    )!,
    deliveriesPerCpuSecond: spreadOf(perCpuSecond),
    lost: found.reduce((sum, result) => sum + result.lost, 0),
  };
}
