/** The figures of several processes as those of one. */
import type { ServerStats } from '@chat/server';

/** What each of them has whole. */
const SHARED: ReadonlySet<string> = new Set<keyof ServerStats>(['rooms']);

/** @param all of one process at least */
export function sumOfStats(all: readonly ServerStats[]): ServerStats {
  const sum: Record<string, unknown> = { ...all[0] };
  const closes = new Map<number, number>();
  for (const [i, stats] of all.entries()) {
    for (const [code, count] of stats.closes) closes.set(code, (closes.get(code) ?? 0) + count);
    if (i === 0) continue;
    for (const [name, value] of Object.entries(stats)) {
      if (typeof value !== 'number') continue;
      const before = sum[name] as number;
      sum[name] = SHARED.has(name) ? Math.max(before, value) : before + value;
    }
  }
  return { ...sum, closes } as unknown as ServerStats;
}
