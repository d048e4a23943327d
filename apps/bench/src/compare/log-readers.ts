/** One writer of a log in shared memory and many readers of it in one other process: their rate, and their memory. */
import type { MemoryFigure } from '../fanout/memory.js';
import { spreadOf } from '../spread.js';
import type { TransportRun } from './benchmark.js';
import { LOG_READER } from './design.js';
import type { ReaderFigure } from './figures.js';
import { type Throughput, totalCpuNs } from './meter.js';
import { withLine } from './with-line.js';

const WINDOW = 16;
const BYTES = 64;

/** Deliveries to each number of readers that the plan has. */
export async function measureLogReaders(run: TransportRun): Promise<ReaderFigure[]> {
  const figures: ReaderFigure[] = [];
  for (const readers of run.plan.logReaders) {
    const found: Throughput[] = [];
    for (let round = 0; round < run.plan.rounds && !run.signal.aborted; round++) {
      run.progress.step(`log with ${readers} readers`, run.plan.throughputMs + 500);
      try {
        found.push(await measureOnce(run, readers));
      } catch (error) {
        run.onFailure(`log with ${readers} readers: ${(error as Error).message}`);
      }
    }
    if (found.length > 0) figures.push(summarize(readers, found));
  }
  return figures;
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

async function measureOnce({ plan }: TransportRun, readers: number): Promise<Throughput> {
  return withLine({ mechanism: 'shm-log-readers', maxMessageBytes: BYTES, readers }, async (near) => {
    const traffic = { bytes: BYTES, window: WINDOW };
    await near.call('throughput', { ...traffic, durationMs: plan.warmUpMs / 2 });
    return near.call('throughput', { ...traffic, durationMs: plan.throughputMs });
  });
}

async function farMemoryBytes(readers: number): Promise<number> {
  const bytes = await withLine(
    { mechanism: 'shm-log-readers', maxMessageBytes: BYTES, readers },
    async (near) => near.call('farMemory', {}),
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
