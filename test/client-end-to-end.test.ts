/** The client and the server together, over every transport: one story each, and a server that restarts. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type ChatClient,
  type ClientState,
  connect,
  createChatClient,
  type Gap,
  type Room,
} from '@chat/client';
import { jsonCodec, withSchema } from '@chat/protocol';
import { type ChatServer, createChatServer, UNLIMITED } from '@chat/server';
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { certificate } from '../packages/client/test/support/certificate.js';
import { startCuttingProxy } from './support/cutting-proxy.js';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function listen(port = 0): Promise<{ readonly server: ChatServer; readonly port: number }> {
  const server = createChatServer(UNLIMITED);
  const address = await server.listen({ port, host: '127.0.0.1', tls: certificate });
  closers.push(() => server.close());
  if (address.kind !== 'tcp') throw new Error('not a TCP address');
  return { server, port: address.port };
}

async function enter(url: string, name: string): Promise<ChatClient> {
  const client = await connect(url, {
    name,
    tls: { ca: certificate.cert },
    reconnect: { baseDelayMs: 5, maxDelayMs: 50 },
  });
  closers.push(() => client.close());
  return client;
}

/** The next event of a kind. */
function next<Value>(subscribe: (listener: (value: Value) => void) => () => void): Promise<Value> {
  return new Promise((resolve) => {
    const stop = subscribe((value) => {
      queueMicrotask(() => stop());
      resolve(value);
    });
  });
}

function reaches(client: ChatClient, status: ClientState['status']): Promise<void> {
  return new Promise((resolve) => {
    if (client.state.status === status) return resolve();
    const stop = client.on('state', (state) => {
      if (state.status !== status) return;
      stop();
      resolve();
    });
  });
}

const unixPath = () => {
  if (process.platform === 'win32') return `\\\\.\\pipe\\chat-${process.pid}`;
  const folder = mkdtempSync(join(tmpdir(), 'chat-'));
  closers.push(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 's');
};

describe.each(['tcp', 'tls', 'ws', 'wss', 'unix'])('over %s', (scheme) => {
  async function url(): Promise<string> {
    const { server, port } = await listen();
    if (scheme !== 'unix') return `${scheme}://127.0.0.1:${port}`;
    const path = unixPath();
    await server.listen({ path });
    return `unix:${path}`;
  }

  it('two people meet, talk, rename, whisper, look back and part', async () => {
    const place = await url();
    const ada = await enter(place, 'ada');
    const bob = await enter(place, 'bob');
    await expect(connect(place, { name: 'ADA', tls: { ca: certificate.cert } })).rejects.toMatchObject({
      code: 'ERR_CLIENT_NAME_TAKEN',
    });

    const room = await ada.join('lobby');
    const own = next((on) => room.on('message', on));
    const first = await room.send('hello');
    expect(await own).toMatchObject({ id: first.id, own: true });
    const bobs = await bob.join('lobby', { history: 10 });
    const entries = bobs.entries();
    const heard: string[] = [];
    for await (const entry of entries) {
      if (entry.type === 'message') heard.push(`${entry.sender.name}: ${entry.value} ${entry.history}`);
      if (entry.type === 'notice') heard.push(`${entry.member.name} ${entry.kind} ${entry.history}`);
      if (entry.type === 'notice' && entry.own) break;
    }
    expect(heard).toEqual(['ada joined true', 'ada: hello true', 'bob joined false']);
    expect([...bobs.members.values()].map(({ name }) => name).sort()).toEqual(['ada', 'bob']);

    const answer = next<{ readonly id: string; readonly value: string }>((on) => room.on('message', on));
    const sent = await bobs.send('hello yourself 🎉');
    expect(await answer).toMatchObject({ id: sent.id, value: 'hello yourself 🎉' });
    expect(sent.seq).toBeGreaterThan(first.seq);

    const renamed = next<{ readonly oldName: string | undefined }>((on) => room.on('notice', on));
    expect(await bob.rename('robert')).toBe('robert');
    expect(await renamed).toMatchObject({ kind: 'renamed', oldName: 'bob', member: { name: 'robert' } });

    const whispered = next((on) => ada.on('direct', on));
    await bob.direct('ada', 'psst');
    expect(await whispered).toMatchObject({ value: 'psst', sender: { name: 'robert' } });
    await expect(bob.direct('nobody', 'psst')).rejects.toMatchObject({ code: 'ERR_CLIENT_NO_SUCH_USER' });

    const typing = next((on) => room.on('signal', on));
    expect(bobs.signal({ typing: true })).toBe(true);
    expect(await typing).toMatchObject({ sender: { name: 'robert' }, value: { typing: true } });

    const page = await room.history({ limit: 100 });
    expect(page.end).toBe(true);
    expect(page.entries.some(({ type }) => type === 'gap')).toBe(false);
    const before = await room.history({ before: sent.seq, limit: 1 });
    expect(before.entries).toHaveLength(1);
    const after = await room.history({ after: first.seq, limit: 1 });
    expect(after.entries[0]).toMatchObject({ type: 'notice', prev: first.seq });

    expect(await ada.rooms()).toEqual({ rooms: [{ room: 'lobby', memberCount: 2 }] });
    expect(await ada.ping()).toBeGreaterThanOrEqual(0);
    const left = next((on) => room.on('notice', on));
    await bob.close();
    expect(await left).toMatchObject({ kind: 'left', member: { name: 'robert' } });
    expect([...room.members.values()].map(({ name }) => name)).toEqual(['ada']);
  });

  it('a message of the largest size arrives, and one byte more is refused', async () => {
    const place = await url();
    const ada = await enter(place, 'ada');
    const room = await ada.join('lobby');
    const max = ada.limits!.maxMessageBytes;
    const heard = next<{ readonly value: string }>((on) => room.on('message', on));
    await room.send('x'.repeat(max));
    expect((await heard).value).toHaveLength(max);
    await expect(room.send('x'.repeat(max + 1))).rejects.toMatchObject({ code: 'ERR_CLIENT_TOO_LARGE' });
    expect(ada.state.status).toBe('open');
  });
});

