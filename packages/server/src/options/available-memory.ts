/** How much memory this process may use: that of the machine, or of the container where it has less. */
import { totalmem } from 'node:os';

/** In bytes. */
export function availableMemoryBytes(): number {
  // Without a limit Node answers 0 or a number beyond any memory.
  const limit = process.constrainedMemory() || Number.POSITIVE_INFINITY;
  return Math.min(limit, totalmem());
}
