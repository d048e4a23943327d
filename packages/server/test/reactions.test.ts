/** Emoji below messages: on the wire, in pages, lines and the store, and who may put them there. */
import { CloseCode, FailureCode } from '@chat/protocol';
import { type Entry, FrameType, type Joined, NoticeKind, type RequestBody } from '@chat/protocol/frames';
import { describe, expect, it } from 'vitest';
import type { ChatServerOptions } from '../src/options/options.js';
import { forget } from '../src/server/program/forget.js';
import { moderate } from '../src/server/program/moderate.js';
import { openSqliteLog } from '../src/sqlite/index.js';
import { checkStore } from '../src/sqlite/tools/check.js';
import { MemoryChat, type MemoryClient } from './support/memory-chat.js';
import { dataFolder } from './support/sqlite/folder.js';
import { turn } from './support/turn.js';
import { followChain } from './support/wire-client.js';

const text = ({ body }: Entry): string => new TextDecoder().decode(body);

/** The messages of a page as a reader shows them: their text, and `emoji: names`. */
async function page(client: MemoryClient): Promise<unknown[]> {
  const { entries } = await client.history('lobby');
  return entries.flatMap<unknown>((entry) => {
    if (entry.type !== FrameType.Message) return [];
    if (entry.codec !== 5) return [text(entry)];
    const { text: said, reactions = [] } = JSON.parse(text(entry));
    const below = reactions.map(
      ({ reaction, by }: { reaction: string; by: { name: string }[] }) =>
        `${reaction}: ${by.map(({ name }) => name)}`,
    );
    return [[said, ...below]];
  });
}

const notices = (client: MemoryClient, handle: number): unknown[] =>
  client
    .entries(handle)
    .flatMap((entry) =>
      entry.type === FrameType.Notice && entry.kind === NoticeKind.Reacted ? [JSON.parse(text(entry))] : [],
    );

async function chatOf(options: ChatServerOptions = {}) {
  const memory = await MemoryChat.open({ idleTimeoutMs: 36_000_000, ...options });
  const ada = memory.connect();
  await ada.enter({ name: 'ada', features: ['reactions', 'rich'] });
  const bob = await memory.enter('bob');
  const joined = await ada.join('lobby');
  const { handle } = joined;
  const { start } = await bob.join('lobby');
  const react = (client: MemoryClient, seq: number, reaction = '👍', more: Partial<RequestBody> = {}) =>
    client.request({ op: 'react', room: 'lobby', seq, reaction, ...more } as RequestBody);
  const refused = async (...args: Parameters<typeof react>): Promise<unknown> => {
    const answer = await react(...args);
    return answer.type === FrameType.Failed ? answer.failure.code : answer;
  };
  return { memory, ada, bob, joined, handle, start, react, refused };
}

