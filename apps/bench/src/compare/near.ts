/** The process that drives one line: it starts the far end, opens the line and measures on request. */
import { type ChildProcess, fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { builtModule } from '../process/built-module.js';
import { serveRemote } from '../process/remote.js';
import { readRssBytes } from '../process/resource-use.js';
import type { Address } from '../process/server-process.js';
import type { FarReady, FarStart } from './far.js';
import type { FarChannel, Line, Mechanism } from './line.js';
import { MECHANISMS, type MechanismName } from './lines/index.js';
import { type IdleCost, Meter, type RoundTrips, type Throughput } from './meter.js';

/** What this process is asked to do. */
export interface NearOperations {
  /** Opens the line. @returns how long the far end took to attach, and how long all of it took */
  open(params: {
    mechanism: MechanismName;
    inWorker: boolean;
    unique: string;
    maxMessageBytes: number;
    readers: number;
    server: { address: Address; pid: number } | undefined;
  }): Promise<{ attachMs: number; openMs: number }>;
  roundTrips(params: { bytes: number; ratePerSecond: number; durationMs: number }): Promise<RoundTrips>;
  throughput(params: { bytes: number; durationMs: number; window?: number }): Promise<Throughput>;
  wakeUps(params: { count: number; silenceMs: number }): Promise<RoundTrips>;
  idle(params: { durationMs: number }): Promise<IdleCost>;
  /** Resident memory of the far end's process, in bytes; undefined where the system does not tell. */
  farMemory(params: object): number | undefined;
  close(params: object): Promise<void>;
  [name: string]: (params: never) => unknown;
}

interface Far {
  readonly pid: number;
  readonly channel: FarChannel;
  readonly ready: Promise<FarReady>;
  start(start: FarStart): void;
  end(): Promise<unknown>;
}

let line: Line | undefined;
let meter: Meter | undefined;
let far: Far | undefined;
let folder: string | undefined;

const operations: NearOperations = {
  async open({ mechanism, inWorker, unique, maxMessageBytes, readers, server }) {
    const begin = performance.now();
    folder = mkdtempSync(join(tmpdir(), 'chat-bench-'));
    const started = inWorker ? startWorker() : startProcess();
    far = started;
    let attachMs = 0;
    line = await (MECHANISMS[mechanism] as Mechanism).openNear({
      unique,
      folder,
      maxMessageBytes,
      readers,
      server: server?.address,
      async startFar(params) {
        started.start({ mechanism, params });
        const ready = await started.ready;
        if (ready.error !== undefined) throw new Error(ready.error);
        attachMs = ready.attachMs ?? 0;
        return started.channel;
      },
    });
    meter = new Meter(line, { near: process.pid, far: started.pid, server: server?.pid });
    return { attachMs, openMs: performance.now() - begin };
  },
  roundTrips: ({ bytes, ratePerSecond, durationMs }) => meter!.roundTrips(bytes, ratePerSecond, durationMs),
  throughput: ({ bytes, durationMs, window }) => meter!.throughput(bytes, durationMs, window),
  wakeUps: ({ count, silenceMs }) => meter!.wakeUps(count, silenceMs),
  idle: ({ durationMs }) => meter!.idle(durationMs),
  farMemory: () => readRssBytes(far!.pid),
  async close() {
    // The far end first: what it holds of a shared segment is then given up by this side.
    await far?.end();
    await line?.close();
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  },
};

serveRemote(operations);

function startProcess(): Far {
  const child: ChildProcess = fork(builtModule('compare-far'), [], { serialization: 'advanced' });
  return {
    pid: child.pid!,
    channel: {
      post: (bytes) => void child.send(bytes),
      onBytes: (listener) =>
        child.on('message', (message: unknown) => {
          if (message instanceof Uint8Array) listener(message, 0, message.length);
        }),
    },
    ready: new Promise((resolve) => {
      child.on('message', (message: unknown) => {
        if (!(message instanceof Uint8Array)) resolve(message as FarReady);
      });
      child.once('exit', (code, signal) => resolve({ error: `the far end ended (${signal ?? code})` }));
    }),
    start: (start) => void child.send(start),
    end: () =>
      new Promise((resolve) => {
        if (child.exitCode !== null || child.signalCode !== null) resolve(undefined);
        child.once('exit', resolve);
        child.kill('SIGKILL');
      }),
  };
}

function startWorker(): Far {
  const worker = new Worker(builtModule('compare-far'));
  return {
    pid: process.pid,
    channel: {
      post: (bytes) => worker.postMessage(bytes),
      onBytes: (listener) =>
        worker.on('message', (message: unknown) => {
          if (message instanceof Uint8Array) listener(message, 0, message.length);
        }),
    },
    ready: new Promise((resolve) => {
      worker.on('message', (message: unknown) => {
        if (!(message instanceof Uint8Array)) resolve(message as FarReady);
      });
      worker.once('error', (error) => resolve({ error: String(error) }));
    }),
    start: (start) => worker.postMessage(start),
    end: () => worker.terminate(),
  };
}