describe('a page that mounts twice, as in StrictMode of React', () => {
  it.each(['the same client', 'a client for each'])('is one member in the end, with %s', async (which) => {
    const { server, port } = await listen();
    const make = () => createChatClient(`ws://127.0.0.1:${port}`, { name: 'ada' });
    let client = make();
    for (let i = 0; i < 10; i++) {
      // The effect, its cleanup, and the effect again, within one tick.
      const states: string[] = [];
      client.connect().catch(() => {});
      void client.close();
      if (which !== 'the same client') client = make();
      client.on('state', ({ status }) => states.push(status));
      await client.connect();
      expect((await client.join('lobby')).memberCount).toBe(1);
      expect(states).toEqual(['connecting', 'open']);
      await client.close();
      client = make();
    }
    closers.push(() => client.close());
    await client.connect();
    expect(server.sessions().map(({ name }) => name)).toEqual(['ada']);
  });
});

describe('a lost connection', () => {
  it('comes back to the same session, and the others notice nothing', async () => {
    const { port } = await listen();
    const proxy = await startCuttingProxy(port, () => Number.POSITIVE_INFINITY);
    closers.push(() => proxy.close());
    const ada = await enter(`tcp://127.0.0.1:${proxy.port}`, 'ada');
    const bob = await enter(`tcp://127.0.0.1:${port}`, 'bob');
    const room = await ada.join('lobby');
    const bobs = await bob.join('lobby');
    const notices: string[] = [];
    bobs.on('notice', ({ kind, own }) => own || notices.push(kind));
    const session = ada.sessionId;
    const seen: string[] = [];
    room.on('message', ({ value }) => seen.push(value));

    proxy.cutAll();
    await reaches(ada, 'reconnecting');
    await bobs.send('while you were away');
    await reaches(ada, 'open');
    await room.send('back');
    expect(ada.state).toEqual({ status: 'open', resumed: true });
    expect(ada.sessionId).toBe(session);
    expect(seen).toEqual(['while you were away', 'back']);
    expect(notices).toEqual([]);
  });

  it('goes on over another transport', async () => {
    const { port } = await listen();
    const urls = [`tcp://127.0.0.1:${port}`, `ws://127.0.0.1:${port}`];
    const { openSocket } = await import('../packages/client/src/connection/transports/tcp.js');
    const { openLibraryWebSocket } = await import(
      '../packages/client/src/connection/transports/ws-library.js'
    );
    let attempt = 0;
    let drop!: () => void;
    const ada = await connect('tcp://chosen-below', {
      name: 'ada',
      reconnect: { baseDelayMs: 5 },
      transport: async (_url, sink, options) => {
        const even = attempt++ % 2 === 0;
        const transport = await (even ? openSocket : openLibraryWebSocket)(
          urls[even ? 0 : 1]!,
          sink,
          options,
        );
        drop = () => transport.destroy();
        return transport;
      },
    });
    closers.push(() => ada.close());
    const room = await ada.join('lobby');
    const seen: string[] = [];
    room.on('message', ({ value }) => seen.push(value));
    const session = ada.sessionId;
    for (const text of ['one', 'two', 'three']) {
      await room.send(text);
      const back = reaches(ada, 'reconnecting').then(() => reaches(ada, 'open'));
      drop();
      await back;
    }
    await room.send('four');
    expect(seen).toEqual(['one', 'two', 'three', 'four']);
    expect(ada.sessionId).toBe(session);
  });
});

