import { CodecTag, jsonCodec, textCodec } from '@chat/protocol';
import type { Reaction } from '@chat/protocol/frames';
import { describe, expect, it } from 'vitest';
import {
  changeMessage,
  type MessageBody,
  type MessageChange,
  type Reactor,
  reactionsOf,
} from '../../../src/log/messages/change-message.js';

const ada = { id: 2, name: 'ada' };
const bob = { id: 3, name: 'bob' };
const text = (value: string): MessageBody => ({ codec: CodecTag.Text, body: textCodec.encode(value) });
const rich = (value: unknown): MessageBody => ({ codec: CodecTag.Rich, body: jsonCodec.encode(value) });
const shown = (said: MessageBody | undefined): unknown => said && [said.codec, textCodec.decode(said.body)];

function react(
  by: Reactor,
  reaction: string,
  more: { removed?: true; maxBytes?: number } = {},
): MessageChange {
  return { what: 'reacted', by, reaction, maxBytes: 1000, ...more };
}

/** What becomes of it, one change after the other; what changes nothing leaves it as it is. */
const after = (said: MessageBody, ...changes: MessageChange[]): MessageBody =>
  changes.reduce((message, change) => changeMessage(message, change) ?? message, said);

const kinds = (said: MessageBody): unknown =>
  reactionsOf(said)?.map(({ reaction, by }: Reaction) => [reaction, ...by.map(({ name }) => name)]);

describe('changeMessage', () => {
  it('puts reactions below a text, in the order in which they come, each user once', () => {
    const said = after(
      text('tea?'),
      react(ada, '👍'),
      react(bob, '🎉'),
      react(bob, '👍'),
      react(ada, '👍'),
      react({ id: 2, name: 'ada the second' }, '👍'),
    );
    expect(shown(said)).toEqual([
      5,
      '{"text":"tea?","reactions":[{"reaction":"👍","by":[{"id":2,"name":"ada"},{"id":3,"name":"bob"}]},{"reaction":"🎉","by":[{"id":3,"name":"bob"}]}]}',
    ]);
    expect(changeMessage(said, react(bob, '🎉'))).toBeUndefined();
  });

  it('takes away what its user takes back, and is the message from before with the last one', () => {
    const said = after(text('tea?'), react(ada, '👍'), react(bob, '👍'), react(bob, '🎉'));
    const less = after(said, react(ada, '👍', { removed: true }), react(bob, '🎉', { removed: true }));
    expect(kinds(less)).toEqual([['👍', 'bob']]);
    expect(changeMessage(less, react(ada, '👍', { removed: true }))).toBeUndefined();
    expect(changeMessage(less, react(ada, '🦆', { removed: true }))).toBeUndefined();
    expect(shown(after(less, react(bob, '👍', { removed: true })))).toEqual([1, 'tea?']);
    const answer = after(rich({ text: 'yes', reply: 7 }), react(ada, '👍'));
    expect(shown(after(answer, react(ada, '👍', { removed: true })))).toEqual([
      5,
      '{"text":"yes","reply":7}',
    ]);
  });

  it('knows an account under another id, and the program by its name', () => {
    const back = { id: 9, name: 'ada', account: 'ada' };
    expect(changeMessage(after(text('x'), react(ada, '👍')), react(back, '👍'))).toBeUndefined();
    // Another guest of that name is another user.
    expect(kinds(after(text('x'), react(ada, '👍'), react({ id: 9, name: 'ada' }, '👍')))).toEqual([
      ['👍', 'ada', 'ada'],
    ]);
    const bot = { id: 0, name: 'bot' };
    expect(
      kinds(after(text('x'), react(bot, '👍'), react({ id: 0, name: 'news' }, '👍'), react(bot, '👍'))),
    ).toEqual([['👍', 'bot', 'news']]);
  });

  it('leaves a message as it is that would be too long, but always takes away', () => {
    const maxBytes = '{"text":"x","reactions":[{"reaction":"👍","by":[{"id":2,"name":"ada"}]}]}'.length + 2;
    const said = after(text('x'), react(ada, '👍', { maxBytes }));
    expect(kinds(said)).toEqual([['👍', 'ada']]);
    expect(changeMessage(text('x'), react(ada, '👍', { maxBytes: maxBytes - 1 }))).toBeUndefined();
    expect(shown(changeMessage(said, react(ada, '👍', { removed: true, maxBytes: 0 })))).toEqual([1, 'x']);
  });

  it('keeps reactions when the text is edited, unless both are too long or it is a text no more', () => {
    const said = after(text('tee?'), react(ada, '👍'));
    const edited = { what: 'edited', codec: CodecTag.Text, text: 'tea?' } as const;
    expect(kinds(after(said, edited))).toEqual([['👍', 'ada']]);
    expect(shown(after(said, { ...edited, reply: 4, maxBytes: 30 }))).toEqual([
      5,
      '{"text":"tea?","reply":4}',
    ]);
    expect(shown(after(said, { ...edited, codec: CodecTag.Json, text: '{}' }))).toEqual([2, '{}']);
  });

  it('leaves nothing of what was taken back, and nothing can be put below it, or below what is no text', () => {
    const gone = after(text('tea?'), react(ada, '👍'), { what: 'taken-back', by: 'bob' });
    expect(shown(gone)).toEqual([4, '{"by":"bob"}']);
    for (const said of [gone, { codec: CodecTag.Json, body: jsonCodec.encode({}) }, rich('none')]) {
      expect(changeMessage(said, react(ada, '👍'))).toBeUndefined();
      expect(reactionsOf(said)).toBeUndefined();
    }
    expect(reactionsOf(text('x'))).toEqual([]);
  });

  it('comes to the same where changes are applied once more to what came of them', () => {
    const changes = [react(ada, '👍'), react(bob, '👍'), react(ada, '👍', { removed: true })];
    const once = after(text('x'), ...changes);
    expect(shown(after(once, ...changes))).toEqual(shown(once));
  });
});
