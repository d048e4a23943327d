/** What ways through shared memory have in common: how large they are, and what is said of them. */
import { alike, type End, type Line, type Pair, type PairParams } from '../way.js';

const MIN_CAPACITY_BYTES = 1_048_576;
const MESSAGE_SHARE = 8;
const HEADER_BYTES = 64;

/** A pair whose ends open the same segments by name. One that does not poll sleeps until a doorbell wakes it. */
export function memoryPair(
  title: string,
  polls: boolean,
  open: (params: PairParams, end: End) => Line,
): Pair {
  return {
    title,
    family: 'shared memory',
    level: 'library',
    polls,
    ends: alike((end, params) => open(params, end)),
  };
}

/** The defaults of the package, unless a message needs more. */
export function capacityFor(maxMessageBytes: number): number {
  let bytes = MIN_CAPACITY_BYTES;
  while (bytes < (maxMessageBytes + HEADER_BYTES) * MESSAGE_SHARE) bytes *= 2;
  return bytes;
}

/** Names of what an end writes and of what it reads. */
export function directions(unique: string, end: End): { outgoing: string; incoming: string } {
  const [there, back] = [`${unique}-there`, `${unique}-back`];
  return end === 'near' ? { outgoing: there, incoming: back } : { outgoing: back, incoming: there };
}

/** The loop that the package documents for reading in batches. */
export async function whileReadable(
  source: { readable(): Promise<boolean> },
  read: () => unknown,
): Promise<void> {
  while (await source.readable()) read();
}
