/** How much memory a server takes where nothing is said: a part of what the machine, or the container, has. */
import { totalmem } from 'node:os';

const DEFAULT_SHARE = 0.85;

/** Most of what the machine, or the container, has. */
export function defaultMaxMemoryBytes(): number {
  // Without a limit Node answers 0 or a number beyond any memory.
  const limit = process.constrainedMemory() || Number.POSITIVE_INFINITY;
  return Math.floor(Math.min(limit, totalmem()) * DEFAULT_SHARE);
}
