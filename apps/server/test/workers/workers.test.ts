/** `chat-server --workers`: processes that are really killed, stopped and replaced, with clients that notice nothing else. */
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { connect as connectSocket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ChatClient, connect } from '@chat/client';
import { expect, it, onTestFinished, vi } from 'vitest';
import { LOG_PREFIX } from '../../src/workers/shared-logs.js';
import {
  allSee,
  enter,
  NAMES,
  serve,
  TIMEOUT_MS,
  TOKEN,
  talk,
  untilTheTestEnds,
  workersOf,
} from '../support/people.js';
import { ServerProcess } from '../support/server-process.js';

const SHARED_MEMORY = '/dev/shm';

it(
  'is one chat at one port and one Unix socket, and counts what all workers do',
  async () => {
    const path = join(tmpdir(), `chat-workers-${process.pid}.sock`);
    const server = serve('--workers', '2', '--unix', path, '--unix-mode', '600');
    const port = await server.port();
    const people = await Promise.all(NAMES.map((name) => enter(port, name)));
    await talk(people, () => true);
    const line = connectSocket(path);
    line.write('eve\nover the socket\n');
    await allSee(people, 'over the socket');
    line.destroy();
    await expect(connect(`tcp://127.0.0.1:${port}`, { name: 'ADA' })).rejects.toMatchObject({
      code: 'ERR_CLIENT_NAME_TAKEN',
    });
    const headers = { authorization: `Bearer ${TOKEN}` };
    const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`, { headers })).text();
    const opened = [...metrics.matchAll(/^chat_sessions_opened_total\{worker="\d+"\} (\d+)$/gm)];
    expect(opened.map(([, count]) => Number(count)).every((count) => count > 0)).toBe(true);
    expect(opened.reduce((sum, [, count]) => sum + Number(count), 0)).toBe(NAMES.length + 1);
    expect((await fetch(`http://127.0.0.1:${port}/readyz`)).status).toBe(200);
    server.child.kill('SIGTERM');
    expect(await server.exit).toBe(0);
    expect(server.errors).toBe('');
  },
  TIMEOUT_MS,
);

it(
  'tells a worker that is started later what its configuration file said at the beginning',
  async () => {
    const file = join(tmpdir(), `chat-workers-${process.pid}.json`);
    writeFileSync(file, '{ "workers": 2, "maxLineBytes": 1000 }');
    onTestFinished(() => rmSync(file));
    const server = serve('--config', file);
    await server.port();
    writeFileSync(file, '{ "workers": 0 }');
    process.kill(workersOf(server)[0]!.pid, 'SIGKILL');
    await server.printed(/worker 3 takes connections/);
    server.child.kill('SIGTERM');
    expect(await server.exit).toBe(0);
    expect(server.errors).toBe('');
  },
  TIMEOUT_MS,
);

it(
  'loses and doubles nothing when a worker is killed, and starts another one in its place',
  async () => {
    const server = serve('--workers', '2');
    const port = await server.port();
    const people = await Promise.all(NAMES.map((name) => enter(port, name)));
    const kill = async (index: number): Promise<void> => {
      const { pid } = workersOf(server)[index]!;
      process.kill(pid, 'SIGKILL');
      await server.printed(new RegExp(`(takes connections[\\s\\S]*){${index + 3}}`));
    };
    let isOver = false;
    const kills = (async () => {
      for (let index = 0; index < 3; index++) await kill(index);
      isOver = true;
    })();
    await talk(people, () => isOver);
    await kills;
    expect(server.out).toContain('(SIGKILL): another one is started');
  },
  TIMEOUT_MS,
);

it(
  'counts the connections of an address at all workers, and gives back those of one that was killed',
  async () => {
    const server = serve('--workers', '2', '--max-connections-per-address', '4');
    const port = await server.port();
    let open: ChatClient[] = [];
    /** One after the other, so that workers take turns; answers how many are let in. */
    const knock = async (name: string): Promise<number> => {
      for (let i = 0; i < 8; i++) {
        const options = { name: `${name}${i}`, reconnect: { enabled: false } };
        await connect(`tcp://127.0.0.1:${port}`, options).then(
          (client) => open.push(client),
          () => {},
        );
      }
      open = open.filter(({ state }) => state.status === 'open');
      return open.length;
    };
    expect(await knock('p')).toBe(4);
    process.kill(workersOf(server)[0]!.pid, 'SIGKILL');
    await server.printed(/worker 3 takes connections/);
    expect(await knock('q')).toBe(4);
    await Promise.all(open.map((client) => client.close()));
  },
  TIMEOUT_MS,
);

