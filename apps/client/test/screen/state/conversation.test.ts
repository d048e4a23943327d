import { describe, expect, it } from 'vitest';
import {
  addItems,
  addOlder,
  emptyConversation,
  type Pending,
  spokenItem,
  turnTo,
} from '../../../src/screen/state/conversation.js';
import { append, endOf, entryAt, MAX_ENTRIES, prepend } from '../../../src/screen/state/scrollback.js';
import { NOON, noted, numbered, said } from '../support/states.js';

const DAY_MS = 24 * 60 * 60 * 1000;

function waiting(key: number, text: string): Pending {
  return { key, text, item: said('ada', text, { own: true }) };
}

describe('addItems', () => {
  it('counts what was said and not seen, and marks where it begins', () => {
    const read = addItems(emptyConversation('lobby'), [said('bob', 'seen')], true);
    const unread = addItems(read, [noted('carol has joined'), said('bob', 'one'), said('bob', 'two')], false);
    expect(unread).toMatchObject({ unread: 2, mentioned: false, newFrom: 2 });
    expect(turnTo(unread)).toMatchObject({ unread: 0, newFrom: 2 });
  });

  it('does not count notices nor own messages', () => {
    const own = said('ada', 'me', { own: true });
    expect(addItems(emptyConversation('lobby'), [own, noted('x')], false).unread).toBe(0);
  });

  it('tells when this user is spoken of, as a word of its own', () => {
    const mentions = (text: string) =>
      spokenItem({ at: NOON, name: 'bob', own: false, text }, { me: 'ada' }).mentions;
    expect(['Ada: hi', 'hi ada!', 'ada'].map(mentions)).toEqual([true, true, true]);
    expect(['adapter', 'canada', 'hello'].map(mentions)).toEqual([false, false, false]);
    expect(addItems(emptyConversation('lobby'), [said('bob', 'ada?')], false).mentioned).toBe(true);
    expect(addItems(emptyConversation('@bob'), [said('bob', 'psst')], false).mentioned).toBe(true);
  });

  it('replaces the oldest message of the same text that waits, when the log brings it', () => {
    const before = {
      ...emptyConversation('lobby'),
      pending: [waiting(1, 'hi'), waiting(2, 'ho'), waiting(3, 'hi')],
    };
    const after = addItems(before, [said('ada', 'hi', { own: true })], true);
    expect(after.pending.map(({ key }) => key)).toEqual([2, 3]);
    expect(addItems(before, [said('ada', 'hi')], true).pending).toHaveLength(3);
  });

  it('says when another day begins', () => {
    const days = addItems(
      emptyConversation('lobby'),
      [said('bob', 'a'), said('bob', 'b', { at: NOON + DAY_MS })],
      true,
    );
    expect(days.log.items.map(({ type }) => type)).toEqual(['spoken', 'day', 'spoken']);
  });
});

describe('addOlder', () => {
  it('puts entries before the first without moving the others', () => {
    const before = addItems(emptyConversation('lobby'), numbered(3, 10), true);
    const after = addOlder(before, numbered(2, 8));
    expect(after.log.first).toBe(-2);
    expect(entryAt(after.log, 0)).toBe(before.log.items[0]);
  });
});

describe('Scrollback', () => {
  it('keeps a bounded number of entries, each under its index', () => {
    let log = append({ first: 0, items: [] as readonly number[] }, []);
    for (let from = 0; from < 30_000; from += 100) {
      log = append(
        log,
        Array.from({ length: 100 }, (_, index) => from + index),
      );
      expect(log.items.length).toBeLessThanOrEqual(MAX_ENTRIES + 500);
    }
    expect(endOf(log)).toBe(30_000);
    expect(entryAt(log, 29_999)).toBe(29_999);
    expect(entryAt(log, 0)).toBeUndefined();
    expect(log.items.length).toBeGreaterThanOrEqual(MAX_ENTRIES);
  });

  it('loads no older entries than there is room for', () => {
    const full = { first: 0, items: Array.from({ length: MAX_ENTRIES - 1 }, (_, index) => index) };
    expect(prepend(full, [-2, -1])).toMatchObject({ first: -1, items: expect.arrayContaining([-1]) });
    expect(prepend(prepend(full, [-1]), [-2]).first).toBe(-1);
  });
});
