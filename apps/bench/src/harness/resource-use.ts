/**
 * What the operating system says that a process has used: CPU time and resident memory, read from `/proc`.
 *
 * The whole process is counted, all threads, user and system time. Elsewhere than on Linux the answer is
 * `undefined` and reports say `n/a`: a number from another source would not be comparable.
 */
import { readdirSync, readFileSync } from 'node:fs';

// The kernel counts in ticks of USER_HZ for user space, which is 100 on every platform that Node runs on.
const MS_PER_TICK = 10;

/** CPU time that process `pid` and its children that live have used since their start, in milliseconds, in steps of 10. */
export function readCpuMs(pid: number): number | undefined {
  const stat = readProc(pid, 'stat');
  const own = stat === undefined ? undefined : parseCpuMs(stat);
  if (own === undefined) return undefined;
  const children = readProc(pid, `task/${pid}/children`)?.split(' ').filter(Boolean) ?? [];
  return children.reduce((sum, child) => sum + (readCpuMs(Number(child)) ?? 0), own);
}

/** Resident memory of process `pid` in bytes. */
export function readRssBytes(pid: number): number | undefined {
  const status = readProc(pid, 'status');
  return status === undefined ? undefined : parseRssBytes(status);
}

/**
 * CPU time of the living threads of `pid` in nanoseconds, from the scheduler's own count. Finer than
 * {@link readCpuMs}, but a thread that has ended is missing from it: for short measurements of processes
 * whose threads stay.
 */
export function readThreadCpuNs(pid: number): number | undefined {
  let threads: string[];
  try {
    threads = readdirSync(`/proc/${pid}/task`);
  } catch {
    return undefined;
  }
  let sum = 0;
  for (const thread of threads) {
    const text = readProc(pid, `task/${thread}/schedstat`);
    const ns = Number(text?.split(' ')[0]);
    if (Number.isFinite(ns)) sum += ns;
  }
  return sum;
}

/** Reads utime + stime from the text of `/proc/<pid>/stat`. */
export function parseCpuMs(stat: string): number | undefined {
  // The second field is the program's name in brackets, and may hold spaces and brackets itself.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[11]) + Number(fields[12]);
  return Number.isFinite(ticks) ? ticks * MS_PER_TICK : undefined;
}

/** Reads `VmRSS` from the text of `/proc/<pid>/status`. */
export function parseRssBytes(status: string): number | undefined {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
  return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
}

/** How many files this process may open, from the text of `/proc/<pid>/limits`. */
export function readMaxOpenFiles(): number | undefined {
  const soft = /^Max open files\s+(\d+)/m.exec(readProc(process.pid, 'limits') ?? '')?.[1];
  return soft === undefined ? undefined : Number(soft);
}

function readProc(pid: number, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return undefined;
  }
}
