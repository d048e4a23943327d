/** What history gives up when memory is short, before newcomers are sent away. */
import type { ResolvedOptions } from '../options/options.js';
import type { FanOut } from './fan-out.js';
import type { Rooms } from './rooms.js';

/** When memory is short, history keeps this part of `maxLogBytes`. */
const KEPT_PART = 8;

/** Drops the oldest of the largest histories, but not all; answers the bytes that were freed. */
export function giveUpHistory(
  { rooms, fanOut, options }: { rooms: Rooms; fanOut: FanOut; options: ResolvedOptions },
  wantedBytes: number,
): number {
  const { budget } = rooms;
  const { maxLogBytes, maxMemoryBytes, logger } = options;
  const target = Math.max(budget.bytes - wantedBytes, Math.min(maxLogBytes, maxMemoryBytes / 4) / KEPT_PART);
  if (target >= budget.bytes) return 0;
  // Readers that read have everything then.
  fanOut.flushAll();
  const freed = budget.shrinkTo(target);
  if (freed > 0) logger.warn({ freed, left: budget.bytes }, 'short of memory: history is given up');
  return freed;
}
