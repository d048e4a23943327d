/** The process that drives one line: it starts the far end, opens the line and measures on request. */
import { type ChildProcess, fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { builtModule } from '../../harness/built-module.js';
import { serveRemote } from '../../harness/remote.js';
import { readRssBytes } from '../../harness/resource-use.js';
import type { Address } from '../../harness/server-process.js';
import { pairOf } from '../../ways/index.js';
import type { FarChannel, Line } from '../../ways/way.js';
import { Burster } from '../burster.js';
import { type IdleCost, Meter, type RoundTrips, type Throughput } from '../meter.js';
import type { FarReady, FarStart } from './far.js';

/** What this process is asked to do. */
export interface NearOperations {
  /** Opens the line. @returns how long the far end took to attach */
  open(params: {
    /** Id of the pair. */
    pair: string;
    unique: string;
    maxMessageBytes: number;
    readers: number;
    server: { address: Address; pid: number } | undefined;
  }): Promise<number>;
  roundTrips(params: { bytes: number; ratePerSecond: number; durationMs: number }): Promise<RoundTrips>;
  throughput(params: { bytes: number; durationMs: number; window?: number }): Promise<Throughput>;
  wakeUps(params: { count: number; silenceMs: number }): Promise<RoundTrips>;
  idle(params: { durationMs: number }): Promise<IdleCost>;
  /** @returns how long `count` messages took until the last one was there, in milliseconds */
  flood(params: { bytes: number; count: number }): Promise<number>;
  /** @returns an encoded histogram of `count` round trips, one after the other */
  pingPong(params: { bytes: number; count: number }): Promise<string>;
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
let serverPid: number | undefined;
let meter: Meter | undefined;
let burster: Burster | undefined;
let far: Far | undefined;
let folder: string | undefined;

const operations: NearOperations = {
  async open({ pair: id, unique, maxMessageBytes, readers, server }) {
    folder = mkdtempSync(join(tmpdir(), 'chat-bench-'));
    const { pair } = pairOf(id);
    const started = pair.inWorker ? startWorker() : startProcess();
    far = started;
    let attachMs = 0;
    line = await pair.ends.openNear({
      unique,
      folder,
      maxMessageBytes,
      readers,
      server: server?.address,
      async startFar(params) {
        started.start({ pair: id, params });
        const ready = await started.ready;
        if (ready.error !== undefined) throw new Error(ready.error);
        attachMs = ready.attachMs ?? 0;
        return started.channel;
      },
    });
    serverPid = server?.pid;
    return attachMs;
  },
  roundTrips: ({ bytes, ratePerSecond, durationMs }) =>
    metered().roundTrips(bytes, ratePerSecond, durationMs),
  flood: ({ bytes, count }) => atFullSpeed().flood(bytes, count),
  pingPong: ({ bytes, count }) => atFullSpeed().pingPong(bytes, count),
  throughput: ({ bytes, durationMs, window }) => metered().throughput(bytes, durationMs, window),
  wakeUps: ({ count, silenceMs }) => metered().wakeUps(count, silenceMs),
  idle: ({ durationMs }) => metered().idle(durationMs),
  farMemory: () => readRssBytes(far!.pid),
  async close() {
    // The far end first: what it holds of a shared segment is then given up by this side.
    await far?.end();
    await line?.close();
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  },
};

serveRemote(operations);

/** A line has one listener: it is metered, or driven at full speed, never both. */
function metered(): Meter {
  meter ??= new Meter(line!, { near: process.pid, far: far!.pid, server: serverPid });
  return meter;
}

function atFullSpeed(): Burster {
  burster ??= new Burster(line!);
  return burster;
}

/** A process of its own, which gets `process.send` as its channel. */
function startProcess(): Far {
  const child = fork(builtModule('pair-far'), [], { serialization: 'advanced' });
  return {
    pid: child.pid!,
    ...talkTo(child, (message) => void child.send(message)),
    end: () =>
      new Promise((resolve) => {
        if (child.exitCode !== null || child.signalCode !== null) resolve(undefined);
        child.once('exit', resolve);
        child.kill('SIGKILL');
      }),
  };
}

/** A thread of this process, which gets a `MessagePort`. */
function startWorker(): Far {
  const worker = new Worker(builtModule('pair-far'));
  return {
    pid: process.pid,
    ...talkTo(worker, (message) => worker.postMessage(message)),
    end: () => worker.terminate(),
  };
}

/** Bytes are messages of a line; anything else is about starting. */
function talkTo(
  far: ChildProcess | Worker,
  post: (message: Uint8Array | FarStart) => void,
): Pick<Far, 'channel' | 'ready' | 'start'> {
  // The two classes declare their events apart, and have these three in common.
  const events: NodeJS.EventEmitter = far;
  return {
    channel: {
      post,
      onBytes: (listener) =>
        events.on('message', (message: unknown) => {
          if (message instanceof Uint8Array) listener(message, 0, message.length);
        }),
    },
    ready: new Promise((resolve) => {
      events.on('message', (message: unknown) => {
        if (!(message instanceof Uint8Array)) resolve(message as FarReady);
      });
      events.once('error', (error) => resolve({ error: String(error) }));
      events.once('exit', (code, signal) => resolve({ error: `the far end ended (${signal ?? code})` }));
    }),
    start: post,
  };
}
