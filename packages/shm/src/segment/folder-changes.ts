/**
 * Has anything in a folder been made, removed or renamed? One look at the folder answers for all segments in it, so that hundreds of
 * handles cost no more than one.
 */
import { statSync } from 'node:fs';

/** For how long one look serves all who ask. */
const FRESH_MS = 450;
/** Times of files are this coarse, and finer: after a change, a second one within this time may leave no trace. */
const COARSE_MS = 100;
/** Folders that are remembered. Beyond, all are looked at anew. */
const MAX_FOLDERS = 64;

interface Look {
  readonly at: number;
  /** Undefined where they prove nothing. */
  readonly traces: string | undefined;
  readonly number: number;
}

const looks = new Map<string, Look>();
let lastNumber = 0;

/** A number that is another one than before when something in the folder may have changed since. */
export function folderChanges(directory: string): number {
  const now = performance.now();
  const last = looks.get(directory);
  if (last !== undefined && now - last.at < FRESH_MS) return last.number;
  const traces = tracesOf(directory);
  const isSame = traces !== undefined && traces === last?.traces;
  if (looks.size >= MAX_FOLDERS && last === undefined) looks.clear();
  const number = isSame ? last.number : ++lastNumber;
  looks.set(directory, { at: now, traces, number });
  return number;
}

function tracesOf(directory: string): string | undefined {
  try {
    const { dev, ino, mtimeNs, mtimeMs } = statSync(directory, { bigint: true });
    return Date.now() - Number(mtimeMs) > COARSE_MS ? `${dev} ${ino} ${mtimeNs}` : undefined;
  } catch {
    return undefined;
  }
}
