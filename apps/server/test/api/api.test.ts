/** The HTTP API on the chat port, as programs and as strangers use it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from '@chat/client';
import type { ChatServer, ChatServerOptions } from '@chat/server';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { OPERATIONS } from '../../src/api/operations.js';
import { TokenFile } from '../../src/api/tokens.js';
import { type ApiServer, startApi, TOKEN } from '../support/api-server.js';

let folder: string;
const servers: ChatServer[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'chat-api-'));
});

afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  // biome-ignore lint/suspicious/noExplicitAny: JSON of the API, looked into by the tests
  readonly body: any;
}

interface Call extends ApiServer {
  (method: string, path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<Answer>;
}

/** A server with the API, and a way to ask it. A body that is text goes as it is. */
async function start(options: ChatServerOptions = {}): Promise<Call> {
  const api = await startApi(folder, options);
  const { server, port } = api;
  servers.push(server);
  const call = (
    method: string,
    path: string,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const text = typeof body === 'string' ? body : body === undefined ? '' : JSON.stringify(body);
      const request = httpRequest(
        {
          port,
          method,
          path: `/api/v1${path}`,
          headers: {
            ...(body === undefined
              ? {}
              : { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) }),
            Authorization: `Bearer ${TOKEN}`,
            ...headers,
          },
        },
        (response) => {
          let received = '';
          response.setEncoding('utf8').on('data', (chunk) => {
            received += chunk;
          });
          response.on('end', () =>
            resolve({
              status: response.statusCode ?? 0,
              headers: response.headers,
              body: received === '' ? undefined : JSON.parse(received),
            }),
          );
        },
      );
      request.on('error', reject);
      request.end(text);
    });
  return Object.assign(call, api);
}

