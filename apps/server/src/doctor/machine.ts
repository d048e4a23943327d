/** The machine: Node, descriptors, shared memory. */
import { readFileSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { createCheckedServer } from '../config/checked-server.js';
import { capacityFor } from '../workers/supervise.js';
import { type Check, inBytes, ok, problem, warning } from './check.js';

const OLDEST_NODE = 20;
/** Beside connections: the log, the database, the listeners. */
const OWN_DESCRIPTORS = 64;

export const nodeVersion: Check = ({ nodeVersion: version }) => {
  if (Number.parseInt(version, 10) >= OLDEST_NODE) return [ok('Node', `version ${version}`)];
  return [problem('Node', `version ${version} is too old`, `install Node ${OLDEST_NODE} or later`)];
};

export const descriptors: Check = ({ args, proc }) => {
  let text: string;
  try {
    text = readFileSync(join(proc, 'self', 'limits'), 'utf8');
  } catch {
    return [];
  }
  const limit = Number(/^Max open files\s+(\d+)/m.exec(text)?.[1] ?? Number.POSITIVE_INFINITY);
  const { maxSessions } = createCheckedServer(args.given, args.limits).limits();
  const perProcess = Math.ceil(maxSessions / (args.workers ?? 1));
  if (limit >= perProcess + OWN_DESCRIPTORS) return [ok('descriptors', `${limit} may be open`)];
  const sessions = Number.isFinite(maxSessions) ? `maxSessions is ${maxSessions}` : 'sessions have no limit';
  return [
    warning(
      'descriptors',
      `${limit} may be open, and each connection is one; ${sessions}`,
      'raise the limit (ulimit -n, LimitNOFILE= of systemd, ulimits of a container), or lower --max-sessions',
    ),
  ];
};

export const sharedMemory: Check = ({ args, shm }) => {
  if (args.workers === undefined || process.platform !== 'linux') return [];
  const needed = capacityFor(args);
  try {
    const { bavail, bsize } = statfsSync(shm);
    const free = bavail * bsize;
    if (free >= needed) return [ok('shared memory', `${inBytes(free)} free in ${shm}`)];
    return [
      problem(
        'shared memory',
        `${inBytes(free)} free in ${shm}, and the log of the workers takes ${inBytes(needed)}`,
        'give a container more (--shm-size 256m, or an emptyDir in memory at /dev/shm)',
      ),
    ];
  } catch (error) {
    const text = `${shm} cannot be used: ${(error as Error).message}`;
    return [problem('shared memory', text, 'mount a tmpfs there; --workers needs it')];
  }
};
