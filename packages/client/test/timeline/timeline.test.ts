import { jsonCodec } from '@chat/protocol';
import { describe, expect, it, vi } from 'vitest';
import { type ChatClient, ClientError, type DirectMessage, type UnreadableMessage } from '../../src/index.js';
import { createTimeline, type Timeline, type TimelineOptions } from '../../src/timeline/index.js';
import { FakeClock, turns } from '../support/fake-clock.js';
import { ADA, BOB, FakeRoom, gap, message, notice, own } from '../support/fake-room.js';

function open(options: TimelineOptions = {}): {
  readonly timeline: Timeline;
  readonly room: FakeRoom;
  readonly clock: FakeClock;
} {
  const room = new FakeRoom();
  const clock = new FakeClock();
  return { timeline: createTimeline(room.asRoom(), { clock, self: () => ADA, ...options }), room, clock };
}

const said = ({ snapshot }: Timeline): string[] =>
  snapshot.items.map((item) => (item.kind === 'message' ? item.value : item.kind));

const sent = (seq: number): { id: string; seq: number; at: number } => ({ id: `e-${seq}`, seq, at: seq });

describe('what arrives', () => {
  it('stands in the order of the log, each entry once', () => {
    const { timeline, room } = open();
    room.tell(message(5, 'a'));
    room.tell(notice(6));
    room.tell(message(7, 'b'));
    room.tell(message(7, 'b'));
    room.tell(gap());
    expect(said(timeline)).toEqual(['a', 'notice', 'b', 'gap']);
  });

  it('has the position that others know it by, an own message too', async () => {
    const { timeline, room } = open();
    room.tell(message(5, 'a'));
    void timeline.send('b');
    room.sends[0]!.resolve(sent(6));
    await turns();
    room.tell(own(6, 'b'));
    expect(timeline.snapshot.items).toMatchObject([
      { id: 'e-5', seq: 5 },
      { id: 'e-6', seq: 6 },
    ]);
  });

  it('is one snapshot until something changes, and another one then', () => {
    const { timeline, room } = open();
    room.tell(message(5, 'a'));
    const before = timeline.snapshot;
    expect(timeline.snapshot).toBe(before);
    room.tell(message(6, 'b'));
    expect(before.items).toHaveLength(1);
    expect(timeline.snapshot.items).toHaveLength(2);
  });

  it('tells subscribers until they leave', () => {
    const { timeline, room } = open();
    const draw = vi.fn();
    const leave = timeline.subscribe(draw);
    room.tell(message(5, 'a'));
    leave();
    room.tell(message(6, 'b'));
    expect(draw).toHaveBeenCalledTimes(1);
  });

  it('is unread when it is of somebody else, new, and not seen', () => {
    let isSeen = false;
    const { timeline, room } = open({ isSeen: () => isSeen });
    room.tell(message(1, 'old', { history: true }));
    room.tell(own(2, 'mine'));
    room.tell(message(3, 'new'));
    room.tell(message(4, 'newer'));
    expect(timeline.snapshot).toMatchObject({ unread: 2, firstUnread: 'e-3' });
    timeline.markRead();
    expect(timeline.snapshot).toMatchObject({ unread: 0, firstUnread: 'e-3' });
    timeline.clearMark();
    expect(timeline.snapshot.firstUnread).toBeUndefined();
    isSeen = true;
    room.tell(message(5, 'seen'));
    expect(timeline.snapshot.unread).toBe(0);
  });

  it('lets the oldest go when there are very many, and can load them again', async () => {
    const { timeline, room } = open({ maxItems: 10 });
    for (let seq = 2; seq <= 12; seq++) room.tell(message(seq, `${seq}`));
    expect(said(timeline)).toEqual(['4', '5', '6', '7', '8', '9', '10', '11', '12']);
    expect(timeline.snapshot.atStart).toBe(false);
    const loading = timeline.loadOlder();
    expect(room.pages[0]).toMatchObject({ before: 4 });
    room.pages[0]!.resolve({ entries: [message(3, 'again')], end: false });
    await loading;
    expect(said(timeline).slice(0, 2)).toEqual(['again', '4']);
  });
});

