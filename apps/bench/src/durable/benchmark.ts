/**
 * What a log in a file costs: fan-out with it and without it, publishes beside a bare SQLite loop and beside other servers
 * that store, old history, and the start of a server that has much stored. Everything on the disk under the temporary folder.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type FanoutFigures, runFanout } from '../fanout/benchmark.js';
import { builtModule } from '../harness/built-module.js';
import { Remote } from '../harness/remote.js';
import { runRounds } from '../harness/rounds.js';
import type { ServerProcess } from '../harness/server-process.js';
import { type Spread, spreadOf } from '../harness/spread.js';
import { fanoutOf } from '../ways/index.js';
import { findStoring } from '../ways/storing/index.js';
import type { Storing } from '../ways/storing/storing.js';
import type { AckedResult } from './acked-publisher.js';
import type { BareOperations, StoredCount } from './bare-sqlite.js';
import { measureStore, type PagesFigure, type StartFigure } from './large-store.js';
import type { DurableOperations } from './load.js';

/** Options of one run of the benchmark. */
export interface DurableRun {
  readonly members: number;
  readonly windows: readonly number[];
  readonly payloadBytes: number;
  readonly roundMs: number;
  readonly rounds: number;
  readonly latencyRate: number;
  /** Messages of the store that is started and read. */
  readonly messages: number;
  /** Parts that are left out. */
  readonly parts: ReadonlySet<DurablePart>;
  readonly onStep: (what: string, done: number) => void;
  readonly signal: AbortSignal;
}

export const DURABLE_PARTS = ['fanout', 'publish', 'store'] as const;
export type DurablePart = (typeof DURABLE_PARTS)[number];

/** One server, or the bare loop, at one window. */
export interface PublishFigure {
  readonly name: string;
  readonly window: number;
  readonly messagesPerSecond: Spread;
  readonly cpuNsPerMessage: Spread | undefined;
  /** Messages in a transaction; of ours and the bare loop only. */
  readonly group: number | undefined;
  /** Median of a transaction; of the bare loop only. */
  readonly commitMs: number | undefined;
  readonly lost: number;
}

export interface DurableFigures {
  readonly fanout: FanoutFigures | undefined;
  readonly publish: readonly PublishFigure[];
  readonly pages: readonly PagesFigure[];
  readonly starts: readonly StartFigure[];
  readonly remarks: readonly string[];
  readonly failures: readonly string[];
  readonly otherWork: number | undefined;
}

/** Names of the fan-outs: the first is what the others are held against. */
export const MEMORY = 'chat';
export const STORED: readonly string[] = ['chat (process)', 'chat (disk)'];
export const BARE = 'bare SQLite';
/** Lets compiled code take the place of cold code. */
const WARM_UP_MS = 1500;
const WARM_UP_WINDOW = 256;

