/** From whom users take no direct messages: the sender is told, and it holds for all sessions of both. */
import { CloseCode, FailureCode } from '@chat/protocol';
import { FrameType } from '@chat/protocol/frames';
import { describe, expect, it } from 'vitest';
import { MAX_BLOCKS } from '../src/log/state/rules.js';
import { MemoryChat, type MemoryClient } from './support/memory-chat.js';
import { turn } from './support/turn.js';

/** Ada and Bob with accounts, and eve without; whose name has a capital has one. */
async function open() {
  const memory = await MemoryChat.open({
    hooks: {
      authenticate: (_credentials, { name }) => ({ ok: true, ...(/^[A-Z]/.test(name) ? { name } : {}) }),
    },
  });
  const [ada, bob, eve] = [await memory.enter('Ada'), await memory.enter('Bob'), await memory.enter('eve')];
  return { memory, ada, bob, eve };
}

const blocksOf = async (client: MemoryClient): Promise<string[]> => {
  const { blocks } = await client.ask<{ blocks: { user: string }[] }>({ op: 'blocks' });
  return blocks.map(({ user }) => user);
};
const whisper = async (client: MemoryClient, to: string): Promise<string> => {
  const answer = await client.answerTo(client.whisper(to, 'psst'));
  return answer.type === FrameType.Ack ? 'taken' : answer.failure.code;
};
const REFUSED = FailureCode.Forbidden;
const bye = { type: FrameType.Close, code: CloseCode.Normal, retryAfterMs: 0, reason: '' } as const;

describe('a user who is blocked', () => {
  it('is told so, and nobody else is, until that is over', async () => {
    const { ada, bob, eve } = await open();
    expect(await ada.ask({ op: 'block', user: 'bob' })).toEqual({});
    const refused = await bob.answerTo(bob.whisper('Ada', 'psst'));
    const message = 'Ada takes no direct messages from you';
    expect(refused).toMatchObject({ failure: { code: REFUSED, message } });
    expect([await whisper(eve, 'Ada'), await whisper(ada, 'Bob')]).toEqual(['taken', 'taken']);
    expect(await blocksOf(ada)).toEqual(['Bob']);
    expect(await ada.ask({ op: 'unblock', user: 'BOB' })).toEqual({});
    expect([await whisper(bob, 'Ada'), await blocksOf(ada)]).toEqual(['taken', []]);
  });

  it('is so for every session of both, and those that come later', async () => {
    const { memory, ada, bob } = await open();
    const other = await memory.enter('Bob');
    await ada.ask({ op: 'block', user: 'Bob' });
    expect(await whisper(other, 'Ada')).toBe(REFUSED);
    ada.send(bye);
    await turn();
    const again = await memory.enter('Ada');
    expect([await whisper(bob, 'Ada'), await blocksOf(again)]).toEqual([REFUSED, ['Bob']]);
  });

  it('may be one that is not here', async () => {
    const { memory, ada } = await open();
    await ada.ask({ op: 'block', user: 'Carol' });
    const carol = await memory.enter('Carol');
    expect([await whisper(carol, 'Ada'), await whisper(carol, 'Bob')]).toEqual([REFUSED, 'taken']);
  });

  it('is not let through by another name: a guest goes on being the session, and the look of its name', async () => {
    const { memory, ada, eve } = await open();
    await ada.ask({ op: 'block', user: 'eve' });
    await eve.ask({ op: 'rename', name: 'mallory' });
    const second = await memory.enter('EVE');
    expect([await whisper(eve, 'Ada'), await whisper(second, 'Ada')]).toEqual([REFUSED, REFUSED]);
    await ada.ask({ op: 'unblock', user: 'eve' });
    expect([await whisper(eve, 'Ada'), await whisper(second, 'Ada')]).toEqual(['taken', 'taken']);
  });

  it('is so at its place in the log, also where the sender asked before', async () => {
    const { memory, ada, bob } = await open();
    const { rules } = memory.chat;
    // The check before the log does not see it yet.
    const blocks = rules.blocks.bind(rules);
    let asked = 0;
    rules.blocks = (...question) => asked++ > 0 && blocks(...question);
    await ada.ask({ op: 'block', user: 'Bob' });
    expect(await whisper(bob, 'Ada')).toBe(REFUSED);
    expect(asked).toBe(2);
    await turn();
    expect(ada.texts(ada.welcome!.inbox.handle)).toEqual([]);
  });

  it('is forgotten with a guest who has blocked it', async () => {
    const { memory, bob, eve } = await open();
    await eve.ask({ op: 'block', user: 'Bob' });
    expect(await whisper(bob, 'eve')).toBe(REFUSED);
    eve.send(bye);
    await turn();
    expect(memory.chat.rules.isEmpty).toBe(true);
  });

  it('is one of so many, and no more', async () => {
    const { memory, ada } = await open();
    for (let n = 0; n < MAX_BLOCKS; n++) {
      await ada.ask({ op: 'block', user: `user${n}x` });
      memory.clock.advance(100);
    }
    expect(await ada.request({ op: 'block', user: 'Bob' })).toMatchObject({
      failure: { code: FailureCode.TooLarge, max: MAX_BLOCKS },
    });
    expect(await ada.ask({ op: 'block', user: 'user7x' })).toEqual({});
    expect(await blocksOf(ada)).toHaveLength(MAX_BLOCKS);
  });

  it.each([
    [{ op: 'block', user: 'Ada' }, FailureCode.BadRequest],
    [{ op: 'block', user: 'a:b' }, FailureCode.NameInvalid],
    [{ op: 'unblock', user: 'Bob' }, FailureCode.NoSuchUser],
    [{ op: 'unblock', user: '' }, FailureCode.NameInvalid],
  ] as const)('%j is answered with %s', async (request, code) => {
    const { ada } = await open();
    expect(await ada.request(request)).toMatchObject({ failure: { code } });
  });
});
