/** The HTTP API and `chat-server admin` of several workers: any of them answers for all. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { runAdminCommand } from '../../src/admin/admin-command.js';
import { allSee, enter, NAMES, serve, TIMEOUT_MS, talk, workersOf } from '../support/people.js';

const API_TOKEN = 'a-token-of-the-api-of-this-test';

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'chat-operating-'));
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

it(
  'answers at any worker for all of them',
  async () => {
    const directory = folder();
    const tokens = join(directory, 'tokens');
    writeFileSync(tokens, `${API_TOKEN}\n`);
    const data = join(directory, 'data');
    const server = serve('--workers', '2', '--data', data, '--api-token-file', tokens);
    const port = await server.port();
    const people = await Promise.all(NAMES.map((name) => enter(port, name)));
    await talk(people, () => true);

    /** A request over a connection of its own, so that workers take turns. */
    const call = async (method: string, path: string, body?: object, headers: object = {}) => {
      const response = await fetch(`http://127.0.0.1:${port}/api/v1${path}`, {
        method,
        headers: {
          authorization: `Bearer ${API_TOKEN}`,
          connection: 'close',
          ...(body ? { 'content-type': 'application/json' } : {}),
          ...headers,
        },
        ...(body ? { body: JSON.stringify(body) } : {}),
      });
      const text = await response.text();
      return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
    };
    const admin = async (...argv: string[]): Promise<Record<string, unknown>> => {
      const lines: string[] = [];
      const print = (line: string): void => void lines.push(line);
      expect(await runAdminCommand([...argv, '--data', data, '--json'], print, print)).toBe(0);
      return JSON.parse(lines.join('\n'));
    };

    // The same request with a key, at all workers at once: it is carried out once.
    const said = { text: 'from a program', as: 'ci' };
    const once = { 'idempotency-key': 'one' };
    const answers = await Promise.all(
      [1, 2, 3, 4].map(() => call('POST', '/rooms/lobby/messages', said, once)),
    );
    expect(new Set(answers.map(({ status, body }) => `${status} ${body.seq}`)).size).toBe(1);
    await allSee(people, 'from a program');
    expect(people[0]!.seen.filter(({ value }) => value === 'from a program')).toHaveLength(1);
    expect((await call('POST', '/rooms/lobby/messages', { ...said, text: 'other' }, once)).status).toBe(422);

    // Limits are those of all, those that come later included.
    await call('PATCH', '/limits', { maxSessions: 77 });
    for (let i = 0; i < 4; i++) expect((await call('GET', '/limits')).body.maxSessions).toBe(77);

    const stats = (await call('GET', '/stats')).body;
    expect(stats.sessions).toBe(NAMES.length);
    expect(stats.workers.map(({ worker }: { worker: number }) => worker)).toEqual([1, 2]);
    expect(stats.workers.reduce((sum: number, { sessions }: { sessions: number }) => sum + sessions, 0)).toBe(
      4,
    );

    // A kick finds its session wherever it is.
    await admin('kick', 'dora');
    await vi.waitFor(() => expect(people[3]!.client.state.status).toBe('closed'), TIMEOUT_MS);

    const before = workersOf(server).length;
    await admin('reload');
    await server.printed(/workers are restarted"/);
    expect(workersOf(server).length - before).toBe(2);
    for (let i = 0; i < 4; i++) expect((await admin('limits')).maxSessions).toBe(77);
    const rest = people.slice(0, 3);
    await rest[0]!.room.send('behind the restart');
    await allSee(rest, 'behind the restart');

    await admin('drain', '--spread-ms', '10');
    expect(await server.exit).toBe(0);
  },
  TIMEOUT_MS,
);
