/**
 * Measures messages between two processes, through shared memory and through what Node offers, in one run.
 *
 *     npm run bench -w @chat/shm                 all of it, about a minute
 *     npm run bench -w @chat/shm -- --quick      a tenth of it, to see that it works
 *     npm run bench -w @chat/shm -- --only ring  rows whose name contains the word
 *
 * Throughput is one way, message after message, the median of three runs. A round trip is one message of 64 bytes and its echo. Rings poll on both sides and
 * need a core each; everything else sleeps while it waits. Message ports are between threads of one process.
 */
import { type ChildProcess, execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import type { Link } from './link.js';
import { measureIdle, measureLog, peerOfIdle, peerOfLog } from './log-and-idle.js';
import { overMessages, overPort, socketLinks } from './other-links.js';
import { shmLinks } from './shm-links.js';

const SIZES = [64, 1024, 65_536] as const;
const RUNS = 3;
const PROCESS_SEND = 'process.send';
const MESSAGE_PORT = 'MessagePort (threads)';
const REFERENCE = 'Unix socket';

/** Messages per run and size, and round trips, by how fast a thing is. */
const LOADS: Readonly<Record<'polling' | 'async' | 'kernel', { counts: readonly number[]; pings: number }>> =
  {
    polling: { counts: [6_000_000, 2_000_000, 60_000], pings: 400_000 },
    async: { counts: [1_500_000, 600_000, 30_000], pings: 4000 },
    kernel: { counts: [200_000, 100_000, 6000], pings: 4000 },
  };

type Task = { readonly task: 'drain' | 'echo'; readonly count: number };

interface Row {
  readonly name: string;
  readonly rates: readonly number[];
  readonly p50: number;
  readonly p99: number;
}

async function serve(
  link: Link,
  tell: (what: string) => void,
  onTask: (handler: (task: Task) => void) => void,
): Promise<void> {
  onTask(({ task, count }) => {
    // Polling blocks the event loop, so this goes first; what is sent before the task begins is not lost.
    tell('ready');
    setImmediate(() => void link[task](count).then(() => tell('done')));
  });
  tell('open');
}

async function peer(name: string, directory: string): Promise<void> {
  const tell = (what: string): void => void process.send?.(what);
  const onTask = (handler: (task: Task) => void): void => {
    process.on('message', (message) => {
      if (message !== null && typeof message === 'object' && 'task' in message)
        setImmediate(handler, message as Task);
    });
  };
  process.on('disconnect', () => process.exit());
  if (name === PROCESS_SEND) {
    const link = overMessages(
      (message) => void process.send?.(message),
      (handler) => process.on('message', (data) => data instanceof Uint8Array && handler(data)),
    );
    return serve(link, tell, onTask);
  }
  const open = { ...shmLinks, ...socketLinks }[name];
  if (open === undefined) throw new Error(`no way called ${name}`);
  return serve(await open(directory, 'b'), tell, onTask);
}

/** The other party: a process, or a thread. */
interface Other {
  post(task: Task): void;
  next(what: string): Promise<void>;
  link(directory: string): Promise<Link>;
  end(): Promise<void>;
}

function startProcess(name: string, directory: string, port: number): Other {
  const child: ChildProcess = fork(process.argv[1] ?? '', ['--peer', name, '--directory', directory], {
    serialization: 'advanced',
    env: { ...process.env, BENCH_PORT: String(port) },
  });
  const words = new Inbox();
  child.on('message', (message) => typeof message === 'string' && words.push(message));
  return {
    post: (task) => void child.send(task),
    next: (what) => words.next(what),
    async link() {
      const open = { ...shmLinks, ...socketLinks }[name];
      if (open !== undefined) return open(directory, 'a');
      return overMessages(
        (message) => void child.send(message),
        (handler) => child.on('message', (data) => data instanceof Uint8Array && handler(data)),
      );
    },
    async end() {
      const exited = once(child, 'exit');
      child.disconnect();
      await exited;
    },
  };
}

function startThread(): Other {
  const worker = new Worker(process.argv[1] ?? '');
  const words = new Inbox();
  worker.on('message', (message) => typeof message === 'string' && words.push(message));
  return {
    post: (task) => worker.postMessage(task),
    next: (what) => words.next(what),
    link: async () => overPort(worker),
    end: async () => void (await worker.terminate()),
  };
}

/** Words of the other party, in order. */
class Inbox {
  readonly #words: string[] = [];
  #waiting: (() => void) | undefined;

  push(word: string): void {
    this.#words.push(word);
    this.#waiting?.();
  }

  async next(what: string): Promise<void> {
    while (this.#words.length === 0) {
      await new Promise<void>((resolve) => {
        this.#waiting = resolve;
      });
    }
    const word = this.#words.shift();
    if (word !== what) throw new Error(`${word} where ${what} was expected`);
  }
}

async function measure(name: string, scale: number): Promise<Row> {
  const directory = mkdtempSync(
    join(process.platform === 'linux' ? '/dev/shm' : tmpdir(), 'chat-shm-bench-'),
  );
  const port = await freePort();
  process.env.BENCH_PORT = String(port);
  const other = name === MESSAGE_PORT ? startThread() : startProcess(name, directory, port);
  const link = await other.link(directory);
  await other.next('open');
  const { counts, pings } = name.includes('polling')
    ? LOADS.polling
    : name in shmLinks
      ? LOADS.async
      : LOADS.kernel;
  const rates: number[] = [];
  for (const [i, size] of SIZES.entries()) {
    const message = new Uint8Array(new ArrayBuffer(size)).fill(7);
    if (name.includes('polling') && size > 8192 && !name.includes('1 MiB')) {
      rates.push(Number.NaN);
      continue;
    }
    const count = Math.ceil(((counts[i] ?? 1) * scale) / 64) * 64;
    const runs: number[] = [];
    for (let run = 0; run <= RUNS; run++) {
      other.post({ task: 'drain', count });
      await other.next('ready');
      const start = performance.now();
      await link.flood(message, count);
      await other.next('done');
      runs.push((count / (performance.now() - start)) * 1000);
    }
    rates.push(median(runs.slice(1)));
  }
  const count = Math.ceil((pings * scale) / 64) * 64;
  const message = new Uint8Array(new ArrayBuffer(64)).fill(7);
  let samples = new Float64Array();
  for (let run = 0; run < 2; run++) {
    other.post({ task: 'echo', count });
    await other.next('ready');
    samples = Float64Array.from(await link.ping(message, count)).sort();
    await other.next('done');
  }
  link.close();
  await other.end();
  rmSync(directory, { recursive: true, force: true });
  return { name, rates, p50: quantile(samples, 0.5), p99: quantile(samples, 0.99) };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

function quantile(sorted: Float64Array, share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

function rate(perSecond: number): string {
  if (Number.isNaN(perSecond)) return '–';
  return perSecond >= 1e6 ? `${(perSecond / 1e6).toFixed(2)} M` : `${(perSecond / 1e3).toFixed(0)} k`;
}

function ratio(value: number, reference: number | undefined): string {
  return reference === undefined || Number.isNaN(value)
    ? ''
    : ` (${(value / reference).toFixed(value / reference < 1 ? 2 : 1)}×)`;
}

function print(rows: readonly Row[]): void {
  const reference = rows.find(({ name }) => name === REFERENCE);
  console.log(
    `\n| way | ${SIZES.map((size) => `${size} B, msg/s`).join(' | ')} | round trip p50, µs | p99, µs |`,
  );
  console.log(`| --- |${' ---: |'.repeat(SIZES.length + 2)}`);
  for (const { name, rates, p50, p99 } of rows) {
    const cells = rates.map((value, i) => rate(value) + ratio(value, reference?.rates[i]));
    const trip = `${p50.toFixed(2)}${ratio(p50, reference?.p50)}`;
    console.log(`| ${name} | ${cells.join(' | ')} | ${trip} | ${p99.toFixed(2)} |`);
  }
  console.log(`\nIn parentheses: compared with the ${REFERENCE} of the same run.`);
}

function commit(): string {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8', stdio: 'pipe' }).trim();
  } catch {
    return 'unknown';
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string', default: '' },
      peer: { type: 'string' },
      directory: { type: 'string', default: '' },
    },
  });
  if (values.peer === 'log') return peerOfLog(values.directory);
  if (values.peer === 'idle') return peerOfIdle(values.directory);
  if (values.peer !== undefined) return peer(values.peer, values.directory);
  const scale = values.quick ? 0.1 : 1;
  console.log(
    `${cpus()[0]?.model ?? 'unknown CPU'}, ${cpus().length} cores; Node ${process.version}; commit ${commit()}; load ${loadAverage()}`,
  );
  const names = [...Object.keys(shmLinks), ...Object.keys(socketLinks), PROCESS_SEND, MESSAGE_PORT];
  const rows: Row[] = [];
  for (const name of names) if (name.includes(values.only)) rows.push(await measure(name, scale));
  if (rows.length > 0) print(rows);
  if ('log'.includes(values.only)) for (const line of await measureLog(scale)) console.log(line);
  if ('idle'.includes(values.only)) console.log(await measureIdle(values.quick ? 1000 : 5000));
}

function loadAverage(): string {
  return execFileSync('cat', ['/proc/loadavg'], { encoding: 'utf8' }).split(' ')[0] ?? '?';
}

if (isMainThread) {
  await main();
} else if (parentPort !== null) {
  const port = parentPort;
  await serve(
    overPort(port),
    (what) => port.postMessage(what),
    (handler) =>
      port.on('message', (data: unknown) => {
        if (data !== null && typeof data === 'object' && 'task' in data) handler(data as Task);
      }),
  );
}
