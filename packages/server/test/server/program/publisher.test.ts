/** What the program around the server says, and how members see it. */
import { bytesCodec, jsonCodec, withSchema } from '@chat/protocol';
import { msgpackCodec } from '@chat/protocol/msgpack';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createMemoryLog } from '../../../src/log/memory-log.js';
import { createChatServer } from '../../../src/server/chat-server.js';
import { station } from '../../support/carriers.js';
import { MemoryChat } from '../../support/memory-chat.js';
import { turn, until } from '../../support/turn.js';

describe('publish', () => {
  it('says something in a room that is made for it, as nobody who is here', async () => {
    await using server = createChatServer();
    const said = await server.publish('news', 'hello', { as: 'ci' });
    expect(said).toEqual({ id: `${server.epoch}-${said.seq}`, seq: 2, at: expect.any(Number) });
    expect(await server.rooms()).toEqual({ rooms: [{ room: 'news', memberCount: 0 }] });
    expect((await server.history('NEWS')).entries).toEqual([
      {
        type: 'message',
        ...said,
        room: 'news',
        prev: 0,
        sender: { id: 0, name: 'ci' },
        value: 'hello',
        codec: 1,
      },
    ]);
    expect(server.users()).toEqual([]);
  });

  it('is seen by members of both dialects, and changes no list of members', async () => {
    const memory = await MemoryChat.open();
    const ada = await memory.enter('ada');
    const lobby = await ada.join('lobby');
    const bob = memory.connectLine();
    bob.send('bob\n');
    await turn(3);
    const { seq } = await memory.chat.program.publish('lobby', 'two\nlines', { as: 'build bot' });
    await turn();
    const entry = ada.entries(lobby.handle).at(-1)!;
    expect(entry).toMatchObject({ seq, sender: 0, name: 'build bot' });
    expect(bob.text().split(/\r?\n/).slice(-3)).toEqual(['build bot: two', 'build bot: lines', '']);
    const { members } = await ada.ask<{ members: { name: string }[] }>({ op: 'members', room: 'lobby' });
    expect(members.map(({ name }) => name)).toEqual(['ada', 'bob']);
    expect(memory.chat.rooms.find('lobby')?.members.size).toBe(2);
  });

  it('takes other codecs, and a schema', async () => {
    await using server = createChatServer();
    const codec = withSchema(jsonCodec, z.object({ x: z.number() }));
    await server.publish('typed', { x: 1 }, { as: 'bot', codec });
    await expect(server.publish('typed', { x: 'y' } as never, { as: 'bot', codec })).rejects.toMatchObject({
      code: 'ERR_PROTOCOL_INVALID_BODY',
    });
    await server.publish('typed', [1, { a: null }], { as: 'bot', codec: msgpackCodec });
    await server.publish('typed', Uint8Array.of(0, 255), { as: 'bot', codec: bytesCodec });
    const { entries } = await server.history('typed', { codec });
    expect(entries).toMatchObject([
      { type: 'message', value: { x: 1 } },
      { type: 'unreadable', codec: msgpackCodec.tag },
      { type: 'unreadable', codec: 0, body: Uint8Array.of(0, 255) },
    ]);
    const packed = await server.history('typed', { codec: msgpackCodec });
    expect(packed.entries[1]).toMatchObject({ value: [1, { a: null }] });
  });

  it.each([
    ['ERR_SERVER_ROOM_INVALID', 'two words', 'bot'],
    ['ERR_SERVER_ROOM_INVALID', '', 'bot'],
    ['ERR_SERVER_ROOM_INVALID', 'x'.repeat(256), 'bot'],
    ['ERR_SERVER_ROOM_INVALID', 'а\u0000b', 'bot'],
    ['ERR_SERVER_ROOM_INVALID', 'lоbby', 'bot'],
    ['ERR_SERVER_NAME_INVALID', 'lobby', ''],
    ['ERR_SERVER_NAME_INVALID', 'lobby', '*** bot'],
    ['ERR_SERVER_NAME_INVALID', 'lobby', '\u202Etob'],
    ['ERR_SERVER_NAME_INVALID', 'lobby', 'a\nb'],
    ['ERR_SERVER_NAME_INVALID', 'lobby', undefined as unknown as string],
  ])('refuses names with %s: %.20j, %j', async (code, room, as) => {
    await using server = createChatServer();
    await expect(server.publish(room, 'hello', { as })).rejects.toMatchObject({ code });
    expect((await server.rooms()).rooms).toEqual([]);
  });

  it('refuses names of any length at once', async () => {
    await using server = createChatServer();
    const long = 'x'.repeat(65_536);
    await expect(server.publish(long, 'hello', { as: 'bot' })).rejects.toMatchObject({
      code: 'ERR_SERVER_ROOM_INVALID',
    });
    await expect(server.publish('lobby', 'hello', { as: long })).rejects.toMatchObject({
      code: 'ERR_SERVER_NAME_INVALID',
    });
  });

  it('takes names that are properties of objects elsewhere', async () => {
    await using server = createChatServer();
    await server.publish('__proto__', 'x', { as: 'constructor' });
    expect((await server.history('__proto__')).entries).toMatchObject([{ sender: { name: 'constructor' } }]);
  });

  it('refuses what is too large, with both numbers, and takes what just fits', async () => {
    await using server = createChatServer({ maxFrameBytes: 4096, maxLineBytes: 1024 });
    const max = 4096 - 112;
    await server.publish('lobby', 'x'.repeat(max), { as: 'bot' });
    await expect(server.publish('lobby', 'x'.repeat(max + 1), { as: 'bot' })).rejects.toMatchObject({
      code: 'ERR_SERVER_TOO_LARGE',
      max,
      actual: max + 1,
    });
  });

  it('refuses an option that does not exist, and a value that is not of the codec', async () => {
    await using server = createChatServer();
    await expect(server.publish('lobby', 'x', { as: 'bot', room: 'y' } as never)).rejects.toMatchObject({
      code: 'ERR_SERVER_BAD_OPTION',
    });
    await expect(server.publish('lobby', '\uD800', { as: 'bot' })).rejects.toThrow(TypeError);
  });

  it('makes no more rooms than there may be', async () => {
    await using server = createChatServer({ maxRooms: 1 });
    await server.publish('one', 'x', { as: 'bot' });
    // An empty room makes place for another.
    await server.publish('two', 'x', { as: 'bot' });
    expect((await server.rooms()).rooms).toEqual([{ room: 'two', memberCount: 0 }]);
    const memory = await MemoryChat.open({ maxRooms: 1 });
    const ada = await memory.enter('ada');
    await ada.join('hers');
    await expect(memory.chat.program.publish('three', 'x', { as: 'bot' })).rejects.toMatchObject({
      code: 'ERR_SERVER_TOO_MANY_ROOMS',
      max: 1,
    });
  });

  it('rejects with the reason of a log that takes nothing', async () => {
    const log = createMemoryLog();
    const { append } = log;
    await using server = createChatServer({ log });
    await server.publish('lobby', 'x', { as: 'bot' });
    log.append = (draft) =>
      draft.origin?.refused({ code: 'unavailable', message: 'the disk is full', retryAfterMs: 1000 }, 0);
    await expect(server.publish('lobby', 'x', { as: 'bot' })).rejects.toMatchObject({
      code: 'ERR_SERVER_UNAVAILABLE',
      message: 'the disk is full',
      retryAfterMs: 1000,
    });
    log.append = append.bind(log);
    await server.publish('lobby', 'x', { as: 'bot' });
  });

  it('rejects when the server is closed: before, and while the log has not answered', async () => {
    const log = createMemoryLog();
    const server = createChatServer({ log });
    await server.publish('lobby', 'x', { as: 'bot' });
    log.append = () => {};
    const lost = server.publish('lobby', 'x', { as: 'bot' });
    await turn();
    await server.close();
    await expect(lost).rejects.toMatchObject({ code: 'ERR_SERVER_CLOSED' });
    await expect(server.publish('lobby', 'x', { as: 'bot' })).rejects.toMatchObject({
      code: 'ERR_SERVER_CLOSED',
    });
  });
});

