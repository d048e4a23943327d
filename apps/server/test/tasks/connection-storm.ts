/**
 * A hundred thousand connections, most of them ill-mannered, against `chat-server` while two ordinary members talk.
 *
 *     npm run storm -w chat-server -- --scenario default
 *     npm run storm -w chat-server -- --scenario lifted
 *     npm run storm -w chat-server -- --scenario descriptors
 *
 * `default`: the limits as they are. `lifted`: no limit per address, and larger waves. `descriptors`: a server that may
 * open only a few files. Linux only: it reads /proc, and comes from many loopback addresses so that ports do not run
 * out. It wants the built program. Ends with 1 when a promise was broken.
 */
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { ServerWatch } from '../../../../test/support/server-watch.js';
import { Attempt, KINDS, Outcome } from './storm-attempt.js';
import type { Heard, MembersReport } from './storm-members.js';

interface Scenario {
  readonly flags: readonly string[];
  readonly attempts: number;
  readonly wave: number;
  /** Loopback addresses that strangers come from. */
  readonly addresses: number;
  /** Files that the server may open. */
  readonly maxFiles?: number;
}

const SCENARIOS: Readonly<Record<string, Scenario>> = {
  default: { flags: [], attempts: 100_000, wave: 2000, addresses: 4 },
  lifted: {
    flags: ['--max-connections-per-address', '1000000'],
    attempts: 100_000,
    wave: 5000,
    addresses: 8,
  },
  descriptors: { flags: [], attempts: 10_000, wave: 2000, addresses: 16, maxFiles: 400 },
};

const { values: options } = parseArgs({
  options: {
    scenario: { type: 'string', default: 'default' },
    attempts: { type: 'string' },
    wave: { type: 'string' },
  },
});

/** How far the memory may stay above what it was after the first wave. */
const MEMORY_SLACK_MIB = 16;
const SETTLE_MS = 60_000;
/** Of the metrics. */
const TOKEN = 'storm';

/** V8 collects garbage when it likes; what is kept beyond that is only seen after it was told to. */
const COLLECTABLE = ['--expose-gc', '--import', 'data:text/javascript,process.on("SIGUSR2",()=>gc())'];
const PROGRAM = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const MEMBERS = fileURLToPath(new URL('storm-members.ts', import.meta.url));

