import type { HistoryOptions, HistoryPage, RoomEntry } from '@chat/client';
import { describe, expect, it } from 'vitest';
import { Excerpt } from '../../src/model/excerpt.js';

const ALL = 100;

function entry(seq: number): RoomEntry {
  return {
    type: 'message',
    room: 'lobby',
    id: `e-${seq}`,
    seq,
    prev: seq - 1,
    at: seq,
    own: seq % 2 === 0,
    history: true,
    sender: { id: 2, name: 'Grace' },
    value: `message ${seq}`,
    codec: 1,
  };
}

/** A room of a hundred messages. */
const room = {
  async history(options: HistoryOptions): Promise<HistoryPage<string>> {
    const { before, after, limit = 0 } = options;
    const last = after === undefined ? before! - 1 : Math.min(ALL, after + limit);
    const first = after === undefined ? Math.max(1, before! - limit) : after + 1;
    const entries = Array.from({ length: last - first + 1 }, (_, i) => entry(first + i));
    return { entries, end: after === undefined ? first === 1 : last === ALL };
  },
};

const around = (seq: number): Excerpt =>
  new Excerpt(
    room,
    { id: `e-${seq}`, room: 'lobby', seq, at: seq, sender: { id: 2, name: 'Grace' }, snippet: '', marks: [] },
    () => {},
  );

const keys = ({ items }: Excerpt): string[] => items.map(({ key }) => key);
const range = (from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, i) => `e-${from + i}`);

describe('Excerpt', () => {
  it('begins around its message, and grows to both ends without one twice or left out', async () => {
    const excerpt = around(50);
    await excerpt.open();
    expect(keys(excerpt)).toEqual(range(11, 90));
    expect(excerpt).toMatchObject({ atStart: false, atEnd: false, isLoading: false });
    await excerpt.loadNewer();
    expect(keys(excerpt)).toEqual(range(11, 100));
    await excerpt.loadOlder();
    expect(keys(excerpt)).toEqual(range(1, 100));
    expect(excerpt).toMatchObject({ atStart: true, atEnd: true });
  });

  it('says why a page cannot be had, and keeps what it has', async () => {
    const excerpt = around(50);
    await excerpt.open();
    const { history } = room;
    room.history = () => Promise.reject(new Error('no connection'));
    await excerpt.loadOlder();
    room.history = history;
    expect(excerpt).toMatchObject({ problem: 'no connection', isLoading: false });
    expect(keys(excerpt)).toEqual(range(11, 90));
    await excerpt.loadOlder();
    expect(excerpt.problem).toBeUndefined();
  });
});
