/**
 * What many cost: processes that want one mutex all the time, and channels on which nothing comes.
 *
 * A mutex is fair enough if nobody's worst wait is much more than one turn of each other. Channels that wait cost nothing if CPU time does not
 * grow with their number.
 */
import { randomBytes } from 'node:crypto';
import { builtModule } from '../harness/built-module.js';
import { Remote } from '../harness/remote.js';
import type { CrowdOperations, Idleness } from './crowd-process.js';

/** Processes at one mutex. */
export interface FairnessFigure {
  readonly processes: number;
  readonly turnsPerSecond: number;
  /** Turns of the one that had the fewest, beside those of the one that had the most. */
  readonly leastShare: number;
  readonly worstWaitMs: number;
}

/** Channels on which nothing comes. */
export interface IdleFigure extends Idleness {
  readonly channels: number;
}

export const CROWDS: readonly number[] = [2, 8];
export const HOLD_MS = 1;
const CONTEND_MS = 5000;
export const IDLE_CHANNELS = 400;
const REST_MS = 5000;
const SETTLE_MS = 1500;

/** Measures the mutex with each number of processes. */
export async function measureFairness(scale: number, signal?: AbortSignal): Promise<FairnessFigure[]> {
  const figures: FairnessFigure[] = [];
  for (const processes of CROWDS) {
    signal?.throwIfAborted();
    const durationMs = CONTEND_MS * scale;
    const outcomes = await withCrowd(processes, (crowd, name) =>
      Promise.all(crowd.map((one) => one.call('contend', { name, durationMs, holdMs: HOLD_MS }))),
    );
    const turns = outcomes.map((one) => one.turns);
    figures.push({
      processes,
      turnsPerSecond: (turns.reduce((sum, one) => sum + one, 0) * 1000) / durationMs,
      leastShare: Math.min(...turns) / Math.max(...turns),
      worstWaitMs: Math.max(...outcomes.map((one) => one.worstWaitMs)),
    });
  }
  return figures;
}

/** Measures one process that waits at many channels. */
export function measureIdleChannels(scale: number): Promise<IdleFigure> {
  return withCrowd(2, async ([near, far], name) => {
    await near!.call('open', { name, count: IDLE_CHANNELS, side: 'a' });
    await far!.call('open', { name, count: IDLE_CHANNELS, side: 'b' });
    await far!.call('rest', { durationMs: SETTLE_MS });
    const idleness = await far!.call('rest', { durationMs: Math.max(SETTLE_MS, REST_MS * scale) });
    for (const one of [near, far]) await one!.call('close', {});
    return { channels: IDLE_CHANNELS, ...idleness };
  });
}

async function withCrowd<R>(
  processes: number,
  work: (crowd: readonly Remote<CrowdOperations>[], name: string) => Promise<R>,
): Promise<R> {
  const crowd = Array.from(
    { length: processes },
    () => new Remote<CrowdOperations>(builtModule('shm-crowd')),
  );
  try {
    return await work(crowd, `bench-${randomBytes(6).toString('hex')}`);
  } finally {
    for (const one of crowd) await one.close();
  }
}