describe('direct', () => {
  it('reaches one user and nobody else', async () => {
    await using there = await station('TCP');
    const [ada, bob] = [await there.enter('ada'), await there.enter('bob')];
    const { seq } = await there.server.direct('ADA', 'psst', { as: 'ops' });
    await until(() => ada.frames.some((frame) => 'seq' in frame && frame.seq === seq && 'body' in frame));
    expect(ada.frames.at(-1)).toMatchObject({ sender: 0, name: 'ops', room: ada.welcome!.inbox.handle });
    expect(bob.frames.some((frame) => 'seq' in frame && frame.seq === seq)).toBe(false);
  });

  it('waits for a user who is away, as far as there is space', async () => {
    const memory = await MemoryChat.open({ inboxEntries: 2 });
    const ada = await memory.enter('ada');
    const say = (text: string) => memory.chat.program.direct('ada', text, { as: 'ops' });
    expect(await say('now')).toMatchObject({ delivery: 'delivered' });
    await turn();
    const { inbox } = ada.welcome!;
    const last = ada.entries(inbox.handle).at(-1)!.seq;
    ada.pipe.destroy();
    await turn();
    expect(await say('one')).toMatchObject({ delivery: 'waiting' });
    await say('two');
    await expect(say('three')).rejects.toMatchObject({ code: 'ERR_SERVER_INBOX_FULL', max: 2 });
    const again = await memory.enter(ada.resumption(last));
    await turn();
    expect(again.texts(inbox.handle)).toEqual(['one', 'two']);
  });

  it('rejects for a user who is not here', async () => {
    await using server = createChatServer();
    for (const name of ['nobody', '', '__proto__', 'x'.repeat(65_536)]) {
      await expect(server.direct(name, 'x', { as: 'ops' })).rejects.toMatchObject({
        code: 'ERR_SERVER_NO_SUCH_USER',
      });
    }
  });
});
