/** What a server with a large store costs: its start, its memory, and pages of what was said long ago. */
import { join } from 'node:path';
import { builtModule } from '../harness/built-module.js';
import { Remote } from '../harness/remote.js';
import { readCpuMs, readRssBytes } from '../harness/resource-use.js';
import { type ServerProcess, tcpOf } from '../harness/server-process.js';
import { type Spread, spreadOf } from '../harness/spread.js';
import { startStoringChat } from '../ways/chat/chat.js';
import { DENSE_ROOM, fillStore, SPARSE_ROOM } from './filled-store.js';
import type { DurableOperations } from './load.js';

/** Options of the part about a large store. */
export interface StoreRun {
  /** Messages of the store. */
  readonly messages: number;
  readonly rounds: number;
  readonly roundMs: number;
  readonly onStep: (what: string, done: number) => void;
  readonly signal: AbortSignal;
}

export interface PagesFigure {
  readonly room: string;
  readonly pagesPerSecond: Spread;
  readonly cpuMsPerPage: Spread | undefined;
  readonly empty: number;
}

/** A server with a store of that many messages. */
export interface StartFigure {
  readonly messages: number;
  /** From the start of the process until `readyz` says yes. */
  readonly readyMs: Spread;
  readonly residentBytes: number | undefined;
}

/** Lets compiled code take the place of cold code. */
const WARM_UP_MS = 1500;
const READY_TIMEOUT_MS = 120_000;
/** A server that uses less of a core than this has nothing to do. */
const QUIET_SHARE = 0.05;
const LOOK_MS = 1000;
/** So many looks in a row: a server that has just begun, or is short of time, may look quiet. */
const QUIET_LOOKS = 3;
const QUIET_TIMEOUT_MS = 600_000;

/** Starts servers on a large store and on a tenth of it, and reads the large one. */
export async function measureStore(
  run: StoreRun,
  parent: string,
): Promise<{ pages: PagesFigure[]; starts: StartFigure[] }> {
  const starts: StartFigure[] = [];
  const pages: PagesFigure[] = [];
  for (const messages of [Math.max(1000, Math.round(run.messages / 10)), run.messages]) {
    const folder = join(parent, `filled-${messages}`);
    run.onStep(`storing ${messages} messages`, 0);
    fillStore(folder, messages, STORED_PAYLOAD_BYTES);
    run.onStep(`indexing ${messages} messages`, 0);
    await indexStore(folder, run.signal);
    const readyMs: number[] = [];
    let residentBytes: number | undefined;
    for (let round = 0; round < run.rounds && !run.signal.aborted; round++) {
      run.onStep(`starting with ${messages} messages, round ${round + 1}`, round / run.rounds);
      const server = await startStoringChat('process', { folder });
      try {
        readyMs.push(await readyAfter(server));
        residentBytes = readRssBytes(server.pid);
        const isLast = messages === run.messages && round === run.rounds - 1;
        if (isLast) pages.push(...(await readPages(run, server)));
      } finally {
        await server.close();
      }
    }
    const spread = spreadOf(readyMs);
    if (spread) starts.push({ messages, readyMs: spread, residentBytes });
  }
  return { pages, starts };
}

/** Has a server make the search index of a store, as one that has stored all that by and by would have it. */
async function indexStore(folder: string, signal: AbortSignal): Promise<void> {
  const server = await startStoringChat('process', { folder });
  try {
    const deadline = performance.now() + QUIET_TIMEOUT_MS;
    for (let quiet = 0; quiet < QUIET_LOOKS; ) {
      if (signal.aborted || performance.now() > deadline) return;
      const before = readCpuMs(server.pid) ?? 0;
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
      const used = (readCpuMs(server.pid) ?? 0) - before;
      quiet = used > LOOK_MS * QUIET_SHARE ? 0 : quiet + 1;
    }
  } finally {
    await server.close();
  }
}

/** Bytes of each message of the store, as the aims name them. */
const STORED_PAYLOAD_BYTES = 100;

/** Milliseconds from the start of the process until it says that it is ready. */
async function readyAfter({ startupMs, address }: ServerProcess): Promise<number> {
  const { host, port } = tcpOf(address);
  const acceptedAt = performance.now();
  while (performance.now() - acceptedAt < READY_TIMEOUT_MS) {
    const { status } = await fetch(`http://${host}:${port}/readyz`);
    if (status === 200) return startupMs + performance.now() - acceptedAt;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error(`not ready within ${READY_TIMEOUT_MS} ms`);
}

async function readPages(run: StoreRun, { address, pid: serverPid }: ServerProcess): Promise<PagesFigure[]> {
  const load = new Remote<DurableOperations>(builtModule('durable-load'));
  const figures: PagesFigure[] = [];
  try {
    for (const room of [DENSE_ROOM, SPARSE_ROOM]) {
      const where = { address, serverPid, room, newest: run.messages };
      await load.call('pages', { ...where, durationMs: WARM_UP_MS });
      const rows = [];
      for (let round = 0; round < run.rounds; round++) {
        run.onStep(`pages of a ${room} room, round ${round + 1}`, round / run.rounds);
        rows.push(await load.call('pages', { ...where, durationMs: run.roundMs }));
      }
      figures.push({
        room,
        pagesPerSecond: spreadOf(rows.map(({ pages, elapsedMs }) => (pages / elapsedMs) * 1000))!,
        cpuMsPerPage: spreadOf(
          rows.flatMap(({ serverCpuMs, pages }) =>
            serverCpuMs === undefined ? [] : [serverCpuMs / Math.max(1, pages)],
          ),
        ),
        empty: rows.reduce((sum, { empty }) => sum + empty, 0),
      });
    }
  } finally {
    await load.close();
  }
  return figures;
}
