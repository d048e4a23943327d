import { describe, expect, it } from 'vitest';
import { isAtTop, messagePane, scrollBy } from '../../../src/screen/rows/message-pane.js';
import type { Conversation } from '../../../src/screen/state/conversation.js';
import { came, conversationOf, followed, numbered, said, sending, textOf } from '../support/states.js';

const SIZE = { columns: 60, rows: 5 };

function filled(count: number): Conversation {
  return conversationOf(numbered(count));
}

/** The numbers of the messages that are seen, from the top. */
function seen(conversation: Conversation, size = SIZE): number[] {
  return messagePane(conversation, size).rows.flatMap((row) => {
    const number = /message (-?\d+)/.exec(textOf(row))?.[1];
    return number === undefined ? [] : [Number(number)];
  });
}

describe('messagePane', () => {
  it('shows the newest at the bottom, and little text from the top', () => {
    expect(seen(filled(9))).toEqual([4, 5, 6, 7, 8]);
    expect(messagePane(filled(2), SIZE).rows.map((row) => textOf(row).trim() !== '')).toEqual([
      true,
      true,
      false,
      false,
      false,
    ]);
  });

  it('shows own messages that wait behind the log', () => {
    const outgoing = [sending('message 99')];
    expect(seen(conversationOf(numbered(9), { outgoing }))).toEqual([5, 6, 7, 8, 99]);
  });

  it('shows part of an entry that is higher than the pane', () => {
    const tall = conversationOf([said('bob', '1\n2\n3\n4\n5\n6\n7\n8')]);
    const digits = (conversation: Conversation) =>
      messagePane(conversation, SIZE).rows.map((row) => textOf(row).trim().at(-1));
    expect(digits(tall)).toEqual(['4', '5', '6', '7', '8']);
    expect(digits(scrollBy(tall, -2, SIZE))).toEqual(['2', '3', '4', '5', '6']);
  });

  it('spends no row on what is not seen, and counts it nowhere', () => {
    const items = [came({ own: true }), ...numbered(9), came({ history: true }), came({ own: true })];
    const conversation = conversationOf(items);
    expect(seen(conversation)).toEqual([4, 5, 6, 7, 8]);
    const up = scrollBy(conversation, -3, SIZE);
    expect(seen(up)).toEqual([1, 2, 3, 4, 5]);
    expect(messagePane(up, SIZE).entriesBelow).toBe(3);
    expect(scrollBy(up, 3, SIZE).scroll).toBeUndefined();
    expect(isAtTop(scrollBy(up, -9, SIZE), SIZE)).toBe(true);
  });
});

describe('scrollBy', () => {
  it('scrolls by rows and stops at both ends', () => {
    const start = filled(20);
    const up = scrollBy(start, -3, SIZE);
    expect(seen(up)).toEqual([12, 13, 14, 15, 16]);
    expect(messagePane(up, SIZE).entriesBelow).toBe(3);
    const top = scrollBy(up, -100, SIZE);
    expect(seen(top)).toEqual([0, 1, 2, 3, 4]);
    expect(isAtTop(top, SIZE)).toBe(true);
    expect(scrollBy(top, -1, SIZE)).toBe(top);
    expect(seen(scrollBy(top, 2, SIZE))).toEqual([2, 3, 4, 5, 6]);
    expect(scrollBy(top, 100, SIZE).scroll).toBeUndefined();
  });

  it('stays where it is while entries come and older ones are loaded', () => {
    const up = scrollBy(filled(20), -5, SIZE);
    const before = seen(up);
    const { items } = up.snapshot;
    expect(seen(followed(up, [...items, ...numbered(50, 20)]))).toEqual(before);
    expect(seen(followed(up, [...numbered(50, -50), ...items], { firstIndex: -50 }))).toEqual(before);
    expect(seen(followed(up, items.slice(5), { firstIndex: 5 }))).toEqual(before);
  });

  it('shows the oldest when what was scrolled to is gone', () => {
    const top = scrollBy(filled(20), -100, SIZE);
    const flooded = followed(top, numbered(100, 2000), { firstIndex: 2000 });
    expect(seen(flooded)).toEqual([2000, 2001, 2002, 2003, 2004]);
  });

  it('steps over what is not seen', () => {
    const items = [...numbered(8), came({ own: true }), came({ own: true }), ...numbered(8, 8)];
    const start = conversationOf(items);
    const up = scrollBy(start, -8, SIZE);
    expect(seen(up)).toEqual([3, 4, 5, 6, 7]);
    expect(seen(scrollBy(up, 1, SIZE))).toEqual([4, 5, 6, 7, 8]);
  });

  it('does nothing while everything fits', () => {
    const few = filled(3);
    expect(scrollBy(few, -5, SIZE)).toBe(few);
    expect(isAtTop(few, SIZE)).toBe(true);
  });
});
