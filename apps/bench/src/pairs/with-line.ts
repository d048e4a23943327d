/** Opens a line between two fresh processes, lets it be measured, and closes it whatever happens. */
import { randomBytes } from 'node:crypto';
import { builtModule } from '../harness/built-module.js';
import { Remote } from '../harness/remote.js';
import type { ServerProcess } from '../harness/server-process.js';
import type { NearOperations } from './ends/near.js';

/** Which line. */
export interface LineToOpen {
  /** Id of the pair. */
  readonly pair: string;
  readonly maxMessageBytes: number;
  /** Readers at the far end, for lines that can have many. */
  readonly readers?: number;
  /** The server between the two ends, for lines that have one. */
  readonly server?: ServerProcess | undefined;
}

const CLOSE_TIMEOUT_MS = 2000;

/** @param measure - given the near end, and how long the far end took to attach */
export async function withLine<T>(
  { pair, maxMessageBytes, readers = 1, server }: LineToOpen,
  measure: (near: Remote<NearOperations>, attachMs: number) => Promise<T>,
): Promise<T> {
  const near = new Remote<NearOperations>(builtModule('pair-near'));
  try {
    const attachMs = await near.call('open', {
      pair,
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
