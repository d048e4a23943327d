/** The examples and tables of docs/http-api.md: run, and compared with the code. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { RoomEntry } from '@chat/server';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { findProgram } from '../../../../test/support/find-program.js';
import { OPERATIONS } from '../../src/api/operations.js';
import { ApiProblem, SERVER_STATUS } from '../../src/api/problem.js';
import { type ApiServer, startApi, TOKEN } from '../support/api-server.js';

const run = promisify(execFile);
const page = readFileSync(new URL('../../../../docs/http-api.md', import.meta.url), 'utf8');
const example = (info: string): string => page.split(`\`\`\`${info}\n`)[1]!.split('\n```')[0]!;

const CURL = findProgram('curl');
const PYTHON = findProgram('python3');

let folder: string;
let api: ApiServer;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'chat-api-'));
  api = await startApi(folder);
});
afterEach(async () => {
  await api.server.close();
  rmSync(folder, { recursive: true, force: true });
});

const environment = (): NodeJS.ProcessEnv => ({
  ...process.env,
  CHAT: `http://127.0.0.1:${api.port}`,
  TOKEN,
});
const texts = (entries: readonly RoomEntry[]): unknown[] =>
  entries.map((entry) => entry.type === 'message' && [entry.sender.name, entry.value]);

it.skipIf(!CURL)('curl publishes', async () => {
  const { stdout } = await run('sh', ['-c', example('sh curl')], { env: environment() });
  expect(JSON.parse(stdout)).toEqual({ id: expect.any(String), seq: 2, at: expect.any(Number) });
  expect(texts((await api.server.history('lobby')).entries)).toEqual([['ci', 'the build is green']]);
});

it.skipIf(!PYTHON)('Python publishes and reads', async () => {
  const file = join(folder, 'say.py');
  writeFileSync(file, example('python say.py'));
  const { stdout } = await run('python3', [file], { env: environment() });
  expect(stdout).toBe('snake: hello from Python\n');
});

it('every operation and every code is in a table, and nothing else', () => {
  const rows = page.match(/^\| `(GET|POST|PATCH|DELETE) [^`]*`/gm)!.map((row) => row.slice(3, -1));
  expect(rows.sort()).toEqual(OPERATIONS.map(({ method, path }) => `${method} ${path}`).sort());
  const known = Object.entries({ ...ApiProblem, ...SERVER_STATUS }).map(
    ([code, status]) => `${status} ${code}`,
  );
  const told = page
    .match(/^\| \d{3} \|.*$/gm)!
    .flatMap((row) => row.match(/ERR_\w+/g)!.map((code) => `${row.slice(2, 5)} ${code}`));
  expect(told.sort()).toEqual(known.sort());
});
