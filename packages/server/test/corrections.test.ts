/** Messages that are edited or taken back: what is left of them on the wire, in the pages and in the store. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { FailureCode } from '@chat/protocol';
import { type Entry, FrameType, NoticeKind } from '@chat/protocol/frames';
import { describe, expect, it } from 'vitest';
import type { ChatServerOptions } from '../src/options/options.js';
import { moderate } from '../src/server/program/moderate.js';
import { openSqliteLog } from '../src/sqlite/index.js';
import { checkStore } from '../src/sqlite/tools/check.js';
import { exportStore } from '../src/sqlite/tools/transfer.js';
import { MemoryChat, type MemoryClient } from './support/memory-chat.js';
import { dataFolder } from './support/sqlite/folder.js';
import { turn } from './support/turn.js';
import { followChain } from './support/wire-client.js';

const SECRET = 'xyzzy-plugh-secret';
const text = ({ body }: Entry): string => new TextDecoder().decode(body);
/** Messages of a page, by codec and text. */
const said = (entries: readonly Entry[]): (readonly [number, string])[] =>
  entries.flatMap((entry) => (entry.type === FrameType.Message ? [[entry.codec, text(entry)] as const] : []));

async function chatOf(
  options: ChatServerOptions = {},
): Promise<{ memory: MemoryChat; ada: MemoryClient; bob: MemoryClient; handle: number; start: number }> {
  const memory = await MemoryChat.open({ idleTimeoutMs: 36_000_000, ...options });
  const [ada, bob] = [await memory.enter('ada'), await memory.enter('bob')];
  const { handle } = await ada.join('lobby');
  const { start } = await bob.join('lobby');
  return { memory, ada, bob, handle, start };
}

describe('a message that is taken back by its sender', () => {
  it('is gone from the pages, and those who have it are told', async () => {
    const { ada, bob, handle, start } = await chatOf();
    await ada.say(handle, 'before');
    const seq = await ada.say(handle, SECRET);
    await ada.say(handle, 'after');
    expect(await ada.ask({ op: 'take-back', room: 'lobby', seq })).toEqual({});
    await ada.say(handle, 'last');
    await turn();
    // It had been sent; what comes behind it joins on.
    expect(bob.texts(handle)).toEqual(['before', SECRET, 'after', 'last']);
    const notice = bob.entries(handle).find(({ type, seq: at }) => type === FrameType.Notice && at > seq)!;
    expect([(notice as { kind: number }).kind, JSON.parse(text(notice))]).toEqual([
      NoticeKind.TakenBack,
      { seq, of: { id: ada.welcome!.member.id, name: 'ada' } },
    ]);
    followChain(bob.frames, handle, start);
    const { entries } = await bob.history('lobby');
    expect(said(entries)).toEqual([
      [1, 'before'],
      [4, '{"by":"ada"}'],
      [1, 'after'],
      [1, 'last'],
    ]);
    expect(JSON.stringify(entries.map(text))).not.toContain(SECRET);
  });

  it('reaches those who had not read it without its text', async () => {
    const { ada, bob, handle, start } = await chatOf();
    bob.pipe.pause();
    await ada.say(handle, 'x'.repeat(100));
    await turn();
    const seq = await ada.say(handle, SECRET);
    await ada.ask({ op: 'take-back', room: 'lobby', seq });
    await ada.say(handle, 'last');
    bob.pipe.resume();
    await turn(2);
    followChain(bob.frames, handle, start);
    expect(bob.texts(handle).at(-1)).toBe('last');
    expect(bob.texts(handle)).not.toContain(SECRET);
  });

  it('is told in lines', async () => {
    const { memory, ada, handle } = await chatOf();
    const nc = memory.connectLine();
    nc.send('nc\n');
    await turn(2);
    const seq = await ada.say(handle, 'oops');
    await ada.ask({ op: 'edit', room: 'lobby', seq, text: 'better\nnow' });
    await ada.ask({ op: 'take-back', room: 'lobby', seq });
    await turn();
    expect(nc.text()).toContain(
      'ada: oops\n*** ada has edited a message: better\n*** ada has edited a message: now\n*** ada has taken back a message\n',
    );
  });
});

