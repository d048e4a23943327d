/**
 * Looks for reorderings and torn values, two processes at full speed: what `src/platform/atomics.ts` claims, tried on this very machine.
 *
 * - *store, then load*: each process stores its own word and then loads the other's; both loading 0 is what no sequentially consistent
 *   machine does, and what every doorbell relies on.
 * - *torn values*: one process writes a latest value without pause, the other reads it and checks every copy. First with all
 *   optimising tiers warm, then interpreted only, not optimised, and optimised from the first call.
 *
 *     npm run litmus -w @chat/shm -- --reads 100000000 --large-reads 100000000
 *
 * A run proves nothing about other machines; on x86-64 most mistakes cannot show at all.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { openLatest } from '../../src/latest/latest.js';
import { load, pause, store } from '../../src/platform/atomics.js';
import { openSegment } from '../../src/segment/shared-segment.js';
import type { Place } from '../support/scenario.js';

const { values: options } = parseArgs({
  options: {
    reads: { type: 'string', default: '100000000' },
    'large-reads': { type: 'string', default: '10000000' },
    rounds: { type: 'string', default: '1000000' },
    pace: { type: 'string', default: '0' },
    role: { type: 'string' },
    directory: { type: 'string', default: '' },
  },
});

/** Every checked word of a value is its number; 64 KiB are checked every 32 bytes, twice per cache line. */
const CHECK_EVERY_WORDS = 8;
const BATCH = 1000;

const place: Place = { directory: options.directory, name: 'litmus' };

function writeForEver(): void {
  const latest = openLatest(place.name, { directory: place.directory, mode: 'open' });
  const words = new Int32Array(latest.maxValueBytes / 4);
  const bytes = new Uint8Array(words.buffer);
  const pace = Number(options.pace);
  process.stdout.write('ready\n');
  setImmediate(() => {
    for (let number = 1; ; number = (number + 1) | 0) {
      words.fill(number);
      latest.write(bytes);
      for (let rest = number % (pace + 1); rest > 0; rest--) pause();
    }
  });
}

function read(reads: number): void {
  const latest = openLatest(place.name, { directory: place.directory, mode: 'open' });
  const words = new Int32Array(latest.maxValueBytes / 4);
  const bytes = new Uint8Array(words.buffer);
  const stride = words.length > 64 ? CHECK_EVERY_WORDS : 1;
  let torn = 0;
  let changes = 0;
  let previous = 0;
  const checkCopies = (count: number): void => {
    for (let i = 0; i < count; i++) {
      if (latest.readInto(bytes) === undefined) continue;
      const number = words[0] as number;
      let wrong = words[words.length - 1] === number ? 0 : 1;
      for (let k = stride; k < words.length; k += stride) if (words[k] !== number) wrong = 1;
      torn += wrong;
      if (number !== previous) changes++;
      previous = number;
    }
  };
  const start = performance.now();
  for (let done = 0; done < reads; done += BATCH) checkCopies(BATCH);
  const seconds = (performance.now() - start) / 1000;
  process.stdout.write(`${JSON.stringify({ reads, torn, changes, seconds })}\n`);
}

/** One side of the store-then-load test: `mine` is 0 or 1. Returns what it loaded in each round, in its words of the segment. */
function storeThenLoad(mine: number, rounds: number): void {
  const segment = openSegment(place.name, { directory: place.directory, mode: 'open' });
  const { words } = segment;
  const barrier = (side: number): number => side * 32;
  const stored = (side: number): number => 64 + side * rounds;
  const loaded = 64 + (2 + mine) * rounds;
  for (let round = 0; round < rounds; round++) {
    store(words, barrier(mine), round + 1);
    while (load(words, barrier(1 - mine)) <= round);
    store(words, stored(mine) + round, 1);
    words[loaded + round] = load(words, stored(1 - mine) + round);
  }
  process.stdout.write('done\n');
}

