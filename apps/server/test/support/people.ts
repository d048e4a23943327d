/** People who talk through a `chat-server` of several processes, and what each of them must have seen. */
import { type ChatClient, connect, type Gap, type Message, type Room } from '@chat/client';
import { expect, onTestFinished } from 'vitest';
import { ServerProcess } from './server-process.js';

export const TIMEOUT_MS = 240_000;
export const TOKEN = 'a-token-of-this-test';

export function serve(...flags: string[]): ServerProcess {
  const local = ['--json', '--host', '127.0.0.1', '--port', '0', '--unlimited', '--metrics-token', TOKEN];
  // However fast they talk, what is said while somebody is away is held.
  const history = ['--retention-entries', '10000000', '--retention-bytes', '268435456'];
  return untilTheTestEnds(new ServerProcess([...local, ...history, ...flags]));
}

/** Ends the server with the test, if it still runs then. */
export function untilTheTestEnds(server: ServerProcess): ServerProcess {
  onTestFinished(async () => {
    if (server.child.exitCode === null) server.child.kill('SIGKILL');
    await server.exit;
  });
  return server;
}

/** The workers that took connections so far, in the order in which they came. */
export function workersOf(server: ServerProcess): { readonly worker: number; readonly pid: number }[] {
  return server.out
    .split('\n')
    .filter((line) => line.endsWith('takes connections"}'))
    .map((line) => JSON.parse(line));
}

export interface Person {
  readonly client: ChatClient;
  readonly room: Room;
  readonly seen: Message[];
  readonly gaps: Gap[];
  readonly lost: string[];
}

export async function enter(port: number, name: string): Promise<Person> {
  const client = await connect(`tcp://127.0.0.1:${port}`, {
    name,
    reconnect: { initial: true, baseDelayMs: 10, maxDelayMs: 200 },
    outbox: { maxAgeMs: TIMEOUT_MS },
    // On a busy machine everything may take long.
    requestTimeoutMs: TIMEOUT_MS,
  });
  onTestFinished(() => client.close());
  const gaps: Gap[] = [];
  const lost: string[] = [];
  client.on('gap', (gap) => gaps.push(gap));
  client.on('state', (state) => {
    if (state.status === 'open' && !state.resumed) lost.push(name);
  });
  const room = await client.join('lobby', { history: 0 });
  const seen: Message[] = [];
  room.on('message', (message) => seen.push(message));
  return { client, room, seen, gaps, lost };
}

/** Resolved when everybody has seen the message with this text. */
export async function allSee(people: readonly Person[], text: string): Promise<void> {
  await Promise.all(
    people.map(
      ({ seen, room }) =>
        new Promise<void>((resolve) => {
          if (seen.some(({ value }) => value === text)) return resolve();
          const stop = room.on('message', ({ value }) => {
            if (value !== text) return;
            stop();
            resolve();
          });
        }),
    ),
  );
}

/** Everybody talks until `isOver`; then it is checked that nothing was lost or doubled, and that all saw one order. */
export async function talk(people: readonly Person[], isOver: () => boolean): Promise<void> {
  let said = 0;
  await Promise.all(
    people.map(async ({ room, client }) => {
      for (let i = 0; i < 20 || !isOver(); i++) {
        await Promise.all([room.send(`${client.name} ${i}a`), room.send(`${client.name} ${i}b`)]);
        said += 2;
      }
    }),
  );
  await people[0]!.room.send('end');
  await allSee(people, 'end');
  const order = people[0]!.seen.map(({ id, value }) => `${id} ${value}`);
  expect(order).toHaveLength(said + 1);
  expect(new Set(order.map((line) => line.slice(line.indexOf(' ')))).size).toBe(said + 1);
  for (const { seen, gaps, lost } of people) {
    expect(gaps).toEqual([]);
    expect(lost).toEqual([]);
    expect(seen.map(({ id, value }) => `${id} ${value}`)).toEqual(order);
  }
}

export const NAMES: readonly string[] = ['ada', 'bob', 'carl', 'dora'];
