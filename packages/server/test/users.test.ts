/** Somebody with an account, over several sessions at a time: one user for everybody else, and for itself everywhere. */
import { CloseCode, FailureCode } from '@chat/protocol';
import { type Entry, encodeFrame, FrameType, NoticeKind, readSent } from '@chat/protocol/frames';
import { describe, expect, it } from 'vitest';
import type { ChatServerOptions } from '../src/options/options.js';
import { MemoryChat, type MemoryClient } from './support/memory-chat.js';
import { turn } from './support/turn.js';
import { followChain } from './support/wire-client.js';

/** Everybody whose name begins with a capital has an account. */
const ACCOUNTS: ChatServerOptions = {
  hooks: {
    authenticate: (_credentials, { name }) => ({ ok: true, ...(/^[A-Z]/.test(name) ? { name } : {}) }),
  },
};

/** Ada with two devices, and bob, all in the lobby. */
async function adaTwice(options: ChatServerOptions = {}): Promise<{
  memory: MemoryChat;
  phone: MemoryClient;
  laptop: MemoryClient;
  bob: MemoryClient;
  lobby: number;
  start: number;
}> {
  const memory = await MemoryChat.open({ ...ACCOUNTS, ...options });
  const bob = await memory.enter('bob');
  const { handle } = await bob.join('lobby');
  const [phone, laptop] = [await memory.enter('Ada'), await memory.enter('Ada')];
  await phone.join('lobby');
  const { start } = await laptop.join('lobby');
  await turn();
  return { memory, phone, laptop, bob, lobby: handle, start };
}

/** What is told of the coming and going of others. */
function presence(client: MemoryClient, handle: number): string[] {
  return client
    .entries(handle)
    .flatMap((entry) => (entry.type === FrameType.Notice ? `${entry.name} ${KINDS.get(entry.kind)}` : []));
}

const KINDS: ReadonlyMap<number, string> = new Map(
  Object.entries(NoticeKind).map(([name, kind]) => [kind, name.toLowerCase()]),
);

const last = (client: MemoryClient, handle: number): Entry => client.entries(handle).at(-1)!;

