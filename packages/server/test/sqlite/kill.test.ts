/** The process is killed at any instant: what it said is stored is there, and nothing is there twice or in part. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { findDriver } from '../../src/sqlite/driver.js';
import { Blocks, entriesOf } from '../../src/sqlite/rows/blocks.js';
import { seeded } from '../support/seeded.js';
import { dataFolder } from '../support/sqlite/folder.js';

const ROUNDS = Number(process.env.CHAT_STORE_KILLS ?? 3);
const SEED = Number(process.env.CHAT_STORE_SEED ?? 1);
const CHILD = fileURLToPath(new URL('../support/sqlite/kill-child.ts', import.meta.url));

function start(directory: string, durability: string): ChildProcess {
  const node = ['--conditions=@chat/source', '--import', 'tsx', CHILD, directory, durability];
  return spawn(process.execPath, node, { stdio: ['ignore', 'pipe', 'inherit'] });
}

it.each(['process', 'disk'])(
  'keeps what was stored through kills, with durability %s',
  async (durability) => {
    const directory = dataFolder();
    const random = seeded(SEED);
    let epoch: string | undefined;
    let stored = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const child = start(directory, durability);
      const exit = once(child, 'exit');
      const groups = random.below(100);
      // The kill is sent from another process, so it comes at any instant of what the child does.
      for await (const line of createInterface({ input: child.stdout! })) {
        const [what, first, second] = line.split(' ');
        if (what === 'open') {
          epoch ??= first!;
          expect(first, `epoch in round ${round}`).toBe(epoch);
          expect(Number(second)).toBeGreaterThanOrEqual(stored);
          stored = Number(second);
          if (groups === 0) child.kill('SIGKILL');
        } else {
          stored = Number(first);
          if (random.below(groups) === 0) child.kill('SIGKILL');
        }
      }
      await exit;
      expect(child.signalCode).toBe('SIGKILL');
      check(directory, stored);
    }
    expect(stored).toBeGreaterThan(0);
  },
  120_000,
);

/** Every position once, up to `stored` at least, with the text that belongs to it. */
function check(directory: string, stored: number): void {
  const database = findDriver().open(join(directory, 'chat.sqlite'));
  database.exec('PRAGMA query_only = ON');
  const blocks = new Blocks(database);
  const parts = database.prepare('SELECT sum(entries) AS entries FROM part');
  const { position } = database.prepare('SELECT position FROM total').get() as { position: number };
  expect(position).toBeGreaterThanOrEqual(stored);
  let seen = 0;
  for (let block = blocks.readAfter(seen); block; block = blocks.readAfter(seen)) {
    for (const { seq, body } of entriesOf(block)!) {
      expect(seq).toBe(++seen);
      expect(new TextDecoder().decode(body)).toBe(`text ${seq}`);
    }
  }
  expect(seen).toBe(position);
  expect(parts.get()?.entries ?? 0).toBe(position);
  expect(Object.values(database.prepare('PRAGMA integrity_check').get()!)[0]).toBe('ok');
  database.close();
}
