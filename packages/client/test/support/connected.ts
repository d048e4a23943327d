/** A client that is connected to a scripted server, with a clock and a random source of the test. */
import { FrameType, type Joined, type SessionLimits } from '@chat/protocol/frames';
import { expect, onTestFinished } from 'vitest';
import {
  type ChatClient,
  type ConnectOptions,
  createChatClient,
  type JoinOptions,
  type Room,
} from '../../src/index.js';
import { FakeClock, turns } from './fake-clock.js';
import { joined, LIMITS, ScriptedServer } from './scripted-server.js';

export interface Scene {
  readonly server: ScriptedServer;
  readonly clock: FakeClock;
  readonly client: ChatClient;
}

/** A client that has not connected yet. */
export function scene(options: Partial<ConnectOptions> = {}): Scene {
  const server = new ScriptedServer();
  const clock = new FakeClock();
  const client = createChatClient('tcp://test', {
    name: 'ada',
    clock,
    random: () => 0.5,
    transport: server.transport,
    ...options,
  });
  return { server, clock, client };
}

/** A client that was welcomed. @param limits - what the server grants, where a test wants it otherwise */
export async function connected(
  options: Partial<ConnectOptions> = {},
  limits: Partial<SessionLimits> = {},
): Promise<Scene> {
  const made = scene(options);
  const opened = made.client.connect();
  await turns();
  await made.server.end.welcome({ limits: { ...LIMITS, ...limits } });
  await opened;
  return made;
}

/** The same, closed when the test is over; nothing of it may be left then. */
export async function open(...args: Parameters<typeof connected>): Promise<Scene> {
  return closedAfterwards(await connected(...args));
}

/** Closes the client of a scene when the test is over. */
export function closedAfterwards(made: Scene): Scene {
  const { client, clock } = made;
  onTestFinished(async () => {
    const closing = client.close();
    await turns();
    await closing;
    expect(clock.timers, 'timers that are left after close').toBe(0);
  });
  return made;
}

/** Joins `room` as the answer `changes` says. */
export async function join<T = string>(
  { client, server }: Scene,
  room = 'lobby',
  changes: Partial<Joined> = {},
  options: JoinOptions<T> = {},
): Promise<Room<T>> {
  const joining = client.join<T>(room, options);
  await turns();
  await server.end.respond(joined(room, changes));
  return joining;
}

/** Lets the client say hello again without its delay. */
export async function comeBack({ client, server }: Scene): Promise<void> {
  client.reconnectNow();
  await turns();
  server.end.last(FrameType.Hello);
}
