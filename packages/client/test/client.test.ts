import { describe, expect, expectTypeOf, it } from 'vitest';
import type { ChatClient, Room } from '../src/index.js';
import { connected, join, open } from './support/connected.js';

/** Everything that can be asked of an object at run time: own, and of its class. */
function membersOf(object: object): string[] {
  const prototype = Object.getPrototypeOf(object) as object;
  const names = [...Reflect.ownKeys(object), ...Reflect.ownKeys(prototype)];
  return names
    .filter((name) => name !== 'constructor')
    .map(String)
    .sort();
}

const CLIENT = {
  close: true,
  connect: true,
  direct: true,
  directs: true,
  epoch: true,
  id: true,
  join: true,
  joined: true,
  leave: true,
  limits: true,
  markRead: true,
  moderate: true,
  name: true,
  on: true,
  ping: true,
  reconnectNow: true,
  rename: true,
  rooms: true,
  search: true,
  sessionId: true,
  state: true,
  status: true,
  url: true,
  [Symbol.asyncDispose]: true,
};

const ROOM = {
  about: true,
  codec: true,
  entries: true,
  history: true,
  joined: true,
  leave: true,
  loadMembers: true,
  memberCount: true,
  members: true,
  messages: true,
  name: true,
  on: true,
  position: true,
  send: true,
  signal: true,
};

describe('what a user holds', () => {
  it('is a client that has what its type says, and nothing else', async () => {
    expectTypeOf<keyof typeof CLIENT>().toEqualTypeOf<keyof ChatClient>();
    const { client } = await connected();
    expect(membersOf(client)).toEqual(Reflect.ownKeys(CLIENT).map(String).sort());
  });

  it('is a room that has what its type says, and nothing else', async () => {
    expectTypeOf<keyof typeof ROOM>().toEqualTypeOf<keyof Room>();
    const scene = await connected();
    const room = await join(scene);
    expect(membersOf(room)).toEqual(Object.keys(ROOM).sort());
    expect(scene.client.joined.get('lobby')).toBe(room);
  });
});

describe('listeners of a client', () => {
  it('cannot break it: their errors come back as an event', async () => {
    const made = await open();
    const errors: unknown[] = [];
    made.client.on('listener-error', (event) => errors.push(event));
    made.client.on('state', () => {
      throw new Error('mine');
    });
    await made.server.end.cut();
    expect(errors).toEqual([{ error: new Error('mine'), event: 'state' }]);
    expect(made.client.state.status).toBe('reconnecting');
  });
});
