/** `chat-server --nats`: two servers that are one chat, and one of them is killed. */
import { type AddressInfo, connect as connectSocket, createServer, type Server, type Socket } from 'node:net';
import { type ChatClient, connect, type Gap, type Room } from '@chat/client';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect as connectToNats } from '@nats-io/transport-node';
import { afterEach, expect, it } from 'vitest';
import { NatsProcess, newNats, oldNats } from '../../../../packages/server/test/support/nats-process.js';
import { ServerProcess } from '../support/server-process.js';

const TIMEOUT_MS = 120_000;

const running: ServerProcess[] = [];
const closing: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
  const processes = running.splice(0);
  for (const { child } of processes) if (child.exitCode === null) child.kill('SIGKILL');
  await Promise.all(processes.map(({ exit }) => exit));
});

function serve(nats: NatsProcess): ServerProcess {
  const flags = ['--json', '--host', '127.0.0.1', '--port', '0', '--unlimited', '--nats', nats.url];
  const server = new ServerProcess(flags);
  running.push(server);
  return server;
}

async function startNats(program: string): Promise<NatsProcess> {
  const nats = await NatsProcess.start(program);
  closing.push(() => nats.remove());
  return nats;
}

/** What stands before the servers, and knows which of them is there. */
async function balance(target: { port: number }): Promise<number> {
  const balancer: Server = createServer((socket) => {
    const onward = connectSocket(target.port, '127.0.0.1');
    socket.pipe(onward).pipe(socket);
    for (const [one, other] of [
      [socket, onward],
      [onward, socket],
    ] as const) {
      one.on('error', () => other.destroy()).on('close', () => other.destroy());
    }
  });
  await new Promise<void>((resolve) => balancer.listen(0, '127.0.0.1', resolve));
  closing.push(() => balancer.close());
  return (balancer.address() as AddressInfo).port;
}

async function enter(
  port: number,
  name: string,
): Promise<{ client: ChatClient; room: Room; seen: string[] }> {
  const reconnect = { initial: true, baseDelayMs: 10, maxDelayMs: 200 };
  const client = await connect(`tcp://127.0.0.1:${port}`, { name, reconnect });
  closing.push(() => client.close());
  const room = await client.join('lobby', { history: 0 });
  const seen: string[] = [];
  room.on('message', ({ sender, value }) => seen.push(`${sender.name}: ${value}`));
  return { client, room, seen };
}

/** A line client, and what it was sent. */
function lineClient(port: number, name: string): { socket: Socket; reads(text: string): Promise<void> } {
  const socket = connectSocket(port, '127.0.0.1');
  closing.push(() => socket.destroy());
  socket.on('error', () => {});
  let text = '';
  let changed = (): void => {};
  socket.on('data', (chunk) => {
    text += String(chunk);
    changed();
  });
  socket.write(`${name}\n`);
  return {
    socket,
    async reads(wanted) {
      while (!text.includes(wanted)) {
        await new Promise<void>((resolve) => {
          changed = resolve;
        });
      }
    },
  };
}

const happens = (room: Room, seen: readonly string[], line: string): Promise<void> =>
  new Promise((resolve) => {
    const look = (): void => {
      if (seen.includes(line)) resolve();
    };
    room.on('message', look);
    look();
  });

it.skipIf(newNats === undefined)(
  'is one chat at two servers, and goes on at the other when one of them is killed',
  async () => {
    const nats = await startNats(newNats!);
    const [one, other] = [serve(nats), serve(nats)];
    const target = { port: await one.port() };
    const ada = await enter(await balance(target), 'ada');
    const eve = lineClient(await other.port(), 'eve');
    eve.socket.write('from the other machine\n');
    await happens(ada.room, ada.seen, 'eve: from the other machine');
    await ada.room.send('hello');
    await eve.reads('hello');
    for (const { port, name } of [
      { port: await one.port(), name: 'Eve' },
      { port: await other.port(), name: 'Ada' },
    ]) {
      const taken = { code: 'ERR_CLIENT_NAME_TAKEN' };
      await expect(connect(`tcp://127.0.0.1:${port}`, { name })).rejects.toMatchObject(taken);
    }
    const carl = lineClient(await one.port(), 'carl');
    carl.socket.write('cannot come back\n');
    await happens(ada.room, ada.seen, 'carl: cannot come back');

    const gaps: Gap[] = [];
    const states: unknown[] = [];
    ada.client.on('gap', (gap) => gaps.push(gap));
    ada.client.on('state', (state) => {
      if (state.status === 'open') states.push(state.resumed);
    });
    const carlLeft = new Promise<void>((resolve) => {
      ada.room.on('members', (members) => {
        if (![...members.values()].some(({ name }) => name === 'carl')) resolve();
      });
    });
    target.port = await other.port();
    one.child.kill('SIGKILL');
    await one.exit;
    eve.socket.write('while ada was away\n');
    await happens(ada.room, ada.seen, 'eve: while ada was away');
    await ada.room.send('here again');
    await eve.reads('here again');
    expect({ gaps, states }).toEqual({ gaps: [], states: [true] });
    expect(new Set(ada.seen).size).toBe(ada.seen.length);
    // Those who cannot come back are gone once the server is missed.
    await carlLeft;
    other.child.kill('SIGTERM');
    expect(await other.exit).toBe(0);
    expect(other.errors).toBe('');
    // Nobody was left, and yet whoever comes next knows what was said.
    const third = await enter(await serve(nats).port(), 'dora');
    const { entries } = await third.room.history({ limit: 10 });
    expect(entries).toContainEqual(expect.objectContaining({ value: 'here again' }));
  },
  TIMEOUT_MS,
);

it.skipIf(newNats === undefined)(
  'ends when its stream is lost, and begins a new epoch when it is started again, which clients are told',
  async () => {
    const nats = await startNats(newNats!);
    const one = serve(nats);
    const target = { port: await one.port() };
    const ada = await enter(await balance(target), 'ada');
    await ada.room.send('before');
    const gap = new Promise((resolve) => {
      ada.client.on('gap', resolve);
    });
    const admin = await connectToNats({ servers: nats.url });
    await (await jetstreamManager(admin)).streams.delete('chat');
    await admin.close();
    expect(await one.exit).toBe(1);
    expect(one.out).toContain('stream chat of NATS is lost');
    expect(one.out).toContain('this server cannot go on, and ends: start it again');
    target.port = await serve(nats).port();
    await gap;
    await ada.room.send('behind');
    expect((await ada.room.history({ limit: 10 })).entries).not.toContainEqual(
      expect.objectContaining({ value: 'before' }),
    );
  },
  TIMEOUT_MS,
);

it('ends with one sentence when NATS cannot be reached', async () => {
  const server = new ServerProcess(['--port', '0', '--nats', 'nats://127.0.0.1:1']);
  running.push(server);
  expect(await server.exit).toBe(1);
  expect(server.errors).toMatch(/^chat-server: cannot connect to NATS at nats:\/\/127\.0\.0\.1:1: .*\n$/);
});

it.skipIf(oldNats === undefined)(
  'names the version that it needs where the NATS server is too old',
  async () => {
    const server = serve(await startNats(oldNats!));
    expect(await server.exit).toBe(1);
    expect(server.errors).toMatch(
      /^chat-server: the NATS server has version .*, and 2\.12\.0 or later is needed\n$/,
    );
  },
  TIMEOUT_MS,
);
