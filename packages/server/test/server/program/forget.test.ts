/** What is forgotten while the server runs is in no page any more, in the heap and in the store, and nobody loses anything else. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { FrameType } from '@chat/protocol/frames';
import { describe, expect, it } from 'vitest';
import { createChatServer } from '../../../src/server/chat-server.js';
import { forget } from '../../../src/server/program/forget.js';
import { openSqliteLog } from '../../../src/sqlite/index.js';
import { MemoryChat } from '../../support/memory-chat.js';
import { dataFolder } from '../../support/sqlite/folder.js';
import { turn } from '../../support/turn.js';
import type { WireClient } from '../../support/wire-client.js';

async function textsOf(client: WireClient, room: string): Promise<string[]> {
  const { entries } = await client.history(room, { limit: 1000 });
  return entries
    .filter(({ type }) => type === FrameType.Message)
    .map(({ body }) => new TextDecoder().decode(body));
}

async function scene() {
  const memory = await MemoryChat.open();
  const [ada, eve] = [await memory.enter('ada'), await memory.enter('eve')];
  const rooms = { lobby: (await ada.join('lobby')).handle, tea: (await ada.join('tea')).handle };
  for (const room of ['lobby', 'tea']) await eve.join(room);
  for (const [room, handle] of Object.entries(rooms)) {
    await ada.say(handle, `ada in ${room}`);
    await eve.say(handle, `eve in ${room}`);
    await ada.say(handle, `ada again in ${room}`);
  }
  await eve.answerTo(eve.whisper('ada', 'psst'));
  await turn();
  return { memory, ada, eve, rooms };
}

describe('forget', () => {
  it('takes back what a user said, everywhere, and lets readers go on', async () => {
    const { memory, ada, rooms } = await scene();
    const before = memory.chat.rooms.logBytes;
    // Two comings, two messages and a direct one.
    expect(await forget(memory.chat, { user: 'eve' })).toBe(5);
    expect(memory.chat.rooms.logBytes).toBeLessThan(before);
    expect(await textsOf(ada, 'lobby')).toEqual(['ada in lobby', 'ada again in lobby']);
    expect(await textsOf(ada, 'tea')).toEqual(['ada in tea', 'ada again in tea']);
    await ada.say(rooms.lobby, 'later');
    await turn();
    expect(ada.texts(rooms.lobby).at(-1)).toBe('later');
    // A newcomer sees where something is missing: the chain of positions has a hole there.
    const bob = await memory.enter('bob');
    const { handle } = await bob.join('lobby', { history: 100 });
    await turn();
    const entries = bob.entries(handle);
    expect(bob.texts(handle)).toEqual(['ada in lobby', 'ada again in lobby', 'later']);
    expect(entries.some(({ prev }, i) => i > 0 && prev !== entries[i - 1]!.seq)).toBe(true);
  });

  it('knows a member by its id, and keeps to a room', async () => {
    const { memory, ada, eve } = await scene();
    expect(await forget(memory.chat, { member: eve.welcome!.member.id, room: 'TEA' })).toBe(2);
    expect(await textsOf(ada, 'tea')).toEqual(['ada in tea', 'ada again in tea']);
    expect(await textsOf(ada, 'lobby')).toContain('eve in lobby');
  });

  it('forgets a room, whose members stay and go on', async () => {
    const { memory, ada, eve, rooms } = await scene();
    expect(await forget(memory.chat, { room: 'tea' })).toBe(5);
    expect(await textsOf(ada, 'tea')).toEqual([]);
    await eve.say(rooms.tea, 'new');
    await turn();
    expect(ada.texts(rooms.tea).at(-1)).toBe('new');
    expect(await textsOf(ada, 'tea')).toEqual(['new']);
    expect(await textsOf(ada, 'lobby')).toHaveLength(3);
  });

  it('puts a reader back that was behind', async () => {
    const { memory, ada, eve, rooms } = await scene();
    ada.link.stall();
    for (const text of ['one', 'two']) await eve.say(rooms.tea, text);
    await ada.link.receive;
    const id = memory.chat.rooms.find('tea')!.log.lastSeq;
    await forget(memory.chat, { user: 'ada', room: 'tea' });
    ada.link.flow();
    await turn(2);
    expect(ada.texts(rooms.tea).slice(-2)).toEqual(['one', 'two']);
    expect(ada.entries(rooms.tea).at(-1)!.seq).toBe(id);
    expect(ada.gone).toBe(false);
  });

  it.each([
    [{}, 'ERR_SERVER_BAD_OPTION'],
    [{ name: 'eve' } as object, 'ERR_SERVER_BAD_OPTION'],
    [{ room: 'a b' }, 'ERR_SERVER_ROOM_INVALID'],
  ])('refuses %o', async (wish, code) => {
    await using server = createChatServer();
    await expect(server.forget(wish)).rejects.toMatchObject({ code });
  });

  it('leaves no byte of it in the store, nor in what can be searched', async () => {
    const directory = dataFolder();
    const log = await openSqliteLog({ directory, reserveBytes: 0 });
    const server = createChatServer({ log });
    await server.publish('lobby', 'keepsake', { as: 'ada' });
    await server.publish('lobby', 'unspeakable', { as: 'eve' });
    const hits = async (word: string) => {
      const page = await log.store.search(word, { rooms: ['lobby'], limit: 5 });
      return page?.hits.map(({ name }) => name);
    };
    expect(await hits('unspeakable')).toEqual(['eve']);
    expect(await server.forget({ user: 'eve' })).toBe(1);
    expect(await hits('unspeakable')).toEqual([]);
    expect(await hits('keepsake')).toEqual(['ada']);
    const { entries } = await server.history('lobby');
    expect(entries.map((entry) => entry.type === 'message' && entry.value)).toEqual(['keepsake']);
    await server.close();
    for (const file of readdirSync(directory)) {
      expect(readFileSync(join(directory, file)).includes('unspeakable'), file).toBe(false);
    }
  });
});