describe('the index of an item', () => {
  /** Index of each message, as a view sees it. */
  const indexes = ({ snapshot }: Timeline): Map<string, number> =>
    new Map(snapshot.items.map(({ key }, place) => [key, snapshot.firstIndex + place]));

  it('stays, while older pages come and the oldest items go', async () => {
    const { timeline, room } = open({ maxItems: 10 });
    for (let seq = 7; seq <= 9; seq++) room.tell(message(seq, `${seq}`));
    const before = indexes(timeline);
    const loading = timeline.loadOlder();
    room.pages[0]!.resolve({ entries: [message(5, '5'), message(6, '6')], end: false });
    await loading;
    expect(timeline.snapshot.firstIndex).toBe(-2);
    for (let seq = 10; seq <= 15; seq++) room.tell(message(seq, `${seq}`));
    expect(said(timeline)[0]).toBe('7');
    const after = indexes(timeline);
    for (const [key, index] of before) expect(after.get(key)).toBe(index);
  });
});

describe('a local item', () => {
  const local = (): Timeline<string, { readonly says: string }> => createTimeline();

  it('stands where it was added, is not unread, and is told to nobody', () => {
    const onItem = vi.fn();
    const clock = new FakeClock();
    const room = new FakeRoom();
    const timeline = createTimeline<string, { readonly says: string }>(room.asRoom(), { onItem, clock });
    room.tell(message(5, 'a'));
    timeline.addLocal({ says: 'disconnected' });
    room.tell(message(6, 'b'));
    const { items, unread } = timeline.snapshot;
    expect(items.map(({ kind }) => kind)).toEqual(['message', 'local', 'message']);
    expect(items[1]).toMatchObject({ at: clock.now(), value: { says: 'disconnected' } });
    expect(unread).toBe(2);
    expect(onItem).toHaveBeenCalledTimes(2);
    expect(new Set(items.map(({ key }) => key)).size).toBe(3);
  });

  it('needs no place in a room, and is no place to read on from', async () => {
    const timeline = local();
    timeline.addLocal({ says: 'cannot join' });
    await timeline.loadOlder();
    expect(timeline.snapshot).toMatchObject({ items: [{ kind: 'local' }], atStart: false });
  });

  it('is let go like others; where only such are left, the next entry is where to read on from', async () => {
    const room = new FakeRoom();
    const timeline = createTimeline<string, number>(room.asRoom(), { maxItems: 10 });
    room.tell(message(5, 'a'));
    for (let count = 0; count < 10; count++) timeline.addLocal(count);
    expect(timeline.snapshot).toMatchObject({ firstIndex: 2 });
    await timeline.loadOlder();
    expect(room.pages).toEqual([]);
    room.tell(message(8, 'b'));
    void timeline.loadOlder();
    expect(room.pages).toMatchObject([{ before: 8 }]);
  });
});

