/**
 * What /proc tells of a process, for messages to people: "process 123, which is stopped".
 *
 * Nothing is decided by it. Death is proven by a lock of the kernel (see `byte-lock.ts`); here are the numbers by which a person finds a
 * process. Numbers of a process mean something in the pid namespace in which they were read, and nowhere else. Where any of
 * it cannot be read, as in a sandbox without /proc, the namespace is a number of its own, which equals no other.
 */
import { readFileSync, readlinkSync, statSync } from 'node:fs';

/** Names one thread of one process, so that its number cannot be confused with that of a later one. */
export interface Identity {
  /** Process id. */
  readonly pid: number;
  /** Thread id as the kernel numbers it; the process id for the main thread. 0 where it is not known. */
  readonly tid: number;
  /** Start time of the thread in clock ticks since boot; 0 where it is not known. */
  readonly startTicks: number;
  /** Hash of the pid and time namespaces; a random number where it is not known, so that it equals no other. */
  readonly namespace: number;
}

const unknownNamespace = 1 + Math.floor(Math.random() * (2 ** 31 - 2));

/** What can be said about a participant. `stopped` is alive and not running (SIGSTOP, debugger). */
export type Liveness = 'alive' | 'stopped' | 'dead' | 'unknown';

/** Describes the calling thread. Costs a few file reads: call it once and keep the result. */
export function currentIdentity(): Identity {
  const pid = process.pid;
  const none: Identity = { pid, tid: 0, startTicks: 0, namespace: unknownNamespace };
  if (process.platform !== 'linux') return none;
  try {
    // "<pid>/task/<tid>", in the numbers of the namespace of this /proc, which may be another than ours.
    const [seenPid, , tid] = readlinkSync('/proc/thread-self').split('/');
    if (Number(seenPid) !== pid) return none;
    const own = readStat(pid, Number(tid));
    if (own === undefined) return none;
    return {
      pid,
      tid: Number(tid),
      startTicks: own.startTicks,
      namespace: hash(`${statSync('/proc/self/ns/pid').ino} ${namespaceOf('time')}`),
    };
  } catch {
    return none;
  }
}

/**
 * Tells what can be seen of the thread that `identity` names by `observer`, who must be the calling thread's own
 * {@link currentIdentity}: nothing of another namespace, of one that has ended, or where /proc hides it.
 */
export function seenOf(identity: Identity, observer: Identity): 'alive' | 'stopped' | 'unknown' {
  if (identity.namespace !== observer.namespace) return 'unknown';
  const stat = readStat(identity.pid, identity.tid);
  // The number may be somebody else's by now; and a zombie is not alive.
  if (stat?.startTicks !== identity.startTicks || 'ZXx'.includes(stat.state)) return 'unknown';
  return 'Tt'.includes(stat.state) ? 'stopped' : 'alive';
}

interface ThreadStat {
  readonly state: string;
  readonly startTicks: number;
}

function readStat(pid: number, tid: number): ThreadStat | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/task/${tid}/stat`, 'latin1');
  } catch {
    return undefined;
  }
  // The second field is the name of the program, in parentheses, and may hold anything, parentheses too.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const startTicks = Number(fields[19]);
  return fields[0] === undefined || !(startTicks > 0) ? undefined : { state: fields[0], startTicks };
}

function namespaceOf(type: string): number {
  try {
    return statSync(`/proc/self/ns/${type}`).ino;
  } catch {
    return 0; // An older kernel without this kind of namespace.
  }
}

/** FNV-1a as a non-zero int32. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return value === 0 ? 1 : value | 0;
}