describe('a message that is edited', () => {
  it('has its new text in its old place', async () => {
    const { ada, bob, handle } = await chatOf();
    const seq = await ada.say(handle, 'helo');
    await ada.say(handle, 'more');
    await ada.ask({ op: 'edit', room: 'lobby', seq, text: 'hello, world' });
    const { entries } = await bob.history('lobby');
    expect(said(entries)).toEqual([
      [1, 'hello, world'],
      [1, 'more'],
    ]);
    expect(entries.find((entry) => entry.seq === seq)).toMatchObject({
      name: 'ada',
      type: FrameType.Message,
    });
  });

  it('passes the hook that looks at messages, and the limit of their size', async () => {
    const { ada, handle } = await chatOf({
      hooks: {
        onMessage: ({ body }) =>
          new TextDecoder().decode(body).includes('spam') ? { reject: 'no spam' } : undefined,
      },
    });
    const seq = await ada.say(handle, 'x');
    const edit = (to: string, codec?: number) =>
      ada.request({ op: 'edit', room: 'lobby', seq, text: to, ...(codec ? { codec } : {}) });
    expect(await edit('spam')).toMatchObject({ failure: { code: FailureCode.Rejected } });
    expect(await edit('x'.repeat(65_430))).toMatchObject({ failure: { code: FailureCode.TooLarge } });
    expect(await edit('{', 2)).toMatchObject({ failure: { code: FailureCode.BadRequest } });
    expect(await edit('x', 7)).toMatchObject({ failure: { code: FailureCode.BadRequest } });
    expect(await edit('{"a":1}', 2)).toMatchObject({ response: {} });
  });
});

describe('a message of somebody else', () => {
  it('is taken back by a moderator at any time, edited by nobody, and the record says so', async () => {
    const { memory, ada, bob, handle } = await chatOf();
    const seq = await ada.say(handle, SECRET);
    const takeBack = { op: 'take-back', room: 'lobby', seq } as const;
    expect(await bob.request(takeBack)).toMatchObject({ failure: { code: FailureCode.Forbidden } });
    await moderate(memory.chat.moderation, { op: 'role', user: 'bob', role: 'moderator' }, {});
    const edit = { op: 'edit', room: 'lobby', seq, text: 'x' } as const;
    expect(await bob.request(edit)).toMatchObject({ failure: { code: FailureCode.Forbidden } });
    memory.clock.advance(3_600_000);
    await bob.ask(takeBack);
    expect(said((await ada.history('lobby')).entries)).toEqual([[4, '{"by":"bob"}']]);
    expect(memory.log.lines.at(-1)!.message).toBe('bob has taken back a message of ada in lobby');
    // There is nothing left to be taken back, and what is no message is not.
    for (const none of [seq, seq - 1, 9999])
      expect(await bob.request({ ...takeBack, seq: none })).toMatchObject({
        failure: { code: FailureCode.NoSuchMessage },
      });
    const nack = await ada.answerTo(ada.publish(handle, '{"by":"bob"}', 4));
    expect(nack).toMatchObject({ failure: { code: FailureCode.Forbidden } });
  });
});

describe('in a stored chat', () => {
  it('the text is gone from the file, its export and what is found, and who took it back is there', async () => {
    const directory = dataFolder();
    const log = await openSqliteLog({ directory, reserveBytes: 0 });
    const { memory, ada, bob, handle } = await chatOf({ log });
    const seq = await ada.say(handle, SECRET);
    const typo = await ada.say(handle, 'the wrongword here');
    while ((await found(bob, 'wrongword')).length === 0) await turn();
    await ada.ask({ op: 'take-back', room: 'lobby', seq });
    await ada.ask({ op: 'edit', room: 'lobby', seq: typo, text: 'the rightword here' });
    while ((await found(bob, 'rightword')).length === 0) await turn();
    expect(await found(bob, 'xyzzy')).toEqual([]);
    expect(await found(bob, 'wrongword')).toEqual([]);
    await memory.chat.close();
    for (const file of ['chat.sqlite', 'chat.sqlite-wal'])
      expect(read(join(directory, file))).not.toContain('xyzzy');
    expect(checkStore({ directory })).toMatchObject({ problems: [], isStateProven: true });
    const exported = [...exportStore({ directory })].map((line) => JSON.stringify(line)).join('\n');
    expect(exported).not.toContain('xyzzy');
    expect(exported).toMatch(/by[\\"]+:[\\"]+ada/);
    const again = await MemoryChat.open({ log: await openSqliteLog({ directory, reserveBytes: 0 }) });
    const zoe = await again.enter('zoe');
    await zoe.join('lobby');
    expect(said((await zoe.history('lobby')).entries)).toEqual([
      [4, '{"by":"ada"}'],
      [1, 'the rightword here'],
    ]);
    await again.chat.close();
  });
});

async function found(client: MemoryClient, query: string): Promise<string[]> {
  const { hits } = await client.ask<{ hits: { snippet: string }[] }>({ op: 'search', query, room: 'lobby' });
  return hits.map(({ snippet }) => snippet);
}

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