describe('an own message', () => {
  it.each([['acknowledgement first'], ['echo first']])('keeps its key (%s)', async (order) => {
    const { timeline, room } = open();
    const sending = timeline.send('hello');
    const { key, status } = timeline.snapshot.outgoing[0]!;
    expect(status).toBe('waiting');
    if (order === 'echo first') room.tell(own(3, 'hello'));
    room.sends[0]!.resolve(sent(3));
    expect(await sending).toBe(true);
    if (order === 'acknowledgement first') {
      expect(timeline.snapshot.outgoing).toMatchObject([{ key, status: 'sent' }]);
      room.tell(own(3, 'hello'));
    }
    expect(timeline.snapshot.outgoing).toEqual([]);
    expect(timeline.snapshot.items.map((item) => item.key)).toEqual([key]);
  });

  it('is told apart from an equal one by its position', async () => {
    const { timeline, room } = open();
    void timeline.send('again');
    const second = timeline.send('again');
    const keys = timeline.snapshot.outgoing.map(({ key }) => key);
    room.sends[1]!.resolve(sent(4));
    await second;
    room.tell(own(3, 'again'));
    room.tell(own(4, 'again'));
    expect(timeline.snapshot.items.map(({ key }) => key)).toEqual(keys);
  });

  it('fails with its error, and can be sent again or given up', async () => {
    const { timeline, room } = open();
    const refused = new ClientError('ERR_CLIENT_REJECTED', 'no');
    const first = timeline.send('hello');
    room.sends[0]!.reject(refused);
    expect(await first).toBe(false);
    const { key } = timeline.snapshot.outgoing[0]!;
    expect(timeline.snapshot.outgoing).toMatchObject([{ status: 'failed', error: refused }]);
    void timeline.retry(key);
    expect(room.sends.map(({ value }) => value)).toEqual(['hello', 'hello']);
    expect(timeline.snapshot.outgoing).toMatchObject([{ status: 'waiting' }]);
    timeline.discard(timeline.snapshot.outgoing[0]!.key);
    expect(timeline.snapshot.outgoing).toEqual([]);
    expect(await timeline.retry('own:99')).toBe(false);
  });

  it('of unknown fate turns out to have arrived', async () => {
    const { timeline, room } = open();
    const sending = timeline.send('hello');
    room.sends[0]!.reject(new ClientError('ERR_CLIENT_UNCONFIRMED', 'unknown'));
    await sending;
    room.tell(own(3, 'hello'));
    expect(timeline.snapshot.outgoing).toEqual([]);
    expect(said(timeline)).toEqual(['hello']);
  });

  it('is not taken for what the same user says elsewhere', () => {
    const { timeline, room } = open();
    void timeline.send('hello');
    room.tell({ ...own(3, 'hello'), elsewhere: true });
    expect(said(timeline)).toEqual(['hello']);
    expect(timeline.snapshot.outgoing).toMatchObject([{ value: 'hello' }]);
    expect(timeline.snapshot).toMatchObject({ items: [{ own: true }], unread: 0 });
  });

  it('whose echo is behind a gap stays where it is', async () => {
    const { timeline, room } = open();
    const sending = timeline.send('hello');
    void timeline.send('not yet');
    room.sends[0]!.resolve(sent(3));
    await sending;
    room.tell(gap());
    expect(said(timeline)).toEqual(['hello', 'gap']);
    expect(timeline.snapshot.outgoing.map(({ value }) => value)).toEqual(['not yet']);
  });

  it('without an echo is shown after a while, and an echo that comes late is not a second one', async () => {
    const { timeline, room, clock } = open({ echoTimeoutMs: 500 });
    const sending = timeline.send('hello');
    room.sends[0]!.resolve(sent(3));
    await sending;
    await clock.advance(499);
    expect(said(timeline)).toEqual([]);
    await clock.advance(1);
    expect(timeline.snapshot.items).toMatchObject([{ value: 'hello', own: true, sender: ADA }]);
    room.tell(own(3, 'hello'));
    expect(said(timeline)).toEqual(['hello']);
  });

  it('waits for a rate limit as long as the server says', async () => {
    const { timeline, room, clock } = open();
    const sending = timeline.send('fast');
    room.sends[0]!.reject(new ClientError('ERR_CLIENT_RATE_LIMITED', 'slow down', { retryAfterMs: 700 }));
    await turns();
    await clock.advance(699);
    await turns();
    expect(room.sends).toHaveLength(1);
    await clock.advance(1);
    await turns();
    room.sends[1]!.resolve(sent(3));
    expect(await sending).toBe(true);
  });
});

