/** The examples and tables of docs/http-api.md: run, and compared with the code. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import type { RoomEntry } from '@chat/server';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findProgram } from '../../../../test/support/find-program.js';
import { OPERATIONS } from '../../src/api/operations.js';
import { ApiProblem, SERVER_STATUS } from '../../src/api/problem.js';
import { readWebhookKey, signedHeaders } from '../../src/webhooks/signature.js';
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

describe('the verification of a webhook', () => {
  const secrets = [
    'a-plain-secret-of-some-length',
    `whsec_${Buffer.from('some bytes \u00ff').toString('base64')}`,
  ];
  const body = '{"events":[{"type":"gap","from":1,"to":2}],"שלום":1}';
  const now = 1_767_225_600_000;

  /** What is asked about each secret: a genuine delivery, another body, an old one, another secret. */
  const questions = () =>
    secrets.map((secret) => {
      const file = join(folder, 'secret');
      writeFileSync(file, `${secret}\n`);
      return { secret, headers: signedHeaders(readWebhookKey(file), 'one', now, body) };
    });
  const expected = secrets.flatMap(() => [true, false, false, false]);

  it('works in Node', async () => {
    const file = join(folder, 'verify.mjs');
    writeFileSync(file, example('js verify.mjs'));
    const { isGenuine } = (await import(pathToFileURL(file).href)) as {
      isGenuine(headers: object, body: string, secret: string, now: number): boolean;
    };
    const answers = questions().flatMap(({ secret, headers }) => [
      isGenuine(headers, body, secret, now),
      isGenuine(headers, `${body} `, secret, now),
      isGenuine(headers, body, secret, now + 301_000),
      isGenuine(headers, body, `${secret.slice(0, -4)}AAAA`, now),
    ]);
    expect(answers).toEqual(expected);
  });

  it.skipIf(!PYTHON)('works in Python', async () => {
    const ask = `
import json, sys
for question in json.loads(sys.argv[1]):
    headers, body, secret, now = question['headers'], question['body'].encode(), question['secret'], question['now']
    print(is_genuine(headers, body, secret, now), is_genuine(headers, body + b' ', secret, now),
        is_genuine(headers, body, secret, now + 301), is_genuine(headers, body, secret[:-4] + 'AAAA', now))
`;
    const file = join(folder, 'verify.py');
    writeFileSync(file, example('python verify.py') + ask);
    const told = JSON.stringify(questions().map((question) => ({ ...question, body, now: now / 1000 })));
    const { stdout } = await run('python3', [file, told]);
    expect(
      stdout
        .trim()
        .split(/\s+/)
        .map((word) => word === 'True'),
    ).toEqual(expected);
  });
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
