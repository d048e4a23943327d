/** Unread counts that agree over the sessions of a user. */
import { describe, expect, it } from 'vitest';
import type { ChatClient, ReadMark } from '../../src/index.js';
import { ClientError, type ClientErrorCode } from '../../src/index.js';
import { createTimeline, READS_FEATURE, type TimelineOptions } from '../../src/timeline/index.js';
import { FakeClock, turns } from '../support/fake-clock.js';
import { ADA, FakeRoom, gap, message, own } from '../support/fake-room.js';

const SAY_AFTER_MS = 1000;
const features = [READS_FEATURE];

function open(about: FakeRoom['about'] = { features }, options: TimelineOptions = {}) {
  const room = new FakeRoom();
  room.about = about;
  const clock = new FakeClock();
  const marks: ReadMark[] = [];
  const heard = new Set<(news: unknown) => void>();
  let refusal: ClientErrorCode | undefined;
  const client = {
    on: (_event: string, listener: (news: unknown) => void) => {
      heard.add(listener);
      return () => heard.delete(listener);
    },
    markRead: async (mark: ReadMark) => {
      marks.push(mark);
      if (refusal) throw new ClientError(refusal, 'no');
    },
    direct: async () => ({ id: 'e-1', seq: 1, at: 1, delivery: 'delivered' as const }),
  } as unknown as ChatClient;
  const timeline = createTimeline(room.asRoom(), { clock, self: () => ADA, client, ...options });
  return {
    room,
    clock,
    client,
    timeline,
    marks,
    heard,
    refuse: (code: ClientErrorCode) => {
      refusal = code;
    },
    tell: (news: unknown) => {
      for (const listener of heard) listener(news);
    },
  };
}

describe('how far a user has read', () => {
  it('is said a moment after it was read, once for all, and only when it is further', async () => {
    const { room, clock, timeline, marks } = open();
    for (let seq = 2; seq <= 4; seq++) room.tell(message(seq, 'x'));
    await clock.advance(SAY_AFTER_MS);
    expect([timeline.snapshot.unread, marks]).toEqual([3, []]);
    timeline.markRead();
    room.tell(own(5, 'mine'));
    timeline.markRead();
    await clock.advance(SAY_AFTER_MS - 1);
    expect(marks).toEqual([]);
    await clock.advance(1);
    expect(marks).toEqual([{ room: 'lobby', seq: 4 }]);
    timeline.markRead();
    await clock.advance(SAY_AFTER_MS);
    expect(marks).toHaveLength(1);
  });

  it('is said of what arrives while it is seen', async () => {
    const { room, clock, marks } = open({ features }, { isSeen: () => true });
    room.tell(message(2, 'x'));
    room.tell(message(3, 'y'));
    await clock.advance(SAY_AFTER_MS);
    expect(marks).toEqual([{ room: 'lobby', seq: 3 }]);
  });

  it('is said at the end, if it was not said yet', async () => {
    const { room, timeline, marks, heard } = open();
    room.tell(message(2, 'x'));
    timeline.markRead();
    timeline.close();
    expect([marks, heard.size]).toEqual([[{ room: 'lobby', seq: 2 }], 0]);
  });

  it('takes from the unread ones what was read on another session, and no more', async () => {
    const { room, timeline, tell, clock, marks } = open();
    for (let seq = 2; seq <= 4; seq++) room.tell(message(seq, 'x'));
    for (const news of [
      { room: 'tea', read: 4 },
      { user: 'lobby', read: 4 },
    ])
      tell(news);
    expect(timeline.snapshot.unread).toBe(3);
    tell({ room: 'lobby', read: 3 });
    expect(timeline.snapshot).toMatchObject({ unread: 1, firstUnread: 'e-4' });
    tell({ room: 'lobby', read: 2 });
    expect(timeline.snapshot.unread).toBe(1);
    tell({ room: 'lobby', read: 4 });
    expect(timeline.snapshot).toMatchObject({ unread: 0, firstUnread: undefined });
    timeline.markRead();
    await clock.advance(SAY_AFTER_MS);
    expect(marks).toEqual([]);
  });

  it('counts what was said since, on whatever session, when a room is joined', async () => {
    const { room, timeline } = open({ features, read: 3 });
    for (let seq = 2; seq <= 5; seq++) room.tell(message(seq, 'x', { history: true }));
    expect(timeline.snapshot).toMatchObject({ unread: 2, firstUnread: 'e-4' });
  });

  it('marks where the news begins for one who looks at once', async () => {
    const { room, timeline } = open({ features, read: 3 }, { isSeen: () => true });
    for (let seq = 2; seq <= 5; seq++) room.tell(message(seq, 'x', { history: true }));
    expect(timeline.snapshot).toMatchObject({ unread: 0, firstUnread: 'e-4' });
  });

  it('takes what was said before the first visit for read, and says so', async () => {
    const { room, timeline, clock, marks } = open();
    for (let seq = 2; seq <= 3; seq++) room.tell(message(seq, 'x', { history: true }));
    room.tell(message(4, 'new'));
    await clock.advance(SAY_AFTER_MS);
    expect(timeline.snapshot.unread).toBe(1);
    expect(marks).toEqual([{ room: 'lobby', seq: 3 }]);
  });

  it('takes what the room says when it is joined again', async () => {
    const { room, timeline } = open();
    for (let seq = 2; seq <= 4; seq++) room.tell(message(seq, 'x'));
    room.rejoined({ features, read: 3 });
    expect(timeline.snapshot.unread).toBe(1);
  });

  it('begins anew with another log', async () => {
    const { room, timeline, clock, marks } = open();
    room.tell(message(900, 'x'));
    timeline.markRead();
    await clock.advance(SAY_AFTER_MS);
    room.tell(gap({ reason: 'epoch-changed', from: 900, to: 0 }));
    room.tell(message(2, 'x', { id: 'f-2' }));
    expect(timeline.snapshot.unread).toBe(1);
    timeline.markRead();
    await clock.advance(SAY_AFTER_MS);
    expect(marks.map(({ seq }) => seq)).toEqual([900, 2]);
    // Also where nobody has told it of the gap.
    room.tell(message(1, 'x', { id: 'g-1' }));
    expect(timeline.snapshot.unread).toBe(1);
  });

  it('is said to no server that does not know of it', async () => {
    const { room, timeline, clock, marks } = open({});
    room.tell(message(2, 'x'));
    timeline.markRead();
    await clock.advance(SAY_AFTER_MS);
    expect(marks).toEqual([]);
  });

  it('is said of direct messages with somebody, until a server says that it does not know of it', async () => {
    const { client, clock, marks, refuse, tell } = open();
    const timeline = createTimeline({ client, to: 'Bob' }, { clock, client });
    const read = async (seq: number) => {
      timeline.add({ ...message(seq, 'psst'), type: 'direct' });
      expect(timeline.snapshot.unread).toBe(1);
      timeline.markRead();
      await clock.advance(SAY_AFTER_MS);
      await turns();
    };
    await read(2);
    expect(marks).toEqual([{ user: 'Bob', seq: 2 }]);
    timeline.add({ ...message(3, 'psst'), type: 'direct' });
    tell({ user: 'bob', read: 3 });
    refuse('ERR_CLIENT_UNAVAILABLE');
    await read(4);
    refuse('ERR_CLIENT_BAD_REQUEST');
    await read(5);
    await read(6);
    expect(marks.map(({ seq }) => seq)).toEqual([2, 4, 5]);
  });
});