describe('a server that restarts', () => {
  it('drains, and everybody comes back to the new one, which says that it knows nothing of before', async () => {
    const { server, port } = await listen();
    const names = ['ada', 'bob', 'carl'];
    const rooms = new Map<string, Room>();
    const gaps: Gap[] = [];
    const clients = await Promise.all(names.map((name) => enter(`tcp://127.0.0.1:${port}`, name)));
    for (const client of clients) {
      rooms.set(client.name, await client.join('lobby', { history: 100 }));
      client.on('gap', (gap) => gap.room !== undefined && gaps.push(gap));
    }
    for (const room of rooms.values()) room.on('message', () => {});
    const epoch = clients[0]!.epoch;
    const gone = clients.map((client) => reaches(client, 'reconnecting'));
    await server.drain({ spreadMs: 0 });
    await Promise.all(gone);
    const waiting = rooms.get('ada')!.send('typed while the server was away');
    await listen(port);
    for (const client of clients) client.reconnectNow();
    await Promise.all(clients.map((client) => reaches(client, 'open')));
    await waiting;
    await rooms.get('bob')!.send('hello again');
    await rooms.get('carl')!.send('hello again');
    expect(clients[0]!.epoch).not.toBe(epoch);
    expect(gaps.filter(({ reason }) => reason === 'epoch-changed')).toHaveLength(3);
  });
});

describe('credentials that run out', () => {
  it('are renewed: the session goes on with fresh ones, and nothing is missing', async () => {
    const shown: unknown[] = [];
    const server = createChatServer({
      ...UNLIMITED,
      hooks: {
        authenticate: (credentials) => {
          shown.push(credentials);
          return { ok: true };
        },
      },
    });
    closers.push(() => server.close());
    const address = await server.listen({ port: 0, host: '127.0.0.1' });
    if (address.kind !== 'tcp') throw new Error('not a TCP address');
    let tickets = 0;
    const ada = await connect(`tcp://127.0.0.1:${address.port}`, {
      name: 'ada',
      credentials: () => `ticket ${++tickets}`,
      reconnect: { baseDelayMs: 5, maxDelayMs: 50 },
    });
    closers.push(() => ada.close());
    const room = await ada.join('lobby');
    const seen: string[] = [];
    room.on('message', ({ value }) => seen.push(value));
    const gaps: Gap[] = [];
    ada.on('gap', (gap) => gaps.push(gap));
    const session = ada.sessionId;
    for (const text of ['before', 'between']) {
      await room.send(text);
      const back = reaches(ada, 'reconnecting').then(() => reaches(ada, 'open'));
      server.reauthenticate('ada');
      await back;
    }
    await room.send('after');
    expect(shown).toEqual(['ticket 1', 'ticket 2', 'ticket 3']);
    expect(seen).toEqual(['before', 'between', 'after']);
    expect([ada.sessionId, gaps]).toEqual([session, []]);
  });
});

describe('a typed room', () => {
  it('has one schema on both sides, and shrugs at what does not fit', async () => {
    const { port } = await listen();
    const ada = await enter(`tcp://127.0.0.1:${port}`, 'ada');
    const bob = await enter(`tcp://127.0.0.1:${port}`, 'bob');
    const codec = withSchema(jsonCodec, z.object({ x: z.number() }));
    const typed = await ada.join('moves', { codec });
    const loose = await bob.join('moves', { codec: jsonCodec });
    const unreadable = next((on) => typed.on('unreadable', on));
    const moved = next<{ readonly value: { readonly x: number } }>((on) => typed.on('message', on));
    await loose.send({ x: 'far' });
    await loose.send({ x: 3 });
    expect(await unreadable).toMatchObject({ error: { code: 'ERR_CLIENT_UNREADABLE' } });
    expect((await moved).value).toEqual({ x: 3 });
    await expect(typed.send({ x: 'far' } as never)).rejects.toMatchObject({
      code: 'ERR_PROTOCOL_INVALID_BODY',
    });
  });
});
