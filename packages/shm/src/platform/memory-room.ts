/**
 * How much memory is left before the kernel kills instead of refusing.
 *
 * Pages of a file in memory count against the limit of the container ("memory cgroup") of the process that first touches them. Where a
 * segment does not fit, its maker would be killed in the middle of it, without an error; so makers look here first. The limits
 * of all groups above ours count. What the kernel would throw away by itself (cached pages of files) does not.
 */
import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';

const V2_ROOT = '/sys/fs/cgroup';
const V1_ROOT = '/sys/fs/cgroup/memory';
/** Version 1 says "no limit" by a number near 2^63. */
const NO_LIMIT_BYTES = 2 ** 60;

/** Reads a small file; undefined where there is none. Given by tests. */
export type ReadText = (path: string) => string | undefined;

/** Bytes that may still be allocated, or infinity where nothing is known of a limit. */
export function memoryRoom(read: ReadText = readText): number {
  const groups = read('/proc/self/cgroup') ?? '';
  const v2 = /^0::(.*)$/m.exec(groups)?.[1];
  const v1 = /^\d+:(?:[^:]*,)?memory(?:,[^:]*)?:(.*)$/m.exec(groups)?.[1];
  return Math.min(
    roomBelow(V2_ROOT, v2 ?? '/', (folder) =>
      room(read, folder, 'memory.max', 'memory.current', /^(?:in)?active_file (\d+)$/gm),
    ),
    roomBelow(V1_ROOT, v1 ?? '/', (folder) =>
      room(
        read,
        folder,
        'memory.limit_in_bytes',
        'memory.usage_in_bytes',
        /^total_(?:in)?active_file (\d+)$/gm,
      ),
    ),
  );
}

/** The least room of a group and of all above it. */
function roomBelow(root: string, group: string, roomOf: (folder: string) => number): number {
  let least = Number.POSITIVE_INFINITY;
  for (let path = group.startsWith('/') ? group : '/'; ; path = dirname(path)) {
    least = Math.min(least, roomOf(path === '/' ? root : root + path));
    if (path === '/') return least;
  }
}

function room(read: ReadText, folder: string, limitFile: string, usageFile: string, cache: RegExp): number {
  const limit = Number.parseInt(read(`${folder}/${limitFile}`) ?? '', 10);
  const usage = Number.parseInt(read(`${folder}/${usageFile}`) ?? '', 10);
  if (Number.isNaN(limit) || Number.isNaN(usage) || limit >= NO_LIMIT_BYTES) return Number.POSITIVE_INFINITY;
  let cached = 0;
  for (const [, bytes] of (read(`${folder}/memory.stat`) ?? '').matchAll(cache)) cached += Number(bytes);
  return Math.max(0, limit - Math.max(0, usage - cached));
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return undefined;
  }
}