function startServer({ flags, maxFiles }: Scenario): ChildProcess {
  const argv = [...COLLECTABLE, PROGRAM, '--port', '0', '--host', '127.0.0.1', '--json', ...flags];
  const [command, args] =
    maxFiles === undefined
      ? [process.execPath, argv]
      : ['sh', ['-c', `ulimit -n ${maxFiles} && exec "$0" "$@"`, process.execPath, ...argv]];
  const env = { ...process.env, CHAT_METRICS_TOKEN: TOKEN };
  return spawn(command, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
}

async function portOf(server: ChildProcess): Promise<number> {
  for await (const chunk of server.stdout!) {
    const port = /"port":(\d+)/.exec(String(chunk))?.[1];
    if (port === undefined) continue;
    server.stdout!.resume();
    return Number(port);
  }
  throw new Error(`the server did not start; was it built? ${PROGRAM}`);
}

/** Strangers numbered from `first`, all at once. */
async function wave(port: number, scenario: Scenario, first: number, count: number): Promise<string[]> {
  const attempts = Array.from({ length: count }, (_, i) => {
    const number = first + i;
    const localAddress = `127.0.0.${2 + (number % scenario.addresses)}`;
    // By blocks, so that each kind comes from each address.
    const kind = KINDS[Math.floor(number / scenario.addresses) % KINDS.length]!;
    return new Attempt(kind, { port, localAddress }, `stranger ${number}`);
  });
  const leaving = setTimeout(() => attempts.map((attempt) => attempt.leave()), 500);
  const outcomes = await Promise.all(attempts.map(({ outcome }) => outcome));
  clearTimeout(leaving);
  return outcomes;
}

/** Looks again and again until it is so, or for too long. */
async function settles(isSo: () => boolean | Promise<boolean>): Promise<boolean> {
  const deadline = performance.now() + SETTLE_MS;
  while (performance.now() < deadline) {
    if (await isSo()) return true;
    await delay(250);
  }
  return false;
}

/** What every stranger may be told that is owed an answer. */
const DOCUMENTED: ReadonlySet<string> = new Set([
  Outcome.CameAndWent,
  Outcome.Torn,
  Outcome.LeftByItself,
  'too-many-connections',
  'handshake-timeout',
  'overloaded',
  'frame-too-large',
  'invalid-utf8',
  'HTTP 101',
  'HTTP 200',
  'HTTP 429',
  'HTTP 503',
]);

function describe(who: string, { said, inOrder, wrong, medianMs, slowestMs }: Heard): string {
  const times = `median ${medianMs.toFixed(1)} ms, slowest ${slowestMs.toFixed(0)} ms`;
  return `${who} heard ${inOrder} of ${said} messages in order, ${wrong} others; ${times}`;
}

async function main(): Promise<boolean> {
  const chosen = SCENARIOS[options.scenario];
  if (!chosen) throw new Error(`--scenario is one of ${Object.keys(SCENARIOS).join(', ')}`);
  const scenario: Scenario = {
    ...chosen,
    ...(options.attempts ? { attempts: Number(options.attempts) } : {}),
    ...(options.wave ? { wave: Number(options.wave) } : {}),
  };
  const server = startServer(scenario);
  const exited = once(server, 'exit');
  process.once('exit', () => server.kill('SIGKILL'));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
  const broken: string[] = [];
  const promise = (isKept: boolean, what: string): void => {
    if (!isKept) broken.push(what);
  };
  try {
    const port = await portOf(server);
    const watch = new ServerWatch(server.pid!, port, TOKEN);
    const freshMiB = watch.residentMiB();
    const members = fork(MEMBERS, [String(port)]);
    await once(members, 'message');
    const report = once(members, 'message');
    await watch.metric('chat_connections');
    const baseFiles = watch.openFiles();

    const counts = new Map<string, number>();
    const startedAt = performance.now();
    let [warmMiB, peakMiB, peakFiles] = [0, 0, 0];
    const sampling = setInterval(() => {
      peakMiB = Math.max(peakMiB, watch.residentMiB());
      peakFiles = Math.max(peakFiles, watch.openFiles());
    }, 100);
    for (let done = 0; done < scenario.attempts; done += scenario.wave) {
      const count = Math.min(scenario.wave, scenario.attempts - done);
      for (const outcome of await wave(port, scenario, done, count)) {
        counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
      }
      if (warmMiB === 0) warmMiB = watch.residentMiB();
    }
    clearInterval(sampling);
    const seconds = (performance.now() - startedAt) / 1000;
    const cpuSeconds = watch.cpuSeconds();

    promise(await settles(() => watch.openFiles() <= baseFiles), 'files stay open');
    promise(await settles(async () => (await watch.metric('chat_sessions')) === 2), 'sessions stay');
    const untidyMiB = watch.residentMiB();
    const isTidy = await settles(() => {
      server.kill('SIGUSR2');
      return watch.residentMiB() <= warmMiB + MEMORY_SLACK_MIB;
    });
    promise(isTidy, 'memory stays');
    const endFiles = watch.openFiles();
    const endMiB = watch.residentMiB();
    members.send('stop');
    const [{ bySocket, byClient, interruptions }] = (await report) as [MembersReport];
    for (const { said, inOrder, wrong } of [bySocket, byClient]) {
      promise(inOrder === said && wrong === 0, 'the members missed something');
    }
    promise(interruptions === 0, 'the members were interrupted');
    for (const [outcome, count] of counts) {
      const mayBe = outcome === Outcome.WithoutWord && scenario.maxFiles !== undefined;
      promise(DOCUMENTED.has(outcome) || mayBe, `${count} × ${outcome}`);
    }
    console.log(
      [
        `${options.scenario}: ${scenario.attempts} connections attempted, ${scenario.wave} at a time from ${scenario.addresses} addresses`,
        `  ${seconds.toFixed(1)} s, of which the server worked ${cpuSeconds.toFixed(1)} s`,
        ...[...counts].sort(([, left], [, right]) => right - left).map(([what, n]) => `  ${n} × ${what}`),
        `  the server accepted ${await watch.metric('chat_connections_total')}, refused ${await watch.metric('chat_connections_refused_total')} at the door`,
        `  ${describe('nc', bySocket)}`,
        `  ${describe('chat', byClient)}; ${interruptions} reconnects or gaps`,
        `  memory: ${freshMiB.toFixed(0)} MiB fresh, ${warmMiB.toFixed(0)} after the first wave, ${peakMiB.toFixed(0)} at the most, ${untidyMiB.toFixed(0)} when all had gone, ${endMiB.toFixed(0)} without garbage`,
        `  open files: ${baseFiles} before, ${peakFiles} at the most, ${endFiles} in the end`,
        broken.length === 0 ? '  every promise kept' : `  BROKEN: ${broken.join('; ')}`,
      ].join('\n'),
    );
    server.kill('SIGTERM');
    const [code] = await exited;
    promise(code === 0, `the server ended with ${code}`);
  } finally {
    if (server.exitCode === null) server.kill('SIGKILL');
  }
  return broken.length === 0;
}

process.exitCode = (await main()) ? 0 : 1;
