import { createChatServer } from '@chat/server';
import { expect, it } from 'vitest';
import { sumOfStats } from '../../src/api/sum-of-stats.js';

it('figures of several processes add up, but for what each of them has whole', () => {
  const none = createChatServer().stats();
  const one = { ...none, sessions: 2, rooms: 5, messagesIn: 10, closes: new Map([[1, 2]]) };
  const other = {
    ...none,
    sessions: 3,
    rooms: 4,
    messagesIn: 1,
    closes: new Map([
      [1, 1],
      [7, 1],
    ]),
  };
  const sum = {
    ...none,
    sessions: 5,
    rooms: 5,
    messagesIn: 11,
    closes: new Map([
      [1, 3],
      [7, 1],
    ]),
  };
  expect(sumOfStats([one, other])).toEqual(sum);
  expect(one.closes).toEqual(new Map([[1, 2]]));
});
