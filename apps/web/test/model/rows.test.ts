import type { Notice } from '@chat/client';
import type { MessageItem, NoticeItem, OutgoingItem, TimelineItem } from '@chat/client/timeline';
import { describe, expect, it } from 'vitest';
import { layOut, summarize } from '../../src/model/rows.js';

const NOON = new Date('2026-03-10T12:00:00').getTime();
const MINUTE_MS = 60_000;

let count = 0;
function message(name: string, minutes: number, more: Partial<MessageItem> = {}): MessageItem {
  const key = `m${++count}`;
  const sender = { id: 1, name };
  const at = NOON + minutes * MINUTE_MS;
  return {
    kind: 'message',
    key,
    id: key,
    seq: count,
    at,
    sender,
    value: 'x',
    own: false,
    history: false,
    ...more,
  };
}

function notice(kind: Notice['kind'], name: string, oldName?: string): NoticeItem {
  const info = { id: 'e-1', seq: 1, prev: 0, at: NOON, own: false, history: false, room: 'lobby' };
  const member = { id: 1, name };
  return {
    kind: 'notice',
    key: `n${++count}`,
    at: NOON,
    notice: { ...info, type: 'notice', kind, member, oldName },
  };
}

function rows(items: readonly TimelineItem[], more: Partial<Parameters<typeof layOut>[1]> = {}): string[] {
  return layOut(items, { outgoing: [], ownName: 'Ada', firstUnread: undefined, ...more }).map((row) =>
    'head' in row && row.head ? `${row.kind}, head` : row.kind,
  );
}

describe('layOut', () => {
  it('quotes what a message answers: as it is now, taken back, or not here', () => {
    const [tea, milk] = [message('Ada', 0), message('Bob', 1)];
    const gone: TimelineItem = {
      ...{ kind: 'withdrawn', key: 'w', seq: milk.seq, at: NOON, by: 'Bob' },
      sender: milk.sender,
    };
    const answers = [tea.seq, milk.seq, 99_999].map((reply) => message('Eve', 2, { reply }));
    const quotes = layOut([tea, gone, ...answers], {
      outgoing: [],
      ownName: 'Ada',
      firstUnread: undefined,
    }).flatMap((row) => (row.kind === 'message' && row.quote ? [row.quote.item] : []));
    expect(quotes).toEqual([tea, gone, undefined]);
  });

  it('puts messages of one person together, until somebody else speaks or time goes by', () => {
    expect(
      rows([
        message('Ada', 0),
        message('Ada', 4),
        message('Ada', 10),
        message('Bob', 10),
        message('Bob', 11),
      ]),
    ).toEqual(['day', 'message, head', 'message', 'message, head', 'message, head', 'message']);
  });

  it('names each day', () => {
    expect(rows([message('Ada', 0), message('Ada', 24 * 60), message('Ada', 24 * 60 + 1)])).toEqual([
      'day',
      'message, head',
      'day',
      'message, head',
      'message',
    ]);
  });

  it('puts comings and goings in one line', () => {
    const items = [notice('joined', 'Bob'), notice('left', 'Bob'), message('Ada', 0), notice('joined', 'Cy')];
    expect(rows(items)).toEqual(['day', 'notices', 'message, head', 'notices']);
  });

  it('marks where the unread ones begin', () => {
    const unread = message('Bob', 1);
    expect(rows([message('Bob', 0), unread], { firstUnread: unread.key })).toEqual([
      'day',
      'message, head',
      'unread',
      'message, head',
    ]);
  });

  it('puts what is on its way at the end, together with own messages before it', () => {
    const waiting: OutgoingItem = {
      ...{ key: 'own:1', value: 'x', at: NOON + MINUTE_MS, error: undefined },
      status: 'waiting',
    };
    expect(rows([message('Ada', 0, { own: true })], { outgoing: [waiting] })).toEqual([
      'day',
      'message, head',
      'outgoing',
    ]);
  });

  it('gives each line a key of its own', () => {
    const items = [
      message('Ada', 0),
      notice('joined', 'Bob'),
      message('Bob', 24 * 60),
      message('Ada', 48 * 60),
    ];
    const keys = layOut(items, { outgoing: [], ownName: 'Ada', firstUnread: items[2]!.key }).map(
      ({ key }) => key,
    );
    expect(new Set(keys).size).toBe(keys.length);
  });
});

describe('summarize', () => {
  const said = (...notices: NoticeItem[]): string =>
    summarize(notices)
      .map((phrase) => (typeof phrase === 'string' ? phrase : `[${phrase.name}]`))
      .join('');

  it('says each deed once, with all who did it', () => {
    expect(said(notice('joined', 'Ada'), notice('joined', 'Bob'), notice('left', 'Cy'))).toBe(
      '[Ada] and [Bob] joined · [Cy] left',
    );
  });

  it('mentions once who both came and went', () => {
    expect(said(notice('joined', 'Ada'), notice('left', 'Ada'))).toBe('[Ada] came by');
    expect(said(notice('left', 'Ada'), notice('joined', 'Ada'))).toBe('[Ada] left and came back');
    expect(said(notice('gone', 'Ada'))).toBe('[Ada] lost the connection');
    expect(said(notice('renamed', 'Ada', 'Eve'))).toBe('[Eve] is now [Ada]');
  });

  it('does not list a crowd', () => {
    const crowd = Array.from({ length: 100 }, (_, i) => notice('joined', `${i}`));
    expect(said(...crowd)).toBe('[0], [1], [2], [3], [4], and 95 others joined');
    expect(said(...crowd.slice(0, 6))).toContain('and 1 other joined');
  });

  it('takes a name as a name, whatever it says', () => {
    expect(said(notice('joined', '95 others'), notice('joined', 'and'))).toBe('[95 others] and [and] joined');
  });
});