/** Runs everything, one part after the other. */
export async function runDurable(run: DurableRun): Promise<DurableFigures> {
  const folder = mkdtempSync(join(tmpdir(), 'chat-bench-'));
  const failures: string[] = [];
  const found = findStoring();
  try {
    const fanout = run.parts.has('fanout') ? await measureFanout(run) : undefined;
    const publish = run.parts.has('publish')
      ? await measurePublish(run, found.found, folder, failures)
      : { figures: [], otherWork: undefined };
    const store =
      run.parts.has('store') && !run.signal.aborted
        ? await measureStore(run, folder)
        : { pages: [], starts: [] };
    return {
      fanout,
      publish: publish.figures,
      ...store,
      remarks: found.remarks,
      failures: [...failures, ...(fanout?.failures ?? [])],
      otherWork: Math.max(fanout?.otherWork ?? 0, publish.otherWork ?? 0),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function measureFanout({ members, windows, ...run }: DurableRun): Promise<FanoutFigures> {
  const targets = [MEMORY, ...STORED].map((name) => fanoutOf(name).fanout);
  return runFanout({ ...run, members: [members], windows, targets, verify: false });
}

/** Something that publishes, or the bare loop. */
interface Publisher {
  readonly title: string;
  measure(window: number): Promise<void>;
  close(): Promise<void>;
}

interface Measured extends Pick<AckedResult, 'messages' | 'elapsedMs' | 'lost'> {
  readonly cpuMs: number | undefined;
  readonly commitMs?: number;
  readonly group?: number;
}

async function measurePublish(
  run: DurableRun,
  servers: readonly Storing[],
  folder: string,
  failures: string[],
): Promise<{ figures: PublishFigure[]; otherWork: number }> {
  const results = new Map<string, { name: string; window: number; rows: Measured[] }>();
  const keep = (name: string, window: number, row: Measured): void => {
    const key = `${name} ${window}`;
    const found = results.get(key);
    if (found) found.rows.push(row);
    else results.set(key, { name, window, rows: [row] });
  };
  const publishers: Publisher[] = [];
  const loop = new BareLoop(run, folder, keep);
  try {
    for (const server of servers) {
      try {
        publishers.push(await openPublisher(run, server, folder, keep, loop));
      } catch (error) {
        failures.push(`${server.name}: ${(error as Error).message}`);
      }
    }
    publishers.push(loop);
    const otherWork = await runRounds({
      entrants: publishers,
      rounds: run.rounds,
      steps: run.windows.map((window) => ({
        name: `publishing, window ${window}`,
        measure: (publisher: Publisher) => publisher.measure(window),
      })),
      signal: run.signal,
      onStep: run.onStep,
      onFailure: (line) => void failures.push(line),
    });
    return { figures: [...results.values()].map(publishFigure), otherWork };
  } finally {
    for (const publisher of publishers) await publisher.close();
    await loop.close();
  }
}

type Keep = (name: string, window: number, row: Measured) => void;

async function openPublisher(
  { payloadBytes, roundMs }: DurableRun,
  storing: Storing,
  parent: string,
  keep: Keep,
  loop: BareLoop,
): Promise<Publisher> {
  const folder = mkdtempSync(join(parent, 'store-'));
  const load = new Remote<DurableOperations>(builtModule('durable-load'));
  let server: ServerProcess | undefined;
  const close = async (): Promise<void> => {
    await load.close();
    await server?.close();
  };
  try {
    server = await storing.startServer(folder);
    const { address, pid: serverPid } = server;
    await load.call('publish', { target: storing.name, address, serverPid, payloadBytes });
    await load.call('window', { window: WARM_UP_WINDOW, durationMs: WARM_UP_MS });
  } catch (error) {
    await close();
    throw error;
  }
  return {
    title: storing.name,
    async measure(window) {
      const isOurs = storing.name.startsWith(MEMORY);
      if (isOurs) await loop.watch(folder);
      const { serverCpuMs, ...row } = await load.call('window', { window, durationMs: roundMs });
      const group = isOurs ? await loop.learn(folder, window) : undefined;
      keep(storing.name, window, { ...row, cpuMs: serverCpuMs, ...(group === undefined ? {} : { group }) });
    },
    close,
  };
}

/** The bare loop, with groups as large as those of our server at the same window. */
class BareLoop implements Publisher {
  readonly title = BARE;
  readonly #run: DurableRun;
  readonly #folder: string;
  readonly #keep: Keep;
  readonly #process = new Remote<BareOperations>(builtModule('durable-bare'));
  readonly #groups: Map<number, number> = new Map();
  #before: StoredCount = { blocks: 0, entries: 0 };

  constructor(run: DurableRun, parent: string, keep: Keep) {
    this.#run = run;
    this.#keep = keep;
    this.#folder = join(parent, 'bare');
    mkdirSync(this.#folder);
  }

  async watch(store: string): Promise<void> {
    this.#before = await this.#process.call('count', { folder: store });
  }

  /** @returns the messages in a group of our server since `watch` */
  async learn(store: string, window: number): Promise<number> {
    const { blocks, entries } = await this.#process.call('count', { folder: store });
    const group = Math.round((entries - this.#before.entries) / Math.max(1, blocks - this.#before.blocks));
    this.#groups.set(window, Math.max(1, group));
    return group;
  }

  async measure(window: number): Promise<void> {
    const { payloadBytes, roundMs } = this.#run;
    const group = this.#groups.get(window) ?? window;
    const row = await this.#process.call('run', {
      folder: this.#folder,
      group,
      payloadBytes,
      durationMs: roundMs,
    });
    this.#keep(BARE, window, { ...row, group, lost: 0 });
  }

  close(): Promise<void> {
    return this.#process.close();
  }
}

function publishFigure({
  name,
  window,
  rows,
}: {
  readonly name: string;
  readonly window: number;
  readonly rows: readonly Measured[];
}): PublishFigure {
  return {
    name,
    window,
    messagesPerSecond: spreadOf(rows.map(({ messages, elapsedMs }) => (messages / elapsedMs) * 1000))!,
    cpuNsPerMessage: spreadOf(
      rows.flatMap(({ cpuMs, messages }) =>
        cpuMs === undefined ? [] : [(cpuMs * 1e6) / Math.max(1, messages)],
      ),
    ),
    group: spreadOf(rows.flatMap(({ group }) => group ?? []))?.median,
    commitMs: spreadOf(rows.flatMap(({ commitMs }) => commitMs ?? []))?.median,
    lost: rows.reduce((sum, { lost }) => sum + lost, 0),
  };
}