describe('the API', () => {
  it('publishes, and members and history have it', async () => {
    const call = await start();
    await using client = await connect(`tcp://127.0.0.1:${call.port}`, { name: 'ada' });
    const room = await client.join('lobby');
    const heard = new Promise((resolve) => room.on('message', resolve, { once: true }));
    const { status, body } = await call('POST', '/rooms/lobby/messages', {
      text: 'hello\u0000 🎈',
      as: 'ci bot',
    });
    expect(status).toBe(201);
    expect(body).toEqual({
      id: `${call.server.epoch}-${body.seq}`,
      seq: expect.any(Number),
      at: expect.any(Number),
    });
    expect(await heard).toMatchObject({
      ...body,
      own: false,
      sender: { id: 0, name: 'ci bot' },
      value: 'hello\u0000 🎈',
    });
    expect([...room.members.values()].map(({ name }) => name)).toEqual(['ada']);
    const history = await call('GET', '/rooms/Lobby/messages?limit=2');
    expect(history.body).toEqual({
      entries: [
        expect.objectContaining({ type: 'notice', kind: 'joined', name: 'ada' }),
        {
          type: 'message',
          ...body,
          prev: history.body.entries[0].seq,
          name: 'ci bot',
          member: 0,
          text: 'hello\u0000 🎈',
        },
      ],
      end: true,
    });
    expect((await call('GET', `/rooms/lobby/messages?before=${body.seq}`)).body.entries).toHaveLength(1);
    expect((await call('GET', `/rooms/lobby/messages?after=${body.seq}`)).body).toEqual({
      entries: [],
      end: true,
    });
  });

  it('tells a user something, and nobody who is not here', async () => {
    const call = await start();
    await using client = await connect(`tcp://127.0.0.1:${call.port}`, { name: 'ada' });
    const heard = new Promise((resolve) => client.on('direct', resolve, { once: true }));
    expect(await call('POST', '/users/ada/messages', { text: 'psst', as: 'ops' })).toMatchObject({
      status: 201,
    });
    expect(await heard).toMatchObject({ sender: { id: 0, name: 'ops' }, value: 'psst' });
    expect(await call('POST', '/users/eve/messages', { text: 'psst', as: 'ops' })).toMatchObject({
      status: 404,
      body: { code: 'ERR_SERVER_NO_SUCH_USER', status: 404, title: 'Not Found' },
    });
  });

  it('lists rooms, members and users page by page', async () => {
    const call = await start();
    const clients = await Promise.all(
      ['cleo', 'ada', 'bob'].map((name) => connect(`tcp://127.0.0.1:${call.port}`, { name })),
    );
    for (const client of clients) await client.join('team/one');
    await call('POST', '/rooms/team%2Ftwo/messages', { text: 'x', as: 'bot' });
    expect((await call('GET', '/rooms?prefix=team&limit=1')).body).toEqual({
      rooms: [{ room: 'team/one', memberCount: 3 }],
      cursor: expect.any(String),
    });
    const first = await call('GET', '/rooms/TEAM%2Fone/members?limit=2');
    expect(first.body).toMatchObject({
      members: [{ name: 'ada', isConnected: true }, { name: 'bob' }],
      memberCount: 3,
      cursor: 'bob',
    });
    expect((await call('GET', '/rooms/team%2Fone/members?cursor=bob')).body).toEqual({
      members: [{ name: 'cleo', id: expect.any(Number), isConnected: true }],
      memberCount: 3,
    });
    expect((await call('GET', '/users?limit=1')).body).toEqual({
      users: [{ name: 'ada', sessions: 1, isConnected: true, rooms: ['team/one'] }],
      cursor: 'ada',
    });
    expect((await call('GET', '/rooms/team/members')).status).toBe(404);
    for (const client of clients) await client.close();
  });

  it('lists a user with several sessions once', async () => {
    const call = await start({ hooks: { authenticate: (_, { name }) => ({ ok: true, name }) } });
    const clients = [];
    for (let i = 0; i < 2; i++) clients.push(await connect(`tcp://127.0.0.1:${call.port}`, { name: 'ada' }));
    for (const client of clients) await client.join('lobby');
    expect((await call('GET', '/rooms/lobby/members')).body).toEqual({
      members: [{ name: 'ada', id: clients[0]!.id, isConnected: true }],
      memberCount: 1,
    });
    expect((await call('GET', '/users')).body.users).toMatchObject([{ name: 'ada', sessions: 2 }]);
    for (const client of clients) await client.close();
  });

  it('shows out of a room, kicks, bans and lifts bans', async () => {
    const call = await start({ exemptAddresses: ['127.0.0.1'] });
    const join = (name: string) => connect(`tcp://127.0.0.1:${call.port}`, { name });
    const ada = await join('ada');
    const room = await ada.join('lobby');
    const evicted = new Promise((resolve) => room.on('closed', resolve, { once: true }));
    expect((await call('DELETE', '/rooms/lobby/members/ada')).status).toBe(204);
    await evicted;
    expect((await call('DELETE', '/rooms/lobby/members/ada')).status).toBe(404);
    const kicked = new Promise((resolve) =>
      ada.on('state', (state) => state.status === 'closed' && resolve(state.reason)),
    );
    expect((await call('POST', '/users/ada/kick', { reason: 'be kind' })).status).toBe(204);
    expect(await kicked).toMatchObject({
      code: 'ERR_CLIENT_KICKED',
      message: expect.stringContaining('be kind'),
    });
    expect((await call('POST', '/users/ada/kick')).status).toBe(404);
    expect((await call('POST', '/bans', { user: 'ada', durationMs: 60_000 })).body).toEqual({
      wasHere: false,
    });
    await expect(join('ada')).rejects.toMatchObject({ code: 'ERR_CLIENT_BANNED' });
    expect((await call('DELETE', '/bans/ada')).status).toBe(204);
    expect((await call('DELETE', '/bans/ada')).status).toBe(404);
    await (await join('ada')).close();
    expect((await call('POST', '/bans', { address: '192.0.2.1', durationMs: 'Infinity' })).status).toBe(201);
    expect((await call('DELETE', '/bans/192.0.2.1')).status).toBe(204);
    for (const body of [
      {},
      { user: 'a', address: '192.0.2.1' },
      { address: 'nowhere' },
      { user: 'a', durationMs: 0 },
    ]) {
      expect((await call('POST', '/bans', body)).body).toMatchObject({ code: 'ERR_API_BAD_REQUEST' });
    }
  });

  it('reads and changes limits, tells figures, and drains', async () => {
    const call = await start();
    const before = await call('GET', '/limits');
    expect(before.body).toMatchObject({ maxSessions: 10_000, resumeWindowMs: 30_000 });
    const after = await call('PATCH', '/limits', { maxSessions: 5, maxConnectionsPerAddress: 'Infinity' });
    expect(after.body).toEqual({ ...before.body, maxSessions: 5, maxConnectionsPerAddress: 'Infinity' });
    expect(call.server.limits().maxSessions).toBe(5);
    for (const body of [{ maxSessions: 0 }, { maxRooms: 5 }, { maxSessions: '5' }, { nothing: 1 }]) {
      expect((await call('PATCH', '/limits', body)).status).toBe(400);
    }
    expect((await call('GET', '/stats')).body).toMatchObject({ sessions: 0, rooms: 0, closes: {} });
    expect((await call('POST', '/drain', { spreadMs: 10 })).status).toBe(202);
    expect(call.drains).toEqual([{ spreadMs: 10 }]);
  });

  it('does a request once, however often it comes with the same key', async () => {
    const call = await start();
    const say = (key: string, text: string): Promise<Answer> =>
      call('POST', '/rooms/lobby/messages', { text, as: 'bot' }, { 'Idempotency-Key': key });
    const [first, same] = await Promise.all([say('k1', 'once'), say('k1', 'once')]);
    expect(same).toMatchObject({ status: 201, body: first.body });
    expect((await say('k1', 'once')).body).toEqual(first.body);
    expect(await say('k1', 'other')).toMatchObject({ status: 422, body: { code: 'ERR_API_KEY_REUSED' } });
    expect((await say('k2', 'once')).body.seq).toBeGreaterThan(first.body.seq);
    expect(await say('k'.repeat(129), 'x')).toMatchObject({ status: 400 });
    expect((await call('GET', '/rooms/lobby/messages')).body.entries).toHaveLength(2);
  });

  it.each([
    [
      'a room with a space',
      400,
      'ERR_SERVER_ROOM_INVALID',
      'POST',
      '/rooms/a%20b/messages',
      { text: 'x', as: 'bot' },
    ],
    [
      'a room with NUL',
      400,
      'ERR_SERVER_ROOM_INVALID',
      'POST',
      '/rooms/a%00/messages',
      { text: 'x', as: 'bot' },
    ],
    [
      'a room that is empty',
      400,
      'ERR_SERVER_ROOM_INVALID',
      'POST',
      '/rooms//messages',
      { text: 'x', as: 'bot' },
    ],
    [
      'a room of 2000 letters',
      400,
      'ERR_SERVER_ROOM_INVALID',
      'GET',
      `/rooms/${'r'.repeat(2000)}/messages`,
      undefined,
    ],
    [
      'a room of bytes that are no UTF-8',
      400,
      'ERR_API_BAD_REQUEST',
      'GET',
      '/rooms/%FF/messages',
      undefined,
    ],
    [
      'a name with RTL',
      400,
      'ERR_SERVER_NAME_INVALID',
      'POST',
      '/rooms/a/messages',
      { text: 'x', as: '\u202Etob' },
    ],
    [
      'a name of 64 KB',
      400,
      'ERR_SERVER_NAME_INVALID',
      'POST',
      '/rooms/a/messages',
      { text: 'x', as: 'x'.repeat(65_536) },
    ],
    [
      'a text of 64 KB',
      413,
      'ERR_SERVER_TOO_LARGE',
      'POST',
      '/rooms/a/messages',
      { text: 'x'.repeat(65_536), as: 'b' },
    ],
    [
      'half a surrogate pair',
      400,
      'ERR_API_BAD_REQUEST',
      'POST',
      '/rooms/a/messages',
      { text: '\uD800', as: 'b' },
    ],
    ['a body of 1 MB', 413, 'ERR_API_BODY_TOO_LARGE', 'POST', '/rooms/a/messages', 'x'.repeat(1_048_576)],
    ['no text', 400, 'ERR_API_BAD_REQUEST', 'POST', '/rooms/a/messages', { as: 'bot' }],
    [
      'a text that is a number',
      400,
      'ERR_API_BAD_REQUEST',
      'POST',
      '/rooms/a/messages',
      { text: 5, as: 'bot' },
    ],
    [
      'a name that is an object',
      400,
      'ERR_API_BAD_REQUEST',
      'POST',
      '/rooms/a/messages',
      { text: 'x', as: {} },
    ],
    [
      'a field that is not known',
      400,
      'ERR_API_BAD_REQUEST',
      'POST',
      '/rooms/a/messages',
      '{"text":"x","as":"b","__proto__":{}}',
    ],
    ['an array', 400, 'ERR_API_BAD_REQUEST', 'POST', '/rooms/a/messages', []],
    ['null', 400, 'ERR_API_BAD_REQUEST', 'POST', '/rooms/a/messages', 'null'],
    ['no JSON', 400, 'ERR_API_BAD_REQUEST', 'POST', '/rooms/a/messages', '{'],
    ['a reason of two lines', 400, 'ERR_API_BAD_REQUEST', 'POST', '/users/a/kick', { reason: 'a\n*** b' }],
    ['a limit of 0', 400, 'ERR_API_BAD_REQUEST', 'GET', '/rooms?limit=0', undefined],
    ['a limit of 1e3', 400, 'ERR_API_BAD_REQUEST', 'GET', '/rooms?limit=1e3', undefined],
    ['a field twice', 400, 'ERR_API_BAD_REQUEST', 'GET', '/rooms?limit=1&limit=2', undefined],
    ['two directions', 400, 'ERR_SERVER_BAD_OPTION', 'GET', '/rooms/a/messages?before=1&after=2', undefined],
    [
      'a room that is not there',
      404,
      'ERR_SERVER_NO_SUCH_ROOM',
      'GET',
      '/rooms/constructor/messages',
      undefined,
    ],
    ['a path that is not there', 404, 'ERR_API_NOT_FOUND', 'GET', '/rooms/a/b/c', undefined],
    ['a path of Object', 404, 'ERR_API_NOT_FOUND', 'GET', '/__proto__', undefined],
    ['a wrong method', 405, 'ERR_API_METHOD_NOT_ALLOWED', 'PUT', '/rooms/a/messages', { text: 'x', as: 'b' }],
  ])('answers %s with %d %s', async (_what, status, code, method, path, body) => {
    const call = await start();
    const answer = await call(method, path, body).catch((error: NodeJS.ErrnoException) => {
      // A body that is refused early is not read to its end.
      if (status !== 413) throw error;
      return undefined;
    });
    if (answer) {
      expect(answer).toMatchObject({
        status,
        body: { status, code, title: expect.any(String), detail: expect.any(String) },
      });
      expect(answer.headers['content-type']).toBe('application/problem+json');
      expect(answer.body.detail.length).toBeLessThan(400);
    }
    expect((await call('GET', '/rooms')).body.rooms).toEqual([]);
    expect(call.lines.filter((line) => line.startsWith('a request of the API failed'))).toEqual([]);
  });

  it('takes names that are properties of objects elsewhere', async () => {
    const call = await start();
    for (const name of ['__proto__', 'constructor', 'toString']) {
      expect((await call('POST', `/rooms/${name}/messages`, { text: 'x', as: name })).status).toBe(201);
      expect((await call('GET', `/rooms/${name}/messages`)).body.entries).toMatchObject([
        { name, text: 'x' },
      ]);
    }
  });

  it('takes JSON only, and says which methods a path has', async () => {
    const call = await start();
    const form = { 'Content-Type': 'application/x-www-form-urlencoded' };
    expect(await call('POST', '/rooms/a/messages', 'text=x&as=b', form)).toMatchObject({
      status: 415,
      body: { code: 'ERR_API_NOT_JSON' },
    });
    expect((await call('DELETE', '/rooms/a/messages')).headers.allow).toBe('POST, GET');
  });

  it('describes every operation, as the file beside the documentation does', async () => {
    const call = await start();
    const { body } = await call('GET', '/openapi.json');
    const described = Object.entries(body.paths as Record<string, object>).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(described.sort()).toEqual(OPERATIONS.map(({ method, path }) => `${method} /api/v1${path}`).sort());
    await expect(`${JSON.stringify(body, null, 2)}\n`).toMatchFileSnapshot('../../../../docs/openapi.json');
  });
});