it(
  'replaces a worker that was stopped',
  async () => {
    const server = serve('--workers', '2', '--worker-silence-ms', '3000');
    const port = await server.port();
    const people = await Promise.all(NAMES.map((name) => enter(port, name)));
    process.kill(workersOf(server)[1]!.pid, 'SIGSTOP');
    let isOver = false;
    const replaced = server.printed(/does not answer[\s\S]*takes connections/).then(() => {
      isOver = true;
    });
    await talk(people, () => isOver);
    await replaced;
  },
  TIMEOUT_MS,
);

it(
  'is restarted worker by worker at SIGUSR2, and every session goes on',
  async () => {
    const server = serve('--workers', '2');
    const port = await server.port();
    const people = await Promise.all(NAMES.map((name) => enter(port, name)));
    const before = workersOf(server).map(({ pid }) => pid);
    server.child.kill('SIGUSR2');
    let isOver = false;
    const restarted = server.printed(/workers are restarted"/).then(() => {
      isOver = true;
    });
    await talk(people, () => isOver);
    await restarted;
    const after = workersOf(server)
      .slice(2)
      .map(({ pid }) => pid);
    expect(after).toHaveLength(2);
    for (const pid of before) expect(() => process.kill(pid, 0)).toThrow();
  },
  TIMEOUT_MS,
);

it(
  'ends with one sentence where there is no shared memory, or where a worker cannot listen',
  async () => {
    const without = new ServerProcess(['--workers', '2', '--port', '0'], ['--no-addons']);
    untilTheTestEnds(without);
    expect(await without.exit).toBe(2);
    expect(without.errors).toMatch(/^chat-server: --workers needs shared memory: .*\n$/);
    const other = serve('--workers', '1');
    const port = await other.port();
    const late = new ServerProcess(['--workers', '2', '--host', '127.0.0.1', '--port', String(port)]);
    untilTheTestEnds(late);
    expect(await late.exit).toBe(1);
    expect(late.errors).toMatch(/^chat-server: cannot listen on .*choose another with --port\n$/);
  },
  TIMEOUT_MS,
);

/** The logs in shared memory that a supervisor has made. */
function logsOf({ child }: ServerProcess): string[] {
  return readdirSync(SHARED_MEMORY).filter((file) => file.startsWith(`${LOG_PREFIX}${child.pid}-`));
}

it.runIf(existsSync(SHARED_MEMORY))(
  'leaves neither processes nor memory behind when the supervisor is killed',
  async () => {
    const server = serve('--workers', '2');
    await server.port();
    // The log, and the counts of addresses.
    expect(logsOf(server)).toHaveLength(2);
    server.child.kill('SIGKILL');
    // Its output ends with the last process that has it.
    await server.exit;
    await vi.waitFor(() => expect(logsOf(server)).toEqual([]), TIMEOUT_MS);
    for (const { pid } of workersOf(server)) {
      await vi.waitFor(() => expect(() => process.kill(pid, 0)).toThrow(), TIMEOUT_MS);
    }
  },
  TIMEOUT_MS,
);

it.runIf(existsSync(SHARED_MEMORY))(
  'removes what another one left in shared memory, all of whose processes were killed',
  async () => {
    const first = serve('--workers', '2');
    await first.port();
    const workers = workersOf(first);
    for (const { pid } of workers) process.kill(pid, 'SIGSTOP');
    first.child.kill('SIGKILL');
    for (const { pid } of workers) process.kill(pid, 'SIGKILL');
    await first.exit;
    expect(logsOf(first)).toHaveLength(2);
    const second = serve('--workers', '2');
    await second.port();
    expect([logsOf(first).length, logsOf(second).length]).toEqual([0, 2]);
    second.child.kill('SIGTERM');
    await second.exit;
    expect(logsOf(second)).toEqual([]);
  },
  TIMEOUT_MS,
);