describe('a user with two sessions', () => {
  it('is one member of a room: it comes with the first session and leaves with the last', async () => {
    const { phone, laptop, bob, lobby } = await adaTwice();
    const ada = phone.welcome!.member;
    expect(laptop.welcome!.member).toEqual(ada);
    expect([phone.welcome!.device, laptop.welcome!.device]).toEqual([undefined, 1]);
    const again = await bob.join('lobby');
    expect(again).toMatchObject({ memberCount: 2, members: [{ name: 'bob' }, ada] });
    expect(await bob.ask({ op: 'rooms', prefix: '', limit: 9 })).toMatchObject({
      rooms: [{ memberCount: 2 }],
    });
    // The first to come is the first to go.
    await phone.ask({ op: 'leave', room: 'lobby' });
    await turn();
    expect(await bob.join('lobby')).toMatchObject({ memberCount: 2, members: [{ name: 'bob' }, ada] });
    phone.send({ type: FrameType.Close, code: CloseCode.Normal, retryAfterMs: 0, reason: '' });
    await turn();
    expect(presence(bob, lobby)).toEqual(['bob joined', 'Ada joined']);
    laptop.send({ type: FrameType.Close, code: CloseCode.Normal, retryAfterMs: 0, reason: '' });
    await turn();
    expect(presence(bob, lobby)).toEqual(['bob joined', 'Ada joined', 'Ada left']);
    expect(last(bob, lobby).sender).toBe(ada.id);
  });

  it('sees what it says from either of them, told apart by the device', async () => {
    const { phone, laptop, bob, lobby, start } = await adaTwice();
    await phone.say(lobby, 'from the phone');
    await laptop.say(lobby, 'from the laptop');
    await turn();
    const { id } = phone.welcome!.member;
    for (const client of [phone, laptop, bob]) {
      const said = client.entries(lobby).filter(({ type }) => type === FrameType.Message);
      expect(said).toMatchObject([{ sender: id }, { sender: id, device: 1 }]);
      expect(said[0]).not.toHaveProperty('device');
      expect(client.texts(lobby)).toEqual(['from the phone', 'from the laptop']);
    }
    expect(followChain(laptop.frames, lobby, start)).toBe(last(bob, lobby).seq);
  });

  it('is told nothing of its own typing', async () => {
    const { phone, laptop, bob, lobby } = await adaTwice();
    laptop.send({
      type: FrameType.Signal,
      room: lobby,
      sender: 0,
      name: '',
      codec: 1,
      body: new Uint8Array(1),
    });
    await turn();
    expect(await bob.take(FrameType.Signal)).toMatchObject({ sender: phone.welcome!.member.id });
    expect(phone.frames.some(({ type }) => type === FrameType.Signal)).toBe(false);
  });

  it('gets direct messages with both, and what comes while both are away with the one that comes back', async () => {
    const { memory, phone, laptop, bob } = await adaTwice();
    const { handle } = phone.welcome!.inbox;
    expect(await bob.answerTo(bob.whisper('Ada', 'one'))).not.toHaveProperty('waiting');
    await turn();
    expect([phone.texts(handle), laptop.texts(handle)]).toEqual([['one'], ['one']]);
    const seen = last(phone, handle).seq;
    phone.pipe.destroy();
    await turn();
    expect(await bob.answerTo(bob.whisper('Ada', 'two'))).not.toHaveProperty('waiting');
    laptop.pipe.destroy();
    await turn();
    expect(await bob.answerTo(bob.whisper('Ada', 'three'))).toMatchObject({ waiting: true });
    const back = await memory.enter(phone.resumption(seen));
    await turn();
    expect(back.texts(handle)).toEqual(['two', 'three']);
    expect(followChain(back.frames, handle, seen)).toBe(last(back, handle).seq);
  });

  it('sees on one device what it has told somebody on the other, and the receiver sees it once', async () => {
    const { phone, laptop, bob } = await adaTwice();
    const { handle } = phone.welcome!.inbox;
    await bob.answerTo(bob.whisper('Ada', 'one'));
    await phone.answerTo(phone.whisper('bob', 'two'));
    expect(await phone.answerTo(phone.whisper('nobody', 'x'))).toHaveProperty('failure');
    await bob.answerTo(bob.whisper('Ada', 'three'));
    await turn();
    expect(bob.texts(bob.welcome!.inbox.handle)).toEqual(['two']);
    for (const device of [phone, laptop]) {
      expect(device.texts(handle)).toEqual(['one', 'three']);
      expect(followChain(device.frames, handle, 0)).toBe(last(device, handle).seq);
      const [copy, ...more] = device.entries(handle).filter(({ type }) => type === FrameType.Notice);
      expect(more).toEqual([]);
      expect(copy).toMatchObject({ kind: NoticeKind.Sent, sender: phone.welcome!.member.id, name: 'Ada' });
      expect(copy).not.toHaveProperty('device');
      const { codec, to, body } = readSent(copy!.body);
      expect([codec, String(Buffer.from(to)), String(Buffer.from(body))]).toEqual([1, 'bob', 'two']);
    }
  });

  it('gets no copy where it is one session, nor of what it tells itself', async () => {
    const memory = await MemoryChat.open(ACCOUNTS);
    const [ada, bob] = [await memory.enter('Ada'), await memory.enter('bob')];
    await ada.answerTo(ada.whisper('bob', 'one'));
    const other = await memory.enter('Ada');
    await ada.answerTo(ada.whisper('Ada', 'a note'));
    await bob.answerTo(bob.whisper('Ada', 'psst'));
    await turn();
    const { handle } = ada.welcome!.inbox;
    for (const device of [ada, other]) {
      expect(device.texts(handle)).toEqual(['a note', 'psst']);
      expect(device.entries(handle)).toHaveLength(2);
    }
  });

  it('gets a copy of the largest message, in a frame that is not too large', async () => {
    const memory = await MemoryChat.open({ ...ACCOUNTS, maxFrameBytes: 4096, maxLineBytes: 1024 });
    const [name, to] = [`A${'d'.repeat(63)}`, 'b'.repeat(64)];
    const [phone, laptop] = [await memory.enter(name), await memory.enter(name)];
    await memory.enter(to);
    const { maxMessageBytes } = phone.welcome!.limits;
    for (const bytes of [maxMessageBytes - 100, maxMessageBytes]) {
      await phone.answerTo(phone.whisper(to, 'x'.repeat(bytes)));
      await turn();
      const copy = last(laptop, laptop.welcome!.inbox.handle);
      expect(encodeFrame(copy).length).toBeLessThanOrEqual(4096);
      expect(readSent(copy.body).body).toHaveLength(bytes);
      expect(copy.name).toBe(bytes === maxMessageBytes ? '' : name);
    }
  });

  it('gets no gap in the direct messages with a device that comes later', async () => {
    const { memory, bob } = await adaTwice();
    await bob.answerTo(bob.whisper('Ada', 'before'));
    const tablet = await memory.enter('Ada');
    const { handle, start } = tablet.welcome!.inbox;
    await bob.answerTo(bob.whisper('Ada', 'behind'));
    await turn();
    expect(tablet.texts(handle)).toEqual(['behind']);
    expect(followChain(tablet.frames, handle, start)).toBe(last(tablet, handle).seq);
  });

  it('is gone for direct messages with its last session only', async () => {
    const { memory, bob } = await adaTwice();
    memory.chat.operator.kick('Ada', '');
    const answer = await bob.answerTo(bob.whisper('Ada', 'one'));
    expect(answer).toMatchObject({ failure: { code: FailureCode.NoSuchUser } });
  });

  it('is kicked, evicted, and asked for credentials as a whole', async () => {
    const { memory, phone, laptop, bob, lobby } = await adaTwice();
    expect(memory.chat.operator.evict('Ada', 'lobby')).toBe(true);
    await turn();
    expect(presence(bob, lobby)).toEqual(['bob joined', 'Ada joined', 'Ada left']);
    for (const device of [phone, laptop]) {
      expect(await device.request({ op: 'members', room: 'lobby', limit: 1 })).toMatchObject({
        failure: { code: FailureCode.NotMember },
      });
    }
    expect(memory.chat.operator.reauthenticate('Ada')).toBe(true);
    for (const device of [phone, laptop])
      expect((await device.closed)!.code).toBe(CloseCode.CredentialsExpired);
    const again = await memory.enter(phone.resumption());
    expect(memory.chat.operator.ban('Ada', 60_000, 'enough')).toBe(true);
    expect((await again.closed)!.code).toBe(CloseCode.Banned);
    expect(memory.chat.sessions.holderOf('Ada')).toBeUndefined();
  });

  it('may correct with one what it said with the other', async () => {
    const { phone, laptop, lobby } = await adaTwice();
    const seq = await phone.say(lobby, 'helo');
    await laptop.ask({ op: 'edit', room: 'lobby', seq, text: 'hello' });
    await turn();
    expect(last(phone, lobby)).toMatchObject({ kind: NoticeKind.Edited, device: 1 });
  });

  it('has one that is too many in the place of the oldest that is away, or the oldest, where that may be', async () => {
    const authenticate = () => ({ ok: true, name: 'Ada', takesOver: true }) as const;
    const memory = await MemoryChat.open({ maxSessionsPerUser: 2, hooks: { authenticate } });
    const [first, second] = [await memory.enter('Ada'), await memory.enter('Ada')];
    second.pipe.destroy();
    await turn();
    const third = await memory.enter('Ada');
    expect(first.gone).toBe(false);
    await memory.enter('Ada');
    expect((await first.closed)!.code).toBe(CloseCode.SessionReplaced);
    expect(third.gone).toBe(false);
    expect(memory.chat.sessions.allOf('Ada')).toHaveLength(2);
  });

  it('is not doubled by a client that begins anew', async () => {
    const memory = await MemoryChat.open(ACCOUNTS);
    const other = await memory.enter('Ada');
    const hello = { name: 'Ada', clientSecret: 'c'.repeat(24) };
    const first = await memory.enter({ ...hello, attempt: 1 });
    await memory.enter({ ...hello, attempt: 2 });
    expect((await first.closed)!.code).toBe(CloseCode.SessionReplaced);
    expect([other.gone, memory.chat.sessions.count]).toEqual([false, 2]);
  });

  it('shares its name with no guest', async () => {
    const memory = await MemoryChat.open(ACCOUNTS);
    await memory.enter('Ada');
    const guest = memory.connect();
    guest.greet({ name: 'ada' });
    expect((await guest.closed)!.code).toBe(CloseCode.NameTaken);
  });

  it('reads in lines what it said elsewhere, and not what it said in these', async () => {
    const { memory, phone, lobby } = await adaTwice();
    const line = memory.connectLine();
    line.send('Ada\n');
    await turn(2);
    line.send('from here\n');
    await turn();
    await phone.say(lobby, 'from the phone');
    await turn();
    expect(line.text()).toContain('Ada: from the phone\n');
    await phone.answerTo(phone.whisper('bob', 'psst'));
    await turn();
    expect(line.text()).toContain('*** you whisper to bob: psst\n');
    expect(line.text()).not.toContain('from here');
    expect(phone.texts(lobby)).toContain('from here');
  });
});