describe('older pages', () => {
  it('stand before the others, and the chain proves that nothing is missing', async () => {
    const { timeline, room } = open();
    room.tell(message(7, 'c'));
    const loading = timeline.loadOlder();
    await timeline.loadOlder(); // One at a time.
    expect(room.pages).toHaveLength(1);
    expect(timeline.snapshot.isLoading).toBe(true);
    room.pages[0]!.resolve({ entries: [message(5, 'a'), message(6, 'b')], end: false });
    await loading;
    expect(said(timeline)).toEqual(['a', 'b', 'c']);
    expect(timeline.snapshot).toMatchObject({ isLoading: false, atStart: false, shifts: 1 });
    const last = timeline.loadOlder();
    room.pages[1]!.resolve({ entries: [message(2, 'x')], end: true });
    await last;
    expect(said(timeline)).toEqual(['x', 'gap', 'a', 'b', 'c']);
    expect(timeline.snapshot.atStart).toBe(true);
  });

  it('show what became of their messages while they were read', async () => {
    const { timeline, room } = open();
    room.tell(message(7, 'c'));
    const loading = timeline.loadOlder();
    room.tell(notice(8, { kind: 'edited', change: { seq: 6, codec: 1, text: 'better' } }));
    room.tell(notice(9, { kind: 'taken-back', change: { seq: 5, of: { id: 2, name: 'bob' } } }));
    // As they were before.
    room.pages[0]!.resolve({ entries: [message(5, 'a'), message(6, 'b')], end: true });
    await loading;
    const [first, second] = timeline.snapshot.items;
    expect([first, second]).toMatchObject([
      { kind: 'withdrawn', seq: 5 },
      { kind: 'message', value: 'better', edited: true },
    ]);
  });

  it('are not asked for at the first entry of a room, nor from a log that is no more', async () => {
    const { timeline, room } = open();
    room.tell(message(1, 'first', { prev: 0 }));
    await timeline.loadOlder();
    const other = open();
    other.room.tell(message(7, 'old'));
    other.room.tell(gap({ reason: 'epoch-changed', from: 7, to: 0 }));
    other.room.tell(message(2, 'new', { id: 'f-2' }));
    await other.timeline.loadOlder();
    expect(said(other.timeline)).toEqual(['old', 'gap', 'new']);
    expect([...room.pages, ...other.room.pages]).toEqual([]);
  });

  it('that arrive after the log was replaced are not shown', async () => {
    const { timeline, room } = open();
    room.tell(message(7, 'old'));
    const loading = timeline.loadOlder();
    room.tell(gap({ reason: 'epoch-changed', from: 7, to: 0 }));
    room.pages[0]!.resolve({ entries: [message(6, 'older')], end: false });
    await loading;
    expect(said(timeline)).toEqual(['old', 'gap']);
  });

  it('that fail can be asked for again', async () => {
    const { timeline, room } = open();
    room.tell(message(7, 'c'));
    const failing = timeline.loadOlder();
    room.pages[0]!.reject(new ClientError('ERR_CLIENT_REQUEST_TIMEOUT', 'late'));
    await expect(failing).rejects.toMatchObject({ code: 'ERR_CLIENT_REQUEST_TIMEOUT' });
    expect(timeline.snapshot.isLoading).toBe(false);
    void timeline.loadOlder();
    expect(room.pages).toHaveLength(2);
  });
});

