/** What members may do, and that it can be taken back from those who are here. */
import { FailureCode } from '@chat/protocol';
import { FrameType, type Joined, NoticeKind, type RoomInfo } from '@chat/protocol/frames';
import { describe, expect, it } from 'vitest';
import { createChatServer } from '../src/server/chat-server.js';
import { MemoryChat } from './support/memory-chat.js';
import { tcpPipe } from './support/socket-pipe.js';
import { turn } from './support/turn.js';
import { followChain, WireClient } from './support/wire-client.js';

describe('a member that is shown out of a room', () => {
  it('gets everything up to the notice of its own leaving, and nothing after it', async () => {
    const memory = await MemoryChat.open();
    const [ada, bob] = [await memory.enter('ada'), await memory.enter('bob')];
    const { handle } = await ada.join('lobby');
    const joined = await bob.join('lobby');
    ada.publish(handle, 'before');
    expect(memory.chat.sessions.find('bob')!.evict('LOBBY')).toBe(true);
    ada.publish(handle, 'after');
    await turn(2);
    expect(bob.texts(handle)).toEqual(['before']);
    expect(bob.entries(handle).at(-1)).toMatchObject({ kind: NoticeKind.Left, name: 'bob' });
    followChain(bob.frames, handle, joined.start);
    expect(ada.texts(handle)).toEqual(['before', 'after']);
    followChain(ada.frames, handle, ada.entries(handle)[0]!.prev);
    bob.publish(handle, 'still here?');
    expect(await bob.take(FrameType.Nack)).toMatchObject({ failure: { code: FailureCode.NotMember } });
    expect(await bob.ask({ op: 'leave', room: 'lobby' })).toEqual({ left: false });
    expect(memory.chat.sessions.find('bob')!.evict('lobby')).toBe(false);
    expect((await bob.join('lobby')).memberCount).toBe(2);
  });

  it.each([
    ['has read nothing for a while', 3],
    ['is behind what the log holds', 100],
  ])('is told so when it %s, with a gap for what it has not got', async (_what, messages) => {
    const memory = await MemoryChat.open({ slowConsumer: 'skip', retentionEntries: 16 });
    const [ada, bob] = [await memory.enter('ada'), await memory.enter('bob')];
    const { handle } = await ada.join('lobby');
    const joined = await bob.join('lobby');
    await turn();
    bob.pipe.pause();
    for (let i = 0; i < messages; i++) {
      ada.publish(handle, `m${i}`);
      await turn();
    }
    memory.chat.sessions.find('bob')!.evict('lobby');
    ada.publish(handle, 'after');
    await turn();
    bob.pipe.resume();
    await turn();
    expect(bob.gone).toBe(false);
    expect(bob.frames.some(({ type }) => type === FrameType.Gap)).toBe(true);
    expect(bob.entries(handle).at(-1)).toMatchObject({ kind: NoticeKind.Left, name: 'bob' });
    expect(bob.texts(handle)).not.toContain('after');
    followChain(bob.frames, handle, joined.start);
  });

  it('is not in it any more when it comes back', async () => {
    const memory = await MemoryChat.open();
    const ada = await memory.enter('ada');
    const { session, secret, epoch } = ada.welcome!;
    await ada.join('lobby');
    await ada.join('kitchen');
    ada.pipe.destroy();
    await turn();
    memory.chat.sessions.find('ada')!.evict('lobby');
    const again = await memory.enter({
      name: 'ada',
      resume: { session, secret, epoch, rooms: [{ room: 'lobby', after: 1 }], inbox: 0 },
    });
    expect(again.welcome!.rooms.map(({ room }) => room)).toEqual(['kitchen']);
  });

  it('asks anew when it is shown out in the moment of coming back', async () => {
    const memory = await MemoryChat.open();
    const ada = await memory.enter('ada');
    const { session, secret, epoch } = ada.welcome!;
    await ada.join('lobby');
    ada.pipe.destroy();
    await turn();
    const resume = { session, secret, epoch, rooms: [{ room: 'lobby', after: 1 }], inbox: 0 };
    const again = memory.connect();
    again.greet({ name: 'ada', resume });
    // The session has its new connection by now, and the welcome is not written yet.
    memory.chat.sessions.find('ada')!.evict('lobby');
    expect(await again.closed).toMatchObject({ code: 4030 });
    expect(again.frames.map(({ type }) => type)).toEqual([FrameType.Close]);
    expect((await memory.enter({ name: 'ada', resume })).welcome).toMatchObject({ resumed: true, rooms: [] });
  });

  it('has nowhere to go in the line dialect', async () => {
    const memory = await MemoryChat.open();
    const line = memory.connectLine();
    line.send('nc\n');
    await turn(2);
    memory.chat.sessions.find('nc')!.evict('lobby');
    await turn();
    expect(line.text()).toBe('*** removed from lobby (kicked)\n');
    expect(memory.chat.sessions.count).toBe(0);
    expect(memory.chat.rooms.find('lobby')!.members.size).toBe(0);
  });
});

