/**
 * How the codec paths compare with JSON, as the median of several processes: what the compiler makes of the same loop
 * differs from one process to the next by a factor of two and more.
 */
import { builtModule } from '../harness/built-module.js';
import { Remote } from '../harness/remote.js';
import { median } from '../harness/spread.js';
import type { CodecOperations } from './codec-process.js';

const PROCESSES = 7;

/** @returns how many times as fast as JSON each path is */
export async function measureCodecRatios(): Promise<Record<string, number>> {
  const found: Record<string, number>[] = [];
  for (let i = 0; i < PROCESSES; i++) {
    const remote = new Remote<CodecOperations>(builtModule('check-codecs'));
    try {
      found.push(await remote.call('measure', {}));
    } finally {
      await remote.close();
    }
  }
  return Object.fromEntries(
    Object.keys(found[0]!).map((name) => [name, median(found.map((ratios) => ratios[name]!))]),
  );
}