describe('typing', () => {
  const typing = (value: unknown, sender = BOB): Parameters<FakeRoom['tell']>[0] => ({
    type: 'signal',
    room: 'lobby',
    sender,
    value,
  });

  it('of others is believed for a while, and until they speak or go', async () => {
    const { timeline, room, clock } = open();
    room.tell(typing({ typing: true }));
    expect(timeline.snapshot.typists).toEqual([BOB]);
    await clock.advance(6000);
    expect(timeline.snapshot.typists).toEqual([]);
    room.tell(typing({ typing: true }));
    room.tell(message(5, 'said'));
    expect(timeline.snapshot.typists).toEqual([]);
    room.tell(typing({ typing: true }));
    room.tell(notice(6, { kind: 'left' }));
    expect(timeline.snapshot.typists).toEqual([]);
    for (const value of [undefined, null, 'typing', { typing: 'yes' }, []]) room.tell(typing(value));
    expect(timeline.snapshot.typists).toEqual([]);
  });

  it('of others is bounded', () => {
    const { timeline, room } = open();
    for (let id = 1; id <= 200; id++) room.tell(typing({ typing: true }, { id, name: `n${id}` }));
    expect(timeline.snapshot.typists).toHaveLength(50);
  });

  it('of the user is told again and again, and ends with the message', async () => {
    const { timeline, room, clock } = open();
    for (let key = 0; key < 10; key++) timeline.typing(true);
    expect(room.signals).toEqual([{ typing: true }]);
    await clock.advance(3000);
    timeline.typing(true);
    void timeline.send('done');
    timeline.typing(false);
    expect(room.signals).toEqual([{ typing: true }, { typing: true }]);
    timeline.typing(true);
    timeline.typing(false);
    expect(room.signals.slice(2)).toEqual([{ typing: true }, { typing: false }]);
  });
});

describe('the source', () => {
  it('can go and come again; what is shown stays', () => {
    const { timeline, room } = open();
    room.tell(message(5, 'a'));
    timeline.detach();
    expect(room.listenerCount).toBe(0);
    const again = new FakeRoom();
    timeline.attach(again.asRoom());
    again.tell(message(6, 'b'));
    expect(said(timeline)).toEqual(['a', 'b']);
  });

  it('is waited for by what is said before it is there, in order', async () => {
    const timeline = createTimeline();
    const early = timeline.send('early');
    void timeline.send('then');
    expect(timeline.snapshot.outgoing).toHaveLength(2);
    const room = new FakeRoom();
    timeline.attach(room.asRoom());
    void timeline.send('in the same turn');
    await turns();
    expect(room.sends.map(({ value }) => value)).toEqual(['early', 'then', 'in the same turn']);
    room.sends[0]!.resolve(sent(1));
    expect(await early).toBe(true);
  });

  it('is not waited for any longer once there will be none', async () => {
    const timeline = createTimeline();
    const early = timeline.send('early');
    timeline.detach();
    expect(await early).toBe(false);
    expect(await timeline.send('late')).toBe(false);
    expect(timeline.snapshot.outgoing).toMatchObject([
      { error: { code: 'ERR_CLIENT_NOT_MEMBER' } },
      { error: { code: 'ERR_CLIENT_NOT_MEMBER' } },
    ]);
  });

  it('may be one user: direct messages have no echo', async () => {
    const calls: unknown[] = [];
    const client = {
      direct: (to: string, value: string) => {
        calls.push([to, value]);
        return Promise.resolve(sent(9));
      },
    } as unknown as ChatClient;
    const timeline = createTimeline({ client, to: 'Bob' }, { self: () => ADA });
    expect(await timeline.send('psst')).toBe(true);
    const { room: _, ...rest } = message(10, 'yes?');
    const answer: DirectMessage = { ...rest, type: 'direct' };
    timeline.add(answer);
    expect(calls).toEqual([['Bob', 'psst']]);
    expect(timeline.snapshot.items).toMatchObject([
      { value: 'psst', own: true, sender: ADA },
      { value: 'yes?', own: false, sender: BOB },
    ]);
    expect(timeline.snapshot.unread).toBe(1);
  });

  it('marks a direct message that waits, until something is heard of its reader', async () => {
    const client = {
      direct: () => Promise.resolve({ ...sent(9), delivery: 'waiting' }),
    } as unknown as ChatClient;
    const timeline = createTimeline({ client, to: 'Bob' }, { self: () => ADA });
    await timeline.send('psst');
    const waits = () => timeline.snapshot.items.map((item) => item.kind === 'message' && item.waiting);
    expect(waits()).toEqual([true]);
    const [before] = timeline.snapshot.items;
    const { room: _, ...rest } = message(10, 'I am back');
    timeline.add({ ...rest, type: 'direct' });
    expect(waits()).toEqual([undefined, undefined]);
    expect(timeline.snapshot.items[0]).toMatchObject({ key: before!.key, value: 'psst' });
  });
});