describe('authorize', () => {
  it('is asked again about the rooms that members are in, when permissions have changed', async () => {
    const forbidden = new Set<string>();
    const memory = await MemoryChat.open({
      hooks: { authorize: async ({ name }, action, room) => !forbidden.has(`${name} ${action} ${room}`) },
    });
    const clients = [await memory.enter('ada'), await memory.enter('bob')];
    for (const client of clients) for (const room of ['lobby', 'kitchen']) await client.join(room);
    expect(await memory.chat.operator.reauthorize(undefined)).toBe(0);
    for (const name of ['ada', 'bob']) forbidden.add(`${name} join kitchen`);
    expect(await memory.chat.operator.reauthorize('nobody')).toBe(0);
    expect(await memory.chat.operator.reauthorize('bob')).toBe(1);
    const members = (room: string) => memory.chat.rooms.find(room)!.members.size;
    expect([members('lobby'), members('kitchen')]).toEqual([2, 1]);
    expect(await memory.chat.operator.reauthorize(undefined)).toBe(1);
    expect([members('lobby'), members('kitchen')]).toEqual([2, 0]);
    expect(await clients[0]!.request({ op: 'join', room: 'kitchen' })).toMatchObject({
      failure: { code: FailureCode.Forbidden },
    });
  });

  it('that fails for one is asked about the others all the same', async () => {
    let hasChanged = false;
    const memory = await MemoryChat.open({
      hooks: {
        authorize: ({ name }) => {
          if (hasChanged && name === 'ada') throw new Error('database down');
          return !hasChanged;
        },
      },
    });
    for (const name of ['ada', 'bob']) await (await memory.enter(name)).join('lobby');
    hasChanged = true;
    await expect(memory.chat.operator.reauthorize(undefined)).rejects.toMatchObject({
      errors: [new Error('database down')],
    });
    const { members } = memory.chat.rooms.find('lobby')!;
    expect([...members.values()].map(({ member }) => member.name)).toEqual(['ada']);
  });

  it('leaves alone who left the room, or ended, while it thought about it', async () => {
    const decisions: ((may: boolean) => void)[] = [];
    let isSlow = false;
    const memory = await MemoryChat.open({
      hooks: {
        authorize: () => (isSlow ? new Promise<boolean>((decide) => decisions.push(decide)) : true),
      },
    });
    const [ada, bob] = [await memory.enter('ada'), await memory.enter('bob')];
    await ada.join('lobby');
    await bob.join('lobby');
    isSlow = true;
    const answer = memory.chat.operator.reauthorize(undefined);
    await turn();
    await ada.ask({ op: 'leave', room: 'lobby' });
    decisions[0]!(false);
    await turn();
    memory.chat.operator.kick('bob', '');
    decisions[1]!(false);
    expect(await answer).toBe(0);
  });

  it('decides which rooms somebody sees, page by page', async () => {
    const memory = await MemoryChat.open({
      hooks: { authorize: async (_session, action, room) => action !== 'list' || !room.startsWith('secret') },
    });
    const ada = await memory.enter('ada');
    for (const room of ['b', 'secret-2', 'a', 'secret-1', 'tea']) await ada.join(room);
    const list = (more: object) => ada.ask<{ rooms: RoomInfo[]; cursor?: string }>({ op: 'rooms', ...more });
    expect((await list({})).rooms.map(({ room }) => room)).toEqual(['a', 'b', 'tea']);
    expect(await list({ prefix: 'secret' })).toEqual({ rooms: [] });
    const first = await list({ limit: 2 });
    expect(first.rooms.map(({ room }) => room)).toEqual(['a', 'b']);
    const second = await list({ limit: 2, cursor: first.cursor });
    expect(second).toEqual({ rooms: [{ room: 'tea', memberCount: 1 }] });
  });

  it('decides who may be called what', async () => {
    const memory = await MemoryChat.open({
      hooks: { authorize: async (_session, action, name) => action !== 'rename' || name !== 'admin' },
    });
    const ada = await memory.enter('ada');
    expect(await ada.request({ op: 'rename', name: 'admin' })).toMatchObject({
      failure: { code: FailureCode.Forbidden },
    });
    expect(await ada.ask({ op: 'rename', name: 'grace' })).toEqual({ name: 'grace' });
    expect([memory.chat.sessions.find('ada'), memory.chat.sessions.find('admin')]).toEqual([
      undefined,
      undefined,
    ]);
  });
});

