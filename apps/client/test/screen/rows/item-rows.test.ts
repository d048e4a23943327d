import { describe, expect, it } from 'vitest';
import { rowsAt } from '../../../src/screen/rows/item-rows.js';
import { rowWidth } from '../../../src/screen/rows/row.js';
import type { ScreenItem } from '../../../src/screen/rows/shown-item.js';
import { came, conversationOf, NOON, noted, said, sending, textOf } from '../support/states.js';

const DAY_MS = 24 * 60 * 60 * 1000;

/** The rows at the place `index`, as text. */
function textAt(content: Parameters<typeof rowsAt>[0], index: number): string[] {
  return rowsAt(content, index, 60)!.map(textOf);
}

describe('rowsAt', () => {
  it('makes the rows of an item once, and anew for another width', () => {
    const conversation = conversationOf([said('bob', 'hello')]);
    const rows = rowsAt(conversation, 0, 60)!;
    expect(rowsAt(conversationOf(conversation.snapshot.items), 0, 60)).toBe(rows);
    expect(rowWidth(rowsAt(conversation, 0, 80)![0]!)).toBe(80);
  });

  it('finds items by their index, own messages on their way behind them, and else nothing', () => {
    const failed = sending('gone', 'failed', new Error('too large'));
    const items = [said('bob', 'a'), said('bob', 'b')];
    const conversation = conversationOf(items, { firstIndex: 7, outgoing: [sending('c'), failed] });
    expect(textAt(conversation, 8)[0]).toContain('bob │ b');
    expect(textAt(conversation, 9)[0]).toMatch(/^ {2}… .*ada │ c/);
    expect(textAt(conversation, 10)[0]).toMatch(/^ {2}✗ .*ada │ gone/);
    expect(textAt(conversation, 10).slice(1).join('')).toContain('not sent: too large');
    for (const index of [6, 11, -1]) expect(rowsAt(conversation, index, 60)).toBeUndefined();
  });

  it('shows whom an item answers, as that is now, and who reacts to it', () => {
    const asked = said('bob', 'tee?') as Extract<ScreenItem, { kind: 'message' }>;
    const reactions = [{ reaction: '👍', by: [{ id: 2, name: 'bob' }] }];
    const answer: ScreenItem = { ...asked, key: 'a', seq: 900, value: 'yes', reply: asked.seq, reactions };
    const rows = textAt(conversationOf([asked, answer]), 1).map((row) => row.trim());
    expect(rows).toEqual(['│ > bob: tee?', expect.stringMatching(/bob │ yes$/), '│ 👍 bob']);
    expect(textAt(conversationOf([{ ...asked, value: 'tea?' }, answer]), 1)[0]).toContain('> bob: tea?');
    expect(textAt(conversationOf([answer]), 0)[0]).toContain('> an earlier message');
  });

  it('draws a line where the unread begin', () => {
    const items = [said('bob', 'a'), said('bob', 'b')];
    const rows = textAt(conversationOf(items, { firstUnread: items[1]!.key }), 1);
    expect(rows[0]).toMatch(/^─+ new ─+$/);
    expect(rows[1]).toContain('bob │ b');
  });

  it('says when another day begins, also behind what is not seen and what has no time', () => {
    const gap: ScreenItem = {
      kind: 'gap',
      key: 'g',
      gap: { type: 'gap', room: 'lobby', reason: 'skipped', from: 1, to: 2 },
    };
    const items = [
      said('bob', 'a'),
      gap,
      came({ own: true, at: NOON + DAY_MS }),
      said('bob', 'b', { at: NOON + DAY_MS }),
      said('bob', 'c', { at: NOON + DAY_MS }),
    ];
    const conversation = conversationOf(items);
    const lengths = items.map((_, index) => rowsAt(conversation, index, 120)!.length);
    expect(lengths).toEqual([1, 1, 0, 2, 1]);
    expect(textAt(conversation, 3)[0]).toContain(new Date(NOON + DAY_MS).toDateString());
    expect(textAt(conversation, 1)[0]).toContain('may be missing here');
  });

  it('says where the beginning is to a user who went there, while it is here', () => {
    const conversation = conversationOf([came({ own: true }), noted('x')], { atStart: true });
    expect(textAt(conversation, 0)).toEqual([]);
    expect(textAt({ ...conversation, beginning: true }, 0)[0]).toContain('this is the beginning');
    const gone = conversationOf([came({ own: true })], { atStart: false });
    expect(textAt({ ...gone, beginning: true }, 0)).toEqual([]);
  });

  it('names this user in own messages that came back without a sender', () => {
    const conversation = conversationOf([said('', 'behind a gap', { own: true })]);
    expect(textAt(conversation, 0)[0]).toContain('ada │ behind a gap');
  });
});