describe('a reaction', () => {
  it('is below its message for those who know it, and told to those who have read the message', async () => {
    const { memory, ada, bob, joined, handle, start, react } = await chatOf();
    expect(joined.features).toEqual(['rich', 'reactions']);
    const nc = memory.connectLine();
    nc.send('nc\n');
    await turn(2);
    const seq = await bob.say(handle, 'tea?');
    await react(ada, seq);
    await react(bob, seq, '❤');
    await react(bob, seq);
    await turn();
    const of = { id: bob.welcome!.member.id, name: 'bob' };
    const told = [
      { seq, of, reaction: '👍', maxBytes: 65_424 },
      { seq, of, reaction: '❤\uFE0F', maxBytes: 65_424 },
      { seq, of, reaction: '👍', maxBytes: 65_424 },
    ];
    for (const client of [ada, bob]) expect(notices(client, handle)).toEqual(told);
    followChain(bob.frames, handle, start);
    expect(await page(ada)).toEqual([['tea?', '👍: ada,bob', '❤\uFE0F: bob']]);
    // Who does not know them has the text.
    expect(await page(bob)).toEqual(['tea?']);
    expect(nc.text().split('\n').slice(-4)).toEqual([
      '*** ada reacts to a message of bob with 👍',
      '*** bob reacts to a message of its own with ❤\uFE0F',
      '*** bob reacts to a message of its own with 👍',
      '',
    ]);
  });

  it('is taken back by its user, and asked for twice is there once', async () => {
    const { memory, ada, bob, handle, react } = await chatOf();
    const nc = memory.connectLine();
    nc.send('nc\n');
    await turn(2);
    const seq = await bob.say(handle, 'tea?');
    for (const more of [{}, {}, { remove: true }, { remove: true }]) await react(ada, seq, '👍', more);
    await turn();
    expect(notices(bob, handle)).toMatchObject([{ reaction: '👍' }, { reaction: '👍', removed: true }]);
    expect(await page(ada)).toEqual(['tea?']);
    expect(nc.text().match(/reacts/g)).toHaveLength(1);
  });

  it('is one of a user over all its sessions', async () => {
    const hooks: ChatServerOptions['hooks'] = {
      authenticate: (_credentials, { name }) => ({ ok: true, name }),
    };
    const { memory, ada, bob, handle, react } = await chatOf({ hooks });
    const seq = await bob.say(handle, 'tea?');
    const phone = await memory.enter('ada');
    await phone.join('lobby');
    await react(ada, seq);
    await react(phone, seq);
    await turn();
    expect(notices(bob, handle)).toHaveLength(1);
    await react(phone, seq, '👍', { remove: true });
    expect(await page(ada)).toEqual(['tea?']);
    await react(phone, seq);
    for (const client of [ada, phone])
      client.send({ type: FrameType.Close, code: CloseCode.Normal, retryAfterMs: 0, reason: '' });
    await turn(2);
    // The user comes back under another id.
    const again = await memory.enter({ name: 'ada', features: ['rich'] });
    await again.join('lobby');
    expect(again.welcome!.member.id).not.toBe(ada.welcome!.member.id);
    await react(again, seq);
    expect(await page(again)).toEqual([['tea?', '👍: ada']]);
  });

  it('stays when the message is edited, and goes when that is taken back', async () => {
    const { ada, bob, handle, react, refused } = await chatOf();
    const seq = await bob.say(handle, 'tee?');
    await react(ada, seq);
    await bob.ask({ op: 'edit', room: 'lobby', seq, text: 'tea?' });
    expect(await page(ada)).toEqual([['tea?', '👍: ada']]);
    await bob.ask({ op: 'take-back', room: 'lobby', seq });
    expect(await page(ada)).toEqual(['{"by":"bob"}']);
    expect(await refused(ada, seq)).toBe(FailureCode.NoSuchMessage);
  });

  it('leaves an edited message short enough for a frame', async () => {
    const { memory, ada, bob, handle, react } = await chatOf();
    const seq = await bob.say(handle, 'tea?');
    await react(ada, seq);
    const long = 'x'.repeat(memory.chat.maxMessageBytes - 60);
    await bob.ask({ op: 'edit', room: 'lobby', seq, text: long });
    expect(await page(ada)).toEqual([long]);
  });

  it('is refused where it is none, or to what is no text', async () => {
    const { memory, ada, bob, handle, refused } = await chatOf();
    const seq = await bob.say(handle, 'tea?');
    for (const reaction of ['', 'a', '👍👍', '\u202E👍', '__proto__'])
      expect(await refused(ada, seq, reaction)).toBe(FailureCode.BadRequest);
    expect(await refused(ada, seq, '👍'.repeat(17))).toBe(FailureCode.TooLarge);
    expect(await refused(ada, seq, 1 as never)).toBe(FailureCode.BadRequest);
    expect(await refused(ada, seq + 900)).toBe(FailureCode.NoSuchMessage);
    // The notice that bob has joined.
    expect(await refused(ada, seq - 1)).toBe(FailureCode.NoSuchMessage);
    const ack = await bob.answerTo(bob.publish(handle, new TextEncoder().encode('{}'), 2));
    expect(await refused(ada, (ack as { seq: number }).seq)).toBe(FailureCode.BadRequest);
    const longest = await bob.say(handle, 'x'.repeat(memory.chat.maxMessageBytes));
    expect(await refused(ada, longest)).toBe(FailureCode.TooLarge);
    expect(await refused(ada, seq, '👍', { room: 'nowhere' } as never)).toBe(FailureCode.NoSuchRoom);
    const eve = await memory.enter('eve');
    expect(await refused(eve, seq)).toBe(FailureCode.NotMember);
    // What others think is not a member's to say.
    const forged = new TextEncoder().encode('{"text":"x","reactions":[]}');
    const nack = await ada.answerTo(ada.publish(handle, forged, 5));
    expect(nack).toMatchObject({ failure: { code: FailureCode.BadRequest } });
  });

  it('is for those who may write in the room', async () => {
    const asked: unknown[] = [];
    let answer: boolean | 'allow' | undefined;
    const authorize = (_info: unknown, action: string, target: string, question: unknown) => {
      if (action !== 'react') return true;
      asked.push([target, question]);
      return answer;
    };
    const { memory, ada, bob, handle, refused } = await chatOf({ hooks: { authorize } });
    const seq = await bob.say(handle, 'tea?');
    const operate = (request: Parameters<typeof moderate>[1]) =>
      moderate(memory.chat.moderation, request, {});
    await operate({ op: 'mute', room: 'lobby', user: 'ada' });
    expect(await refused(ada, seq)).toBe(FailureCode.Muted);
    await operate({ op: 'unmute', room: 'lobby', user: 'ada' });
    await operate({ op: 'mode', room: 'lobby', readOnly: true });
    expect(await refused(ada, seq)).toBe(FailureCode.Forbidden);
    expect(asked.at(-1)).toEqual(['lobby', { role: 'guest', user: 'bob' }]);
    answer = 'allow';
    expect(await refused(ada, seq)).toMatchObject({ response: {} });
    answer = false;
    expect(await refused(ada, seq, '🎉')).toBe(FailureCode.Forbidden);
    expect(await page(ada)).toEqual([['tea?', '👍: ada']]);
    await operate({ op: 'ban', room: 'lobby', user: 'ada' });
    await turn();
    expect(await refused(ada, seq, '🎉')).toBe(FailureCode.NotMember);
  });

  it('of one who was muted, or has left, before it came back from the log is none', async () => {
    const { memory, ada, bob, handle, react } = await chatOf();
    const seq = await bob.say(handle, 'tea?');
    const { log } = memory.chat;
    const append = log.append.bind(log);
    for (const [op, code] of [
      ['mute', FailureCode.Muted],
      ['kick', FailureCode.NotMember],
    ] as const) {
      const held: Parameters<typeof append>[0][] = [];
      log.append = (draft) => void held.push({ ...draft, body: Uint8Array.from(draft.body) });
      const answer = react(ada, seq, '🎉');
      await turn();
      log.append = append;
      await moderate(memory.chat.moderation, { op, room: 'lobby', user: 'ada' }, {});
      for (const draft of held) append(draft);
      expect(held).toHaveLength(1);
      expect(await answer).toMatchObject({ failure: { code } });
      await moderate(memory.chat.moderation, { op: 'unmute', room: 'lobby', user: 'ada' }, {});
    }
    await turn();
    expect(notices(bob, handle)).toEqual([]);
    expect(await page(bob)).toEqual(['tea?']);
  });

  it('may be that of the program, under a name', async () => {
    const { memory, ada, bob, handle } = await chatOf();
    const seq = await bob.say(handle, 'tea?');
    const request = { op: 'react', room: 'lobby', seq, reaction: '✅' } as const;
    await moderate(memory.chat.moderation, request, { as: 'bot' });
    expect(await page(ada)).toEqual([['tea?', '✅: bot']]);
  });

  it('of one who is forgotten is gone, from the heap and from the store', async () => {
    const directory = dataFolder();
    const { memory, ada, bob, joined, handle, react } = await chatOf({
      log: await openSqliteLog({ directory, reserveBytes: 0 }),
    });
    const seq = await ada.say(handle, 'tea?');
    for (const client of [ada, bob]) await react(client, seq);
    await react(bob, seq, '🎉');
    // Three notices: that it came, and what it thought of the message.
    expect(await forget(memory.chat, { user: 'bob' })).toBe(3);
    expect(await page(ada)).toEqual([['tea?', '👍: ada']]);
    await ada.say(handle, 'still here');
    followChain(ada.frames, handle, joined.start);
    const stored = await memory.chat.log.store!.read('lobby', { limit: 100, maxBytes: 65_536 });
    const bodies = stored.entries.map(({ body }) => new TextDecoder().decode(body)).join();
    expect(bodies).toContain('👍');
    expect(bodies).not.toMatch(/bob|🎉/);
    await memory.chat.log.close?.();
    expect(checkStore({ directory }).problems).toEqual([]);
  });

  it('outlives a restart, reaches what only the store has, and leaves the text to be found', async () => {
    const directory = dataFolder();
    const first = await chatOf({ log: await openSqliteLog({ directory, reserveBytes: 0 }) });
    const seq = await first.bob.say(first.handle, 'oolong?');
    await first.react(first.ada, seq);
    await first.memory.chat.log.close?.();
    const options: ChatServerOptions = {
      log: await openSqliteLog({ directory, reserveBytes: 0 }),
      retentionEntries: 1,
    };
    const memory = await MemoryChat.open(options);
    const zoe = await memory.enter({ name: 'zoe', features: ['rich'] });
    const { handle } = (await zoe.join('lobby')) as Joined;
    for (let i = 0; i < 3; i++) await zoe.say(handle, 'more');
    expect(memory.chat.rooms.find('lobby')!.log.after(seq - 1)).toBeUndefined();
    await zoe.ask({ op: 'react', room: 'lobby', seq, reaction: '🎉' });
    await zoe.ask({ op: 'react', room: 'lobby', seq, reaction: '👍' });
    expect((await page(zoe))[0]).toEqual(['oolong?', '👍: ada,zoe', '🎉: zoe']);
    const found = async () =>
      (await zoe.ask<{ hits: { snippet: string }[] }>({ op: 'search', query: 'oolong' })).hits;
    while ((await found()).length === 0) await turn();
    expect(await found()).toMatchObject([{ snippet: 'oolong?' }]);
    await memory.chat.log.close?.();
    expect(checkStore({ directory }).problems).toEqual([]);
  });
});
