/** `chat-server --workers --data`: what was shown to anybody is in the folder, whoever of its processes is killed. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkStore } from '@chat/server/sqlite';
import { expect, it, onTestFinished, vi } from 'vitest';
import { enter, NAMES, serve, TIMEOUT_MS, talk, workersOf } from '../support/people.js';
import type { ServerProcess } from '../support/server-process.js';
import { WebhookReceiver } from '../support/webhook-receiver.js';

function dataFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'chat-stored-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** The processes that had the folder open so far, in their order. */
function storesOf({ out }: ServerProcess): number[] {
  const lines = out.split('\n').filter((line) => line.includes('"the data folder is open"'));
  return lines.map((line) => JSON.parse(line).pid);
}

/** By default, and at the most. */
const EVENTS_PER_DELIVERY = 100;

const takesConnections = (count: number): RegExp => new RegExp(`(takes connections[\\s\\S]*){${count}}`);
const isOpenAgain = (count: number): RegExp => new RegExp(`(is open again[\\s\\S]*){${count}}`);

it(
  'loses and doubles nothing when a worker or the process of the store is killed, webhooks included',
  async () => {
    const directory = dataFolder();
    const receiver = await new WebhookReceiver().listen();
    onTestFinished(() => receiver.close());
    const secret = join(directory, 'secret');
    writeFileSync(secret, 'a-secret-of-sixteen-or-more');
    const hook = [
      '--webhook-url',
      receiver.url,
      '--webhook-secret-file',
      secret,
      '--webhook-event',
      'message',
    ];
    const server = serve('--workers', '2', '--data', directory, ...hook);
    const port = await server.port();
    const people = await Promise.all(NAMES.map((name) => enter(port, name)));
    let isOver = false;
    const kills = (async () => {
      process.kill(storesOf(server)[0]!, 'SIGKILL');
      await server.printed(isOpenAgain(1));
      process.kill(workersOf(server)[0]!.pid, 'SIGKILL');
      await server.printed(takesConnections(3));
      process.kill(storesOf(server)[1]!, 'SIGKILL');
      process.kill(workersOf(server)[1]!.pid, 'SIGKILL');
      await server.printed(takesConnections(4));
      await server.printed(isOpenAgain(2));
      isOver = true;
    })();
    await talk(people, () => isOver);
    await kills;
    await receiver.until(() => receiver.texts.includes('end'));
    // Of a worker that was killed nobody knows whether its last delivery was taken: it comes again.
    expect(receiver.taken.filter(({ type }) => type !== 'message')).toEqual([]);
    const messages = receiver.taken;
    const told = new Map(messages.map((event) => [event.seq, event.text]));
    expect([...told.values()]).toEqual(people[0]!.seen.map(({ value }) => value));
    expect(messages.length - told.size).toBeLessThanOrEqual(2 * EVENTS_PER_DELIVERY);
    server.child.kill('SIGTERM');
    expect(await server.exit).toBe(0);
    expect(checkStore({ directory })).toMatchObject({ damaged: [], problems: [] });
  },
  TIMEOUT_MS,
);

it(
  'goes on where it was after all of its processes were killed: sessions, epoch and messages',
  async () => {
    const directory = dataFolder();
    const first = serve('--workers', '2', '--data', directory);
    const port = await first.port();
    const people = await Promise.all(NAMES.map((name) => enter(port, name)));
    let isOver = false;
    const restart = (async () => {
      await vi.waitFor(() => expect(people.every(({ seen }) => seen.length > 8)).toBe(true), TIMEOUT_MS);
      for (const { pid } of workersOf(first)) process.kill(pid, 'SIGSTOP');
      const all = [first.child.pid!, ...storesOf(first), ...workersOf(first).map(({ pid }) => pid)];
      for (const pid of all) process.kill(pid, 'SIGKILL');
      await first.exit;
      const second = serve('--workers', '2', '--data', directory, '--port', String(port));
      await second.port();
      isOver = true;
      return second;
    })();
    await talk(people, () => isOver);
    const second = await restart;
    expect(new Set(people.map(({ client }) => client.epoch)).size).toBe(1);
    second.child.kill('SIGTERM');
    expect(await second.exit).toBe(0);
  },
  TIMEOUT_MS,
);
