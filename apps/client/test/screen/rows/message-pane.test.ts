import { describe, expect, it } from 'vitest';
import { entryRows } from '../../../src/screen/rows/entry-rows.js';
import { isAtTop, messagePane, scrollBy } from '../../../src/screen/rows/message-pane.js';
import { rowWidth } from '../../../src/screen/rows/row.js';
import {
  addItems,
  addOlder,
  type Conversation,
  emptyConversation,
} from '../../../src/screen/state/conversation.js';
import { noted, numbered, said, textOf } from '../support/states.js';

const SIZE = { columns: 60, rows: 5 };

function filled(count: number): Conversation {
  return addItems(emptyConversation('lobby'), numbered(count), true);
}

/** The numbers of the messages that are seen, from the top. */
function seen(conversation: Conversation, size = SIZE): number[] {
  return messagePane(conversation, size).rows.flatMap((row) => {
    const number = /message (-?\d+)/.exec(textOf(row))?.[1];
    return number === undefined ? [] : [Number(number)];
  });
}

describe('entryRows', () => {
  it('makes rows of exactly the width, whatever is in them', () => {
    const texts = [
      'plain',
      'x'.repeat(300),
      '漢字'.repeat(50),
      'مرحبا بكم '.repeat(20),
      '🦊'.repeat(99),
      'a\n\nb',
      'हिन्दी '.repeat(9),
    ];
    for (const columns of [16, 40, 55, 56, 80, 200]) {
      for (const text of texts) {
        for (const name of ['bob', '漢字太郎漢字太郎', 'محمد', '🦊🦊🦊🦊🦊🦊🦊🦊🦊']) {
          for (const row of entryRows(said(name, text), columns))
            expect(rowWidth(row), `${columns} ${text}`).toBe(columns);
        }
      }
    }
  });

  it('gives names a column of their own where there is room', () => {
    expect(textOf(entryRows(said('bob', 'hello'), 60)[0]!)).toMatch(/^12:00 {12}bob │ hello +$/);
    expect(textOf(entryRows(said('bob', 'hello'), 40)[0]!)).toMatch(/^12:00 bob: hello +$/);
  });

  it('cuts a text that would fill the screen many times, and says so', () => {
    const rows = entryRows(said('mallory', 'x\n'.repeat(30_000)), 60);
    expect(rows).toHaveLength(60);
    expect(textOf(rows.at(-1)!)).toContain('cut: 30000 characters in all');
  });

  it('shows what waits, what failed and why', () => {
    expect(textOf(entryRows(said('ada', 'hi'), 60, 'pending')[0]!)).toMatch(/^ {2}… .*│ hi/);
    const failed = entryRows(said('ada', 'hi', { failure: 'too large' }), 60).map(textOf);
    expect(failed[0]).toMatch(/^ {2}✗ .*│ hi/);
    expect(failed[1]).toContain('not sent: too large');
  });

  it('marks notices and problems apart', () => {
    expect(textOf(entryRows(noted('bob has joined'), 60)[0]!)).toContain('* │ bob has joined');
    expect(textOf(entryRows(noted('disconnected', 'problem'), 60)[0]!)).toContain('! │ disconnected');
  });
});

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
    const item = said('ada', 'message 99', { own: true });
    expect(seen({ ...filled(9), pending: [{ key: 1, text: 'x', item }] })).toEqual([5, 6, 7, 8, 99]);
  });

  it('shows part of an entry that is higher than the pane', () => {
    const tall = addItems(emptyConversation('lobby'), [said('bob', '1\n2\n3\n4\n5\n6\n7\n8')], true);
    const digits = (conversation: Conversation) =>
      messagePane(conversation, SIZE).rows.map((row) => textOf(row).trim().at(-1));
    expect(digits(tall)).toEqual(['4', '5', '6', '7', '8']);
    expect(digits(scrollBy(tall, -2, SIZE))).toEqual(['2', '3', '4', '5', '6']);
  });

  it('draws a line where the unread begins', () => {
    const rows = messagePane({ ...filled(4), newFrom: 2 }, SIZE).rows.map(textOf);
    expect(rows[2]).toMatch(/^─+ new ─+$/);
    expect(rows[3]).toContain('message 2');
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
    expect(seen(addItems(up, numbered(50, 20), false))).toEqual(before);
    expect(seen(addOlder(up, numbered(50, -50)))).toEqual(before);
  });

  it('shows the oldest when what was scrolled to is gone', () => {
    const top = scrollBy(filled(20), -100, SIZE);
    const flooded = addItems(top, numbered(30_000, 20), false);
    const oldest = flooded.log.first;
    expect(oldest).toBeGreaterThan(1000);
    expect(seen(flooded)).toEqual([0, 1, 2, 3, 4].map((number) => oldest + number));
  });

  it('does nothing while everything fits', () => {
    const few = filled(3);
    expect(scrollBy(few, -5, SIZE)).toBe(few);
    expect(isAtTop(few, SIZE)).toBe(true);
  });
});