/** A message of codec 5 as a room without this codec tells it. */
function unreadable(seq: number, value: object, own = false): UnreadableMessage {
  const { value: _, ...rest } = message(seq, '', { own, codec: 5 });
  const body = jsonCodec.encode(value);
  return { ...rest, type: 'unreadable', body, error: new ClientError('ERR_CLIENT_UNREADABLE', 'codec 5') };
}

describe('a message that answers another one', () => {
  const answer = (seq: number, reply: number, own = false): UnreadableMessage =>
    unreadable(seq, { text: 'please', reply }, own);

  it('is a text with its position, also in older pages, and edited', async () => {
    const { timeline, room } = open();
    room.tell(message(5, 'tea?'));
    room.tell(answer(6, 5));
    room.tell(notice(7, { kind: 'edited', change: { seq: 6, codec: 1, text: 'pleased' } }));
    expect(timeline.snapshot.items[1]).toMatchObject({ kind: 'message', value: 'pleased', reply: 5 });
    void timeline.loadOlder();
    room.pages[0]!.resolve({ entries: [message(3, 'x'), answer(4, 3)], end: true });
    await turns();
    expect(timeline.snapshot.items[1]).toMatchObject({ kind: 'message', value: 'please', reply: 3 });
    expect(timeline.snapshot.unread).toBe(2);
  });

  it('is sent as such where the server knows it, and as its text elsewhere', async () => {
    const { timeline, room } = open();
    void timeline.send('plain', { reply: 5 });
    room.rejoined({ features: ['rich'] });
    void timeline.send('please', { reply: 5 });
    await turns();
    expect(room.sends.map(({ value }) => value)).toEqual(['plain', { text: 'please', reply: 5 }]);
    room.sends[1]!.resolve(sent(6));
    await turns();
    room.tell(answer(6, 5, true));
    expect(timeline.snapshot.items).toMatchObject([{ value: 'please', reply: 5, own: true, key: 'own:2' }]);
    expect(timeline.snapshot.outgoing).toHaveLength(1);
  });

  it('goes on answering when it is sent again', async () => {
    const { timeline, room } = open();
    room.rejoined({ features: ['rich'] });
    void timeline.send('please', { reply: 5 });
    room.sends[0]!.reject(new Error('no'));
    await turns();
    void timeline.retry(timeline.snapshot.outgoing[0]!.key);
    expect(room.sends[1]!.value).toEqual({ text: 'please', reply: 5 });
  });
});

