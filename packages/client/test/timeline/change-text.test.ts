import { jsonCodec } from '@chat/protocol';
import { describe, expect, it } from 'vitest';
import type { Notice, UnreadableMessage } from '../../src/rooms/entry.js';
import { changeText, withdrawnBy } from '../../src/timeline/change-text.js';
import { EntryList } from '../../src/timeline/entry-list.js';

const member = { id: 2, name: 'ada' };
const info = { room: 'lobby', prev: 0, at: 1, own: false, history: false };
const notice = (more: Partial<Notice>): Notice => ({
  ...info,
  type: 'notice',
  id: 'e-9',
  seq: 9,
  kind: 'changed',
  member,
  oldName: undefined,
  ...more,
});

describe('changeText', () => {
  it.each<[string | undefined, Partial<Notice>]>([
    ['has taken back a message', { kind: 'taken-back', change: { seq: 1, of: member } }],
    [
      'has taken back a message of bob',
      { kind: 'taken-back', change: { seq: 1, of: { id: 3, name: 'bob' } } },
    ],
    ['has edited a message', { kind: 'edited', change: { seq: 1, codec: 1, text: 'x' } }],
    ['has made bob moderator', { change: { role: { name: 'bob', role: 'moderator' } } }],
    [
      'has changed the room: topic: tea, read-only',
      { change: { settings: { topic: 'tea', readOnly: true } } },
    ],
    ['has changed the room: no topic', { change: { settings: {} } }],
    ['did something that this program does not know of', { kind: 'unknown' }],
    [undefined, { kind: 'joined' }],
  ])('says %j', (text, more) => {
    expect(changeText(notice(more))).toBe(text);
  });

  it('knows who has taken back what is left of a message, and of no other', () => {
    const left = { codec: 4, body: jsonCodec.encode({ by: 'ada' }) } as UnreadableMessage;
    expect([withdrawnBy(left), withdrawnBy({ ...left, codec: 3 })]).toEqual(['ada', undefined]);
  });
});

describe('EntryList', () => {
  it('puts right what was edited or taken back, by its place in the log', () => {
    const list = new EntryList<string>(100, (one, other) => one === other);
    const said = { ...info, type: 'message', sender: member, codec: 1 } as const;
    list.add({ ...said, id: 'e-1', seq: 1, value: 'helo' });
    list.add({ ...said, id: 'e-11', seq: 11, value: 'other' });
    const decode = (text: string, codec: number) => (codec === 1 ? text : undefined);
    list.correct(notice({ kind: 'edited', change: { seq: 1, codec: 1, text: 'hello' } }), decode);
    expect(list.items[0]).toMatchObject({ kind: 'message', key: 'e-1', value: 'hello', edited: true });
    // Of another codec, and what is not here: as it was.
    list.correct(notice({ kind: 'edited', change: { seq: 1, codec: 2, text: '"x"' } }), decode);
    list.correct(notice({ kind: 'taken-back', change: { seq: 5, of: member } }), decode);
    expect(list.items).toMatchObject([{ value: 'hello' }, { value: 'other' }]);
    list.correct(notice({ kind: 'taken-back', change: { seq: 1, of: member } }), decode);
    expect(list.items).toMatchObject([{ kind: 'withdrawn', key: 'e-1', by: 'ada' }, { value: 'other' }]);
  });
});
