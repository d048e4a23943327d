/** What may be done with a data folder from outside, on a real one. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqliteLog } from '@chat/server/sqlite';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { runStoreCommand } from '../../src/data/store-commands.js';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'chat-commands-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

function run(...argv: string[]): { code: number | undefined; lines: string[] } {
  const lines: string[] = [];
  return { code: runStoreCommand(argv, (line) => lines.push(line)), lines };
}

/** A store with messages whose lines are longer than what is read of a file at a time, and not cut at a character. */
async function store(texts: readonly string[]): Promise<string> {
  const directory = join(folder, 'data');
  const log = await openSqliteLog({ directory, reserveBytes: 0 });
  let delivered = 0;
  await new Promise<void>((resolve) => {
    log.open((entries) => {
      delivered += entries.length;
      if (delivered === texts.length) resolve();
    });
    const name = Buffer.from('ada');
    for (const text of texts) {
      const entry = { room: 'lobby', type: 0x11, codec: 1, kind: 0, sender: 1 } as const;
      log.append({ ...entry, name, body: Buffer.from(text), at: 1, publishId: 0, origin: undefined });
    }
  });
  await log.close();
  return directory;
}

it('an export makes the same store again, however long its lines are', async () => {
  const texts = Array.from({ length: 40 }, (_, i) => `${i} ${'שלום 🎈'.repeat(6000)}`);
  const exported = run('export', await store(texts));
  const file = join(folder, 'lines.json');
  writeFileSync(file, exported.lines.join('\n'));
  const again = join(folder, 'again');
  expect(run('import', again, file)).toEqual({ code: 0, lines: ['40 entries'] });
  expect(run('export', again).lines).toEqual(exported.lines);
  expect(run('check', again).code).toBe(0);
  expect(run('backup', again, join(folder, 'copy')).code).toBe(0);
});

it('what cannot be done is an error in words', () => {
  const nowhere = join(folder, 'nowhere');
  for (const command of ['check', 'export']) expect(() => run(command, nowhere)).toThrow(/there is no store/);
  expect(() => run('backup', nowhere, folder)).toThrow(/there is no store/);
  expect(() => run('backup', nowhere)).toThrow('usage: chat-server backup <data> <target>');
  expect(() => run('import', folder, nowhere)).toThrow(/there is no file/);
  expect(run('--data', nowhere).code).toBeUndefined();
});

it('exports and forgets what was said by somebody, or somewhere', async () => {
  const directory = await store(['one', 'two']);
  const said = run('export', directory, '--user', 'ada', '--room', 'LOBBY').lines.map((line) =>
    JSON.parse(line),
  );
  expect(said).toMatchObject([
    { seq: 1, room: 'lobby', name: 'ada', body: 'one' },
    { seq: 2, body: 'two' },
  ]);
  expect(run('export', directory, '--member', '1').lines).toHaveLength(2);
  for (const [option, value] of [
    ['--user', 'Ada'],
    ['--member', '2'],
    ['--room', 'tea'],
  ] as const) {
    expect(run('export', directory, option, value).lines).toEqual([]);
    expect(run('forget', directory, option, value).lines).toEqual(['0 entries removed']);
  }
  expect(run('forget', directory, '--user', 'ada')).toEqual({ code: 0, lines: ['2 entries removed'] });
  expect(run('export', directory).lines).toHaveLength(1);
  expect(run('check', directory).code).toBe(0);
  for (const file of readdirSync(directory)) {
    expect(readFileSync(join(directory, file)).includes('two'), file).toBe(false);
  }
  const usage = 'usage: chat-server forget <data> [--user <name>] [--member <id>] [--room <name>]';
  for (const argv of [[directory], ['--user', 'ada'], [directory, '--usr', 'ada'], [directory, '--user']]) {
    expect(() => run('forget', ...argv)).toThrow(usage);
  }
  expect(() => run('forget', directory, '--member', 'ada')).toThrow(
    '--member is the number of a member, got ada',
  );
  expect(() => run('forget', join(folder, 'nowhere'), '--user', 'ada')).toThrow(/there is no store/);
});

it('does not forget behind the back of a server', async () => {
  const directory = await store(['one']);
  const log = await openSqliteLog({ directory, reserveBytes: 0 });
  expect(() => run('forget', directory, '--user', 'ada')).toThrow(
    expect.objectContaining({ code: 'ERR_SERVER_STORE_LOCKED' }),
  );
  await log.close();
});