async function testStoreThenLoad(directory: string, rounds: number): Promise<boolean> {
  const segment = openSegment('litmus', { directory, payloadBytes: 4 * (64 + 4 * rounds) });
  const sides = ['0', '1'].map((side) =>
    spawn(
      process.execPath,
      [
        fileURLToPath(import.meta.url),
        '--role',
        `side${side}`,
        '--directory',
        directory,
        '--rounds',
        `${rounds}`,
      ],
      { stdio: ['ignore', 'ignore', 'inherit'] },
    ),
  );
  await Promise.all(sides.map((side) => once(side, 'exit')));
  let forbidden = 0;
  let overlapping = 0;
  for (let round = 0; round < rounds; round++) {
    const [a, b] = [segment.words[64 + 2 * rounds + round], segment.words[64 + 3 * rounds + round]];
    if (a === 0 && b === 0) forbidden++;
    if (a === 1 && b === 1) overlapping++;
  }
  segment.closeAndRemoveIfLast();
  console.log(`store, then load: ${rounds} rounds, ${overlapping} truly at once, ${forbidden} reordered`);
  return forbidden === 0;
}

async function testTorn(
  directory: string,
  flags: readonly string[],
  bytes: number,
  cells: number,
  reads: number,
): Promise<boolean> {
  const latest = openLatest('litmus', { directory, maxValueBytes: bytes, cells });
  const where = ['--directory', directory];
  const self = fileURLToPath(import.meta.url);
  // With two cells every write in the middle of a copy costs a retry: without a rest between writes readers would starve.
  const pace = cells === 2 ? bytes : 0;
  const writer = spawn(
    process.execPath,
    [...flags, self, '--role', 'writer', ...where, '--pace', `${pace}`],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  await once(writer.stdout, 'data');
  const reader = spawn(
    process.execPath,
    [...flags, self, '--role', 'reader', ...where, '--reads', `${reads}`],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const [line] = await once(reader.stdout, 'data');
  writer.kill('SIGKILL');
  await once(writer, 'exit');
  const { torn, changes, seconds } = JSON.parse(String(line)) as {
    torn: number;
    changes: number;
    seconds: number;
  };
  latest.segment.unlink();
  latest.close();
  const nanoseconds = ((seconds / reads) * 1e9).toFixed(0);
  const how = flags.length === 0 ? 'all tiers' : flags.join(' ');
  console.log(
    `${bytes} bytes, ${cells} cells, ${how}: ${reads} reads checked in ${seconds.toFixed(1)} s (${nanoseconds} ns each), ${changes} different values seen, ${torn} torn`,
  );
  return torn === 0;
}

async function main(): Promise<void> {
  const directory = mkdtempSync(
    join(process.platform === 'linux' ? '/dev/shm' : tmpdir(), 'chat-shm-litmus-'),
  );
  const reads = Number(options.reads);
  const largeReads = Number(options['large-reads']);
  const slow = (count: number): number => Math.ceil(count / 20);
  try {
    const passed = [
      await testStoreThenLoad(directory, Number(options.rounds)),
      await testTorn(directory, [], 64, 4, reads),
      await testTorn(directory, [], 65_536, 4, largeReads),
      await testTorn(directory, [], 64, 2, slow(reads)),
      await testTorn(directory, [], 65_536, 2, slow(largeReads)),
    ];
    for (const flag of ['--jitless', '--no-opt', '--always-turbofan']) {
      passed.push(await testTorn(directory, [flag], 64, 4, slow(reads)));
      passed.push(await testTorn(directory, [flag], 65_536, 4, slow(slow(largeReads))));
    }
    process.exitCode = passed.every(Boolean) ? 0 : 1;
    console.log(process.exitCode === 0 ? 'nothing torn, nothing reordered' : 'FAILED');
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

switch (options.role) {
  case 'writer':
    writeForEver();
    break;
  case 'reader':
    read(Number(options.reads));
    break;
  case 'side0':
  case 'side1':
    storeThenLoad(options.role === 'side0' ? 0 : 1, Number(options.rounds));
    break;
  default:
    await main();
}
