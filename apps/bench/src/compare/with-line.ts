/** Opens a line between two fresh processes, lets it be measured, and closes it whatever happens. */
import { randomBytes } from 'node:crypto';
import { builtModule } from '../process/built-module.js';
import { Remote } from '../process/remote.js';
import type { ServerProcess } from '../process/server-process.js';
import type { MechanismName } from './lines/index.js';
import type { NearOperations } from './near.js';

/** Which line. */
export interface LineToOpen {
  readonly mechanism: MechanismName;
  readonly maxMessageBytes: number;
  /** The far end is a thread of the near end's process. */
  readonly inWorker?: boolean;
  /** Readers at the far end, for lines that can have many. */
  readonly readers?: number;
  /** The server between the two ends, for lines that have one. */
  readonly server?: ServerProcess | undefined;
}

const CLOSE_TIMEOUT_MS = 2000;

/** @param measure - given the near end, and how long the far end took to attach */
export async function withLine<T>(
  { mechanism, maxMessageBytes, inWorker = false, readers = 1, server }: LineToOpen,
  measure: (near: Remote<NearOperations>, attachMs: number) => Promise<T>,
): Promise<T> {
  const near = new Remote<NearOperations>(builtModule('compare-near'));
  try {
    const { attachMs } = await near.call('open', {
      mechanism,
      inWorker,
      unique: `bench-${randomBytes(6).toString('hex')}`,
      maxMessageBytes,
      readers,
      server: server && { address: server.address, pid: server.pid },
    });
    return await measure(near, attachMs);
  } finally {
    await close(near);
  }
}

/** Also after a failure: segments, sockets and folders are to be given up by those who made them. */
async function close(near: Remote<NearOperations>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, CLOSE_TIMEOUT_MS);
  });
  await Promise.race([near.call('close', {}).catch(() => {}), late]);
  clearTimeout(timer);
  await near.close();
}
