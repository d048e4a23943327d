/** Lines of an export become rooms, inboxes by the names of their owners, and the words that observers write down. */
import { NoticeKind } from '@chat/protocol/frames';
import { expect, it } from 'vitest';
import { truthOf } from './export.js';

it('reads rooms and inboxes, and leaves claims out', () => {
  const entry = { codec: 1, kind: 0, publishId: 1, at: '2026-01-01T00:00:00.000Z' };
  const lines = [
    { chat: 1, state: {} },
    { ...entry, seq: 1, type: 'claim', kind: 1, sender: 0, name: 'ada', body: '{}' },
    { ...entry, seq: 2, type: 'claim', kind: 1, sender: 0, name: 'bob', body: '{}' },
    {
      ...entry,
      seq: 3,
      type: 'notice',
      room: 'lobby',
      kind: NoticeKind.Joined,
      sender: 1,
      name: 'ada',
      body: '',
    },
    { ...entry, seq: 4, type: 'message', room: 'lobby', sender: 1, name: 'ada', body: 'hello' },
    { ...entry, seq: 5, type: 'message', inbox: '2', sender: 1, name: 'ada', body: 'psst' },
  ].map((line) => JSON.stringify(line));
  expect([...truthOf([...lines, ''])]).toEqual([
    [
      'lobby',
      [
        { seq: 3, words: '* ada joined' },
        { seq: 4, words: 'ada: hello', message: { author: 'ada', text: 'hello' } },
      ],
    ],
    ['@bob', [{ seq: 5, words: 'ada: psst', message: { author: 'ada', text: 'psst' } }]],
  ]);
});
