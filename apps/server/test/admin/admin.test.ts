/** `chat-server admin`: commands to a running server through a socket that is its user's alone. */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from '@chat/client';
import { type ChatServer, createChatServer, type DrainOptions } from '@chat/server';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runAdminCommand } from '../../src/admin/admin-command.js';
import { linesOf, visible } from '../../src/admin/admin-output.js';
import { adminSocketIn, openAdminSocket } from '../../src/admin/admin-socket.js';
import { OPERATIONS } from '../../src/api/operations.js';

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

let folder: string;
let server: ChatServer;
let socket: Server;
let drains: DrainOptions[];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'chat-admin-'));
  server = createChatServer();
  drains = [];
  const drain = (options: DrainOptions): void => void drains.push(options);
  socket = await openAdminSocket(adminSocketIn(folder), {
    server,
    drain,
    reload: () => {},
    logger: silent,
    version: '0.0.0',
  });
});

afterEach(async () => {
  socket.closeAllConnections();
  socket.close();
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Runs a command; what it prints, on both outputs, and its exit code. */
async function admin(...argv: string[]): Promise<{ out: string[]; errors: string[]; code: number }> {
  const [out, errors]: [string[], string[]] = [[], []];
  const code = await runAdminCommand(
    [...argv, '--data', folder],
    (line) => out.push(line),
    (line) => errors.push(line),
  );
  return { out, errors, code };
}

// A named pipe on Windows has no file, and no permissions that could be looked at.
describe.skipIf(process.platform === 'win32')('chat-server admin', () => {
  it('has a socket that only its user can open', () => {
    const { mode } = statSync(adminSocketIn(folder));
    expect(mode & 0o777).toBe(0o600);
  });

  it('publishes and reads, for people and as JSON', async () => {
    const said = await admin('publish', 'team/one', '--text', 'hello\u001b[2J', '--as', 'ops', '--json');
    expect(said.code).toBe(0);
    const { seq, id } = JSON.parse(said.out[0]!);
    const { out } = await admin('history', 'team/one', '--limit', '5');
    expect(out).toEqual([
      `  type=message  id=${id}  seq=${seq}  prev=0  at=${JSON.parse(said.out[0]!).at}  name=ops  member=0  text=hello\\u{1b}[2J`,
      'end: true',
    ]);
    expect(JSON.parse((await admin('rooms', '--json')).out[0]!)).toEqual({
      rooms: [{ room: 'team/one', memberCount: 0 }],
    });
  });

  it('kicks, and says so with its exit code when there is nobody', async () => {
    const { port } = await server.listen({ port: 0, host: '127.0.0.1' });
    const client = await connect(`tcp://127.0.0.1:${port}`, { name: 'ada' });
    const closed = new Promise((resolve) =>
      client.on('state', (state) => state.status === 'closed' && resolve(state.reason)),
    );
    expect((await admin('users')).out).toEqual(['  name=ada  sessions=1  isConnected=true  rooms=']);
    expect(await admin('kick', 'ada', '--reason', 'enough')).toEqual({ out: [], errors: [], code: 0 });
    expect(await closed).toMatchObject({ code: 'ERR_CLIENT_KICKED' });
    expect(await admin('kick', 'ada')).toEqual({
      out: [],
      errors: ['chat-server: nobody of that name is here: ada (ERR_SERVER_NO_SUCH_USER)'],
      code: 1,
    });
    const { out, code } = await admin('kick', 'ada', '--json');
    expect([JSON.parse(out[0]!).code, code]).toEqual(['ERR_SERVER_NO_SUCH_USER', 1]);
  });

  it('bans and ends the ban, and takes a message back', async () => {
    expect((await admin('ban', '--user', 'mallory')).code).toBe(0);
    expect(await admin('unban', 'mallory')).toEqual({ out: [], errors: [], code: 0 });
    const { seq } = JSON.parse(
      (await admin('publish', 'lobby', '--text', 'no', '--as', 'ops', '--json')).out[0]!,
    );
    expect(await admin('take-back', 'lobby', String(seq))).toEqual({ out: [], errors: [], code: 0 });
  });

  it('changes limits at run time, and drains', async () => {
    expect(
      (await admin('adjust', '--max-sessions', '7', '--max-connections-per-address', 'Infinity')).out,
    ).toContain('maxSessions: 7');
    expect(server.limits()).toMatchObject({
      maxSessions: 7,
      maxConnectionsPerAddress: Number.POSITIVE_INFINITY,
    });
    expect((await admin('limits')).out).toContain('maxConnectionsPerAddress: Infinity');
    expect((await admin('adjust', '--max-sessions', '0')).errors[0]).toContain('ERR_API_BAD_REQUEST');
    expect((await admin('drain', '--deadline-ms', '1')).code).toBe(0);
    expect(drains).toEqual([{ deadlineMs: 1 }]);
  });

  it('has every operation of the API as a command', async () => {
    for (const { id } of OPERATIONS) {
      await expect(admin(id, '--help')).rejects.toMatchObject({ exitCode: 0 });
    }
  });

  it.each([
    [['nothing'], /unknown command/],
    [['publish', 'lobby', '--as', 'ops'], /--text/],
    [['history'], /missing required argument/],
    [['history', 'lobby', '--limit', 'many'], /whole number/],
    [['kick', 'ada', '--because', 'x'], /unknown option/],
  ])('refuses %j as a usage error of one line', async (argv, message) => {
    const error = await admin(...argv).catch((reason: unknown) => reason as Error);
    expect(error).toMatchObject({ name: 'UsageError', exitCode: 2, message: expect.stringMatching(message) });
    expect((error as Error).message).not.toContain('\n');
  });

  it('says that no server listens, and which server must be named', async () => {
    const none = join(folder, 'none.sock');
    const run = (...argv: string[]): Promise<number> =>
      runAdminCommand(
        argv,
        () => {},
        () => {},
      );
    await expect(run('stats', '--admin-socket', none)).rejects.toMatchObject({
      exitCode: 1,
      message: expect.stringContaining(`no server listens at ${none}`),
    });
    await expect(run('stats')).rejects.toMatchObject({ exitCode: 2 });
    await expect(run('stats', '--data', folder, '--admin-socket', none)).rejects.toMatchObject({
      exitCode: 2,
    });
  });
});

it('shows what a stranger wrote so that it cannot act on a terminal', () => {
  expect(visible('a\u001b[31m\u202Eb\n\u0000')).toBe('a\\u{1b}[31m\\u{202e}b\\u{a}\\u{0}');
  expect(linesOf({ rooms: [{ room: 'a\nb' }], closes: { 4001: 2 }, end: true })).toEqual([
    '  room=a\\u{a}b',
    'closes 4001: 2',
    'end: true',
  ]);
});
