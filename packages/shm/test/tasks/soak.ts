/**
 * A minute of random kills: processes that use every structure at once are killed, and stopped and continued, at random instants, and others
 * start in their place. Each of them checks what it sees; one broken invariant ends the soak.
 *
 *     npm run soak -w @chat/shm -- --seconds 60 --processes 4
 *
 * The kill harness of the tests is exhaustive and knows one process and one operation at a time; this one knows all of it at once, and
 * covers what chance brings.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { cleanup } from '../../src/tools/inspect.js';
import { soakParts } from './soak-parts.js';

const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    processes: { type: 'string', default: '4' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
    directory: { type: 'string' },
  },
});

const BROKEN = 3;

/** Numbers below a limit, the same ones for the same seed (a linear congruential generator). */
function randomFrom(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

async function work(directory: string): Promise<void> {
  const random = randomFrom(Number(options.seed));
  const place = { directory, name: 'soak' };
  try {
    const parts = soakParts.map((part) => ({ part, prepared: part.prepare(place, random) }));
    for (;;) {
      const { part, prepared } = parts[random(parts.length)] as (typeof parts)[number];
      await part.act(prepared, random);
      // Lets what the parts wait for in the event loop happen.
      if (random(10) === 0) await new Promise(setImmediate);
    }
  } catch (error) {
    console.error(error);
    process.exit(BROKEN);
  }
}

async function main(): Promise<void> {
  const directory = mkdtempSync(join(process.platform === 'linux' ? '/dev/shm' : tmpdir(), 'chat-shm-soak-'));
  const place = { directory, name: 'soak' };
  const random = randomFrom(Number(options.seed));
  const self = fileURLToPath(import.meta.url);
  let broken = 0;
  const start = (): ChildProcess => {
    const child = spawn(process.execPath, [self, '--directory', directory, '--seed', `${random(2 ** 31)}`], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    child.on('exit', (code) => {
      if (code !== null) broken++;
    });
    return child;
  };
  const kill = async (child: ChildProcess): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  };

  for (const part of soakParts) part.create(place);
  const children = Array.from({ length: Number(options.processes) }, start);
  let kills = 0;
  let stops = 0;
  const end = performance.now() + Number(options.seconds) * 1000;
  try {
    while (performance.now() < end && broken === 0) {
      await delay(random(60));
      const victim = random(children.length);
      const child = children[victim] as ChildProcess;
      if (random(3) === 0) {
        stops++;
        child.kill('SIGSTOP');
        await delay(random(100));
        child.kill('SIGCONT');
      } else {
        kills++;
        await kill(child);
        children[victim] = start();
      }
    }
  } finally {
    await Promise.all(children.map(kill));
  }
  console.log(`${kills} kills, ${stops} stops in ${options.seconds} s, seed ${options.seed}`);
  for (const part of soakParts) console.log(part.name, part.verify(place));
  cleanup({ directory });
  const leftovers = readdirSync(directory).filter((file) => file.endsWith('.tmp'));
  if (leftovers.length > 0) throw new Error(`left behind: ${leftovers.join(', ')}`);
  rmSync(directory, { recursive: true });
  if (broken > 0) process.exitCode = 1;
  console.log(broken === 0 ? 'nothing broken' : `FAILED: ${broken} processes saw an invariant broken`);
}

if (options.directory === undefined) await main();
else await work(options.directory);