describe('a reaction', () => {
  const reacted = (seq: number, to: number, reaction: string, removed?: true) =>
    notice(seq, { kind: 'reacted', change: { seq: to, reaction, ...(removed && { removed }) } });
  const reactions = (timeline: Timeline): unknown =>
    timeline.snapshot.items.map((item) => item.kind === 'message' && item.reactions);

  it('is shown at its message, and is no item of its own', () => {
    const { timeline, room } = open();
    room.tell(message(5, 'tea?'));
    const before = timeline.snapshot.items[0]!;
    for (const seq of [6, 7]) room.tell(reacted(seq, 5, '👍'));
    room.tell(notice(8, { kind: 'reacted', member: ADA, change: { seq: 5, reaction: '👍' } }));
    room.tell(reacted(9, 5, '🎉'));
    // Of a message that is not here.
    room.tell(reacted(10, 4, '👍'));
    expect(reactions(timeline)).toEqual([
      [
        { reaction: '👍', by: [BOB, ADA] },
        { reaction: '🎉', by: [BOB] },
      ],
    ]);
    expect(timeline.snapshot.items[0]).toMatchObject({ key: before.key, value: 'tea?' });
    expect(timeline.snapshot.items[0]).not.toBe(before);
    expect(timeline.snapshot.unread).toBe(1);
    room.tell(reacted(11, 5, '👍', true));
    room.tell(reacted(12, 5, '🎉', true));
    expect(reactions(timeline)).toEqual([[{ reaction: '👍', by: [ADA] }]]);
    room.tell(
      notice(13, { kind: 'reacted', member: ADA, change: { seq: 5, reaction: '👍', removed: true } }),
    );
    expect(reactions(timeline)).toEqual([undefined]);
  });

  it('comes with an older message, and leaves no hole where it stood', async () => {
    const { timeline, room } = open();
    room.tell(reacted(5, 1, '👍'));
    room.tell(message(6, 'here'));
    void timeline.loadOlder();
    expect(room.pages[0]).toMatchObject({ before: 5 });
    const said = [{ reaction: '🎉', by: [BOB] }];
    const older = unreadable(3, { text: 'tea?', reactions: said });
    room.pages[0]!.resolve({ entries: [older, reacted(4, 3, '🎉')], end: true });
    await turns();
    expect(timeline.snapshot.items.map(({ kind }) => kind)).toEqual(['message', 'message']);
    expect(reactions(timeline)).toEqual([said, undefined]);
  });

  it('is of a user, whatever its id is, and stays when the message is edited', () => {
    const { timeline, room } = open();
    room.tell(message(5, 'tee?'));
    room.tell(reacted(6, 5, '👍'));
    room.tell(notice(7, { kind: 'edited', change: { seq: 5, codec: 1, text: 'tea?' } }));
    expect(timeline.snapshot.items[0]).toMatchObject({ value: 'tea?', reactions: [{ by: [BOB] }] });
    const again = { id: 9, name: BOB.name };
    room.tell(
      notice(8, { kind: 'reacted', member: again, change: { seq: 5, reaction: '👍', removed: true } }),
    );
    expect(timeline.snapshot.items[0]).not.toHaveProperty('reactions');
  });
});

describe('what the room is', () => {
  it('is what the join said, and what was told since', () => {
    const { timeline, room } = open();
    room.rejoined({ role: 'member', settings: { topic: 'tea' } });
    expect(timeline.snapshot.about).toEqual({ role: 'member', settings: { topic: 'tea' } });
    room.tell(notice(5, { kind: 'changed', change: { settings: { topic: 'coffee' } } }));
    room.tell(notice(6, { kind: 'changed', change: { role: { name: ADA.name, role: 'moderator' } } }));
    room.tell(notice(7, { kind: 'changed', change: { role: { name: BOB.name, role: 'owner' } } }));
    expect(timeline.snapshot.about).toEqual({ role: 'moderator', settings: { topic: 'coffee' } });
    // Somebody came: the same answer to the join says nothing new.
    room.rejoined(room.about);
    expect(timeline.snapshot.about.role).toBe('moderator');
    room.rejoined({ role: 'guest' });
    expect(timeline.snapshot.about).toEqual({ role: 'guest' });
  });

  it('is not what was told before the join', () => {
    const { timeline, room } = open();
    room.rejoined({ role: 'member' });
    const change = { role: { name: ADA.name, role: 'owner' as const } };
    room.tell(notice(5, { kind: 'changed', change, history: true }));
    expect(timeline.snapshot.about).toEqual({ role: 'member' });
  });
});

describe('close', () => {
  it('leaves no listener, no timer and no waiting send behind, and does not leave the room', async () => {
    const { timeline, room, clock } = open();
    const limited = timeline.send('limited');
    room.sends[0]!.reject(new ClientError('ERR_CLIENT_RATE_LIMITED', 'slow down'));
    const acknowledged = timeline.send('hello');
    room.sends[1]!.resolve(sent(3));
    await acknowledged;
    room.tell({ type: 'signal', room: 'lobby', sender: BOB, value: { typing: true } });
    await turns();
    timeline.close();
    timeline.close();
    await turns();
    expect(await limited).toBe(false);
    expect([room.listenerCount, clock.timers]).toEqual([0, 0]);
  });
});