describe('a token', () => {
  it('is needed, and is the whole of one', async () => {
    const call = await start();
    for (const authorization of [
      '',
      'Basic abc',
      'Bearer',
      `Bearer ${TOKEN}x`,
      `Bearer ${TOKEN.slice(1)}`,
      `bearer  ${TOKEN} x`,
    ]) {
      const answer = await call('GET', '/rooms', undefined, { Authorization: authorization });
      expect(answer).toMatchObject({ status: 401, body: { code: 'ERR_API_UNAUTHORIZED' } });
      expect(answer.headers['www-authenticate']).toBe('Bearer');
    }
    expect((await call('GET', '/rooms', undefined, { Authorization: `bearer ${TOKEN}` })).status).toBe(200);
  });

  it('that is taken out of the file is good for nothing at once, and a new one is', async () => {
    const call = await start();
    const next = 'the-next-token-of-the-file';
    const withNext = { Authorization: `Bearer ${next}` };
    writeFileSync(call.tokenFile, `${TOKEN}\n${next}\n`);
    expect((await call('GET', '/rooms', undefined, withNext)).status).toBe(200);
    expect((await call('GET', '/rooms')).status).toBe(200);
    writeFileSync(call.tokenFile, `${next}\n`);
    expect((await call('GET', '/rooms')).status).toBe(401);
    rmSync(call.tokenFile);
    expect((await call('GET', '/rooms', undefined, withNext)).status).toBe(401);
    writeFileSync(call.tokenFile, 'short\n');
    expect((await call('GET', '/rooms', undefined, { Authorization: 'Bearer short' })).status).toBe(401);
  });

  it('cannot be guessed fast, and other addresses do not notice', async () => {
    const call = await start({ trustedProxies: ['127.0.0.1'] });
    const from = (address: string, token: string): Promise<Answer> =>
      call('GET', '/rooms', undefined, { Authorization: `Bearer ${token}`, 'X-Forwarded-For': address });
    const statuses: number[] = [];
    for (let i = 0; i < 20; i++)
      statuses.push((await from('2001:db8::1', `guess number ${i}`.replaceAll(' ', '-'))).status);
    expect(statuses.filter((status) => status === 401)).toHaveLength(10);
    // The same /64, and the right token.
    const refused = await from('2001:db8:0:0:ffff::2', TOKEN);
    expect(refused).toMatchObject({ status: 429, body: { code: 'ERR_API_THROTTLED' } });
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    expect((await from('192.0.2.7', TOKEN)).status).toBe(200);
    call.advance(6000);
    expect((await from('2001:db8::1', TOKEN)).status).toBe(200);
  });

  it('is in no log, no error and no figure', async () => {
    const call = await start();
    const secret = 'what-nobody-else-should-see';
    await call('GET', '/rooms', undefined, { Authorization: `Bearer ${secret}` });
    await call('POST', '/rooms/a/messages', { text: 'x', as: 'b' });
    await call('POST', '/rooms/a/messages', '{');
    const all = JSON.stringify([
      call.lines,
      (await call('GET', '/stats')).body,
      (await call('GET', '/limits')).body,
    ]);
    expect(call.lines.some((line) => line.startsWith('a request of the API'))).toBe(true);
    expect(all).not.toContain(TOKEN);
    expect(all).not.toContain(secret);
  });

  it.each([
    ['no file', undefined],
    ['an empty one', '\n'],
    ['a short token', 'short\n'],
    ['a token with a space', 'this is no token at all\n'],
  ])('is refused at the start in %s, without a word of it', (_what, content) => {
    const tokenFile = join(folder, 'tokens');
    if (content !== undefined) writeFileSync(tokenFile, content);
    expect(() => new TokenFile(tokenFile)).toThrow(expect.objectContaining({ name: 'UsageError' }));
    try {
      new TokenFile(tokenFile);
    } catch (error) {
      expect((error as Error).message).not.toMatch(/short|no token at all/);
    }
  });
});
