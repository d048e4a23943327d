/**
 * What an idle connection weighs: resident memory of a fresh server before and after it has taken N of them,
 * read when it no longer changes. Nothing is done to make a server give memory back; people do not either.
 */
import { builtModule } from '../harness/built-module.js';
import { Remote } from '../harness/remote.js';
import { readMaxOpenFiles, readRssBytes } from '../harness/resource-use.js';
import type { Fanout } from '../ways/way.js';
import type { LoadOperations } from './load.js';

/** Memory of one server. */
export interface MemoryFigure {
  readonly target: string;
  readonly connections: number;
  readonly beforeBytes: number;
  readonly afterBytes: number;
  readonly perConnectionBytes: number;
}

/** Files that a process needs for other things than these connections. */
const SPARE_FILES = 200;
const SETTLE_STEP_MS = 250;
const SETTLE_STEPS = 40;
const SETTLED_BYTES = 128 * 1024;

/** How many connections this machine allows, of those wanted. */
export function allowedConnections(wanted: number): number {
  const files = readMaxOpenFiles();
  return files === undefined ? wanted : Math.max(1, Math.min(wanted, files - SPARE_FILES));
}

/** Measures one server. @throws Error where resident memory cannot be read, or a connection is refused */
export async function measureMemory(fanout: Fanout, connections: number): Promise<MemoryFigure> {
  const server = await fanout.startServer();
  const load = new Remote<LoadOperations>(builtModule('fanout-load'));
  try {
    const beforeBytes = await settledRss(server.pid);
    await load.call('idle', { target: fanout.name, address: server.address, count: connections });
    const afterBytes = await settledRss(server.pid);
    const lost = await load.call('lost', {});
    if (lost.count > 0) throw new Error(`${lost.count} idle connections were lost: ${lost.why}`);
    return {
      target: fanout.name,
      connections,
      beforeBytes,
      afterBytes,
      perConnectionBytes: (afterBytes - beforeBytes) / connections,
    };
  } finally {
    await load.close();
    await server.close();
  }
}

async function settledRss(pid: number): Promise<number> {
  let last = Number.NaN;
  let still = 0;
  for (let step = 0; step < SETTLE_STEPS && still < 4; step++) {
    await new Promise((resolve) => setTimeout(resolve, SETTLE_STEP_MS));
    const now = readRssBytes(pid);
    if (now === undefined) throw new Error('resident memory cannot be read on this system');
    still = Math.abs(now - last) < SETTLED_BYTES ? still + 1 : 0;
    last = now;
  }
  return last;
}