describe('a ban', () => {
  it('refuses the name and the address of a member, whoever comes with them', async () => {
    const memory = await MemoryChat.open();
    const closeOf = async (name: string, address: string): Promise<number> => {
      const client = memory.connect({ address });
      client.greet({ name });
      return client.take(FrameType.Welcome).then(
        () => 0,
        async () => (await client.closed)!.code,
      );
    };
    const ada = await memory.enter('ada', { address: '2001:db8::1' });
    ada.pipe.destroy();
    await turn();
    expect(memory.chat.operator.ban('ADA', 60_000, '')).toBe(true);
    expect(await closeOf('ada', '192.0.2.1')).toBe(4015);
    expect(await closeOf('other', '2001:db8::2')).toBe(4015);
    expect(await closeOf('other', '2001:db8:0:1::2')).toBe(0);
    const bob = await memory.enter('bob');
    expect(await bob.request({ op: 'rename', name: 'Ada' })).toMatchObject({
      failure: { code: FailureCode.Forbidden },
    });
    expect(memory.chat.operator.unban('ada')).toBe(true);
    expect(memory.chat.operator.unban('ada')).toBe(false);
    expect(await closeOf('ada', '2001:db8::2')).toBe(4015);
    expect(memory.chat.operator.unban('2001:db8::9')).toBe(true);
    expect(await closeOf('ada', '2001:db8::2')).toBe(0);
    // A name that nobody has now is banned all the same, and free when it is over.
    expect(memory.chat.operator.ban('carol', 60_000, '')).toBe(false);
    expect(await closeOf('carol', '192.0.2.1')).toBe(4015);
    memory.clock.advance(60_001);
    expect(await closeOf('carol', '192.0.2.1')).toBe(0);
  });

  it('of an address shows out all who came from there, but none from where many stand', async () => {
    const memory = await MemoryChat.open({ exemptAddresses: ['198.51.100.0/24'] });
    const [ada, bob, carol] = [
      await memory.enter('ada', { address: '::ffff:203.0.113.5' }),
      await memory.enter('bob', { address: '203.0.113.6' }),
      await memory.enter('carol', { address: '198.51.100.9' }),
    ];
    expect(memory.chat.operator.banAddress('203.0.113.5', Number.POSITIVE_INFINITY, 'enough')).toBe(true);
    expect(await ada.closed).toMatchObject({ code: 4015, reason: 'enough' });
    expect(memory.chat.operator.banAddress('198.51.100.9', 1000, '')).toBe(false);
    expect(memory.chat.operator.banAddress('nowhere', 1000, '')).toBe(false);
    memory.chat.operator.ban('carol', 1000, '');
    expect(await carol.closed).toMatchObject({ code: 4015 });
    await memory.enter('dave', { address: '198.51.100.9' });
    expect(bob.gone).toBe(false);
  });
});

it('can be had from outside: kick, ban, remove, ask again', async () => {
  let mayJoin = true;
  await using server = createChatServer({
    exemptAddresses: ['127.0.0.0/8'],
    hooks: { authorize: (_session, action) => action !== 'join' || mayJoin },
  });
  const { port } = await server.listen({ port: 0, host: '127.0.0.1' });
  const enter = async (name: string): Promise<[WireClient, Joined]> => {
    const client = new WireClient(tcpPipe({ port, host: '127.0.0.1' }));
    await client.enter({ name });
    return [client, await client.join('lobby')];
  };
  const [ada, { handle }] = await enter('ada');
  const [bob] = await enter('bob');
  await bob.join('kitchen');
  const common = { device: 0, address: '127.0.0.1', dialect: 'binary', claims: undefined, isConnected: true };
  expect(server.sessions()).toEqual([
    { ...common, memberId: 1, name: 'ada', rooms: ['lobby'] },
    { ...common, memberId: 2, name: 'bob', rooms: ['lobby', 'kitchen'] },
  ]);
  expect(await bob.ask({ op: 'leave', room: 'kitchen' })).toEqual({ left: true });
  expect(server.removeFromRoom('nobody', 'lobby')).toBe(false);
  expect(server.removeFromRoom('ada', 'nowhere')).toBe(false);
  expect(server.removeFromRoom('ada', 'lobby')).toBe(true);
  const left = await ada.take(FrameType.Notice, ({ kind }) => kind === NoticeKind.Left);
  expect(left).toMatchObject({ room: handle, name: 'ada' });
  mayJoin = false;
  expect(await server.reauthorize()).toBe(1);
  expect(server.reauthenticate('nobody')).toBe(false);
  expect(server.reauthenticate('ada')).toBe(true);
  expect(await ada.closed).toMatchObject({ code: 4017 });
  expect(server.sessions()[0]).toEqual({
    ...common,
    memberId: 1,
    name: 'ada',
    rooms: [],
    isConnected: false,
  });
  expect(server.banAddress('127.0.0.1', 1000)).toBe(false);
  expect(server.ban('bob', 1000)).toBe(true);
  expect(await bob.closed).toMatchObject({ code: 4015 });
  expect([server.unban('bob'), server.unban('bob')]).toEqual([true, false]);
});
