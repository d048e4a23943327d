/** Messages that answer others: for clients that know them, and for all others. */
import { FailureCode, jsonCodec } from '@chat/protocol';
import { type Entry, FrameType, type Joined } from '@chat/protocol/frames';
import { describe, expect, it } from 'vitest';
import type { ChatServerOptions } from '../src/options/options.js';
import { openSqliteLog } from '../src/sqlite/index.js';
import { MemoryChat } from './support/memory-chat.js';
import { dataFolder } from './support/sqlite/folder.js';
import { turn } from './support/turn.js';
import { followChain, type WireClient } from './support/wire-client.js';

const text = ({ body }: Entry): string => new TextDecoder().decode(body);
const said = (entries: readonly Entry[]): (readonly [number, string])[] =>
  entries.flatMap((entry) => (entry.type === FrameType.Message ? [[entry.codec, text(entry)] as const] : []));
const answer = async (client: WireClient, handle: number, value: unknown): Promise<number> => {
  const ack = await client.answerTo(client.publish(handle, jsonCodec.encode(value), 5));
  if (ack.type !== FrameType.Ack) throw new Error(ack.failure.code);
  return ack.seq;
};

async function chatOf(options: ChatServerOptions = {}) {
  const memory = await MemoryChat.open({ idleTimeoutMs: 36_000_000, ...options });
  const ada = memory.connect();
  await ada.enter({ name: 'ada', features: ['rich', 'unheard-of'] });
  const bob = await memory.enter('bob');
  const joined = await ada.join('lobby');
  const { start } = await bob.join('lobby');
  return { memory, ada, bob, joined, handle: joined.handle, start };
}

describe('a message that answers another one', () => {
  it('is known to those who have said so, and its text to all others: live, in pages and in lines', async () => {
    const { memory, ada, bob, joined, handle, start } = await chatOf();
    const nc = memory.connectLine();
    nc.send('nc\n');
    await turn(2);
    expect(joined.features).toEqual(['rich']);
    const reply = await bob.say(handle, 'tea?');
    await answer(ada, handle, { text: 'please', reply });
    await bob.say(handle, 'here');
    await turn();
    const rich = [5, `{"text":"please","reply":${reply}}`];
    expect(said(ada.entries(handle))).toEqual([[1, 'tea?'], rich, [1, 'here']]);
    expect(said((await ada.history('lobby')).entries)).toEqual([[1, 'tea?'], rich, [1, 'here']]);
    const plain = [
      [1, 'tea?'],
      [1, 'please'],
      [1, 'here'],
    ];
    expect(said(bob.entries(handle))).toEqual(plain);
    expect(said((await bob.history('lobby')).entries)).toEqual(plain);
    followChain(bob.frames, handle, start);
    expect(nc.text()).toContain('ada: please\n');
    expect(((await bob.ask({ op: 'join', room: 'lobby' })) as Joined).features).toBeUndefined();
  });

  it('goes on answering when it is edited, whoever its client is, and can be taken back', async () => {
    const { ada, bob, handle } = await chatOf();
    const seq = await answer(ada, handle, { text: 'pleas', reply: 1 });
    await ada.ask({ op: 'edit', room: 'lobby', seq, text: 'please' });
    expect(said((await ada.history('lobby')).entries)).toEqual([[5, '{"text":"please","reply":1}']]);
    const edited = bob.entries(handle).at(-1)!;
    expect(JSON.parse(text(edited))).toEqual({ seq, codec: 1, text: 'please', reply: 1 });
    await ada.ask({ op: 'take-back', room: 'lobby', seq });
    expect(said((await ada.history('lobby')).entries)).toEqual([[4, '{"by":"ada"}']]);
  });

  it('is refused where it is none', async () => {
    const { ada, handle } = await chatOf();
    for (const value of [{ text: 1 }, { text: 'x', reply: -1 }, 'x'])
      await expect(answer(ada, handle, value)).rejects.toThrow(FailureCode.BadRequest);
  });

  it('is found by its words, and outlives a restart', async () => {
    const directory = dataFolder();
    const first = await chatOf({ log: await openSqliteLog({ directory, reserveBytes: 0 }) });
    await answer(first.ada, first.handle, { text: 'oolong please', reply: 1 });
    const found = async () =>
      (await first.bob.ask<{ hits: { snippet: string }[] }>({ op: 'search', query: 'oolong' })).hits;
    while ((await found()).length === 0) await turn();
    expect(await found()).toMatchObject([{ snippet: 'oolong please' }]);
    await first.memory.chat.log.close?.();
    const again = await MemoryChat.open({ log: await openSqliteLog({ directory, reserveBytes: 0 }) });
    const [zoe, eve] = [await again.enter({ name: 'zoe', features: ['rich'] }), await again.enter('eve')];
    for (const client of [zoe, eve]) await client.join('lobby');
    expect(said((await zoe.history('lobby')).entries)).toEqual([[5, '{"text":"oolong please","reply":1}']]);
    expect(said((await eve.history('lobby')).entries)).toEqual([[1, 'oolong please']]);
    await again.chat.log.close?.();
  });
});
