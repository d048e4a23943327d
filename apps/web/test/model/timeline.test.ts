import { ClientError, type DirectMessage, type Message, type Notice } from '@chat/client';
import { describe, expect, it } from 'vitest';
import { Timeline } from '../../src/model/timeline.js';

const ADA = { id: 1, name: 'Ada' };
const BOB = { id: 2, name: 'Bob' };

function message(seq: number, value: string, more: Partial<Message> = {}): Message {
  return {
    ...{ type: 'message', room: 'lobby', id: `e-${seq}`, seq, prev: seq - 1, at: seq * 1000, codec: 0 },
    ...{ own: false, history: false, sender: BOB, value },
    ...more,
  };
}

const own = (seq: number, value: string): Message => message(seq, value, { own: true, sender: ADA });

const texts = (timeline: Timeline): string[] =>
  timeline.items.map((item) => (item.kind === 'message' ? item.text : item.kind));

describe('Timeline', () => {
  it('keeps messages in the order of the log, each once', () => {
    const timeline = new Timeline();
    timeline.add(message(5, 'a'));
    timeline.add(message(6, 'b'));
    expect(timeline.add(message(6, 'b'))).toBeUndefined();
    expect(texts(timeline)).toEqual(['a', 'b']);
    expect(timeline.oldest).toEqual({ seq: 5, prev: 4 });
  });

  it.each([['acknowledgement first'], ['echo first']])(
    'replaces an own message by its echo (%s)',
    (order) => {
      const timeline = new Timeline();
      const { key } = timeline.begin('hello', 1);
      expect(timeline.outgoing.map(({ status }) => status)).toEqual(['waiting']);
      const acknowledge = (): void => timeline.acknowledge(key, { id: 'e-3', seq: 3, at: 3 });
      if (order === 'acknowledgement first') {
        acknowledge();
        expect(timeline.outgoing.map(({ status }) => status)).toEqual(['sent']);
        timeline.add(own(3, 'hello'));
      } else {
        timeline.add(own(3, 'hello'));
        acknowledge();
      }
      expect(timeline.outgoing).toEqual([]);
      // The same line as before, for whoever draws it.
      expect(timeline.items.map((item) => item.key)).toEqual([key]);
    },
  );

  it('tells equal own messages apart', () => {
    const timeline = new Timeline();
    const first = timeline.begin('again', 1);
    const second = timeline.begin('again', 2);
    timeline.acknowledge(second.key, { id: 'e-4', seq: 4, at: 4 });
    timeline.add(own(3, 'again'));
    timeline.add(own(4, 'again'));
    expect(timeline.items.map((item) => item.key)).toEqual([first.key, second.key]);
    expect(timeline.outgoing).toEqual([]);
  });

  it('learns from an echo that a message of unknown fate arrived', () => {
    const timeline = new Timeline();
    const { key } = timeline.begin('hello', 1);
    timeline.fail(key, new ClientError('ERR_CLIENT_UNCONFIRMED', 'unknown'));
    expect(timeline.outgoing[0]?.status).toBe('failed');
    timeline.add(own(3, 'hello'));
    expect(timeline.outgoing).toEqual([]);
  });

  it('keeps what was delivered when its echo is behind a gap', () => {
    const timeline = new Timeline();
    const { key } = timeline.begin('hello', 1);
    timeline.begin('not yet', 2);
    timeline.acknowledge(key, { id: 'e-3', seq: 3, at: 3 });
    timeline.add({ type: 'gap', room: 'lobby', reason: 'epoch-changed', from: 2, to: 0 });
    expect(texts(timeline)).toEqual(['hello', 'gap']);
    expect(timeline.outgoing.map(({ text }) => text)).toEqual(['not yet']);
  });

  it('settles a private message where it is', () => {
    const timeline = new Timeline();
    const { key } = timeline.begin('psst', 1);
    timeline.settle(key, { id: 'e-1', seq: 1, at: 9 }, ADA);
    expect(timeline.items).toEqual([{ kind: 'message', key, at: 9, sender: ADA, text: 'psst', own: true }]);
  });

  it('puts older messages before the others, and proves that none is missing', () => {
    const timeline = new Timeline();
    timeline.add(message(7, 'c'));
    timeline.prepend([message(5, 'a'), message(6, 'b')], false);
    expect(texts(timeline)).toEqual(['a', 'b', 'c']);
    expect([timeline.oldest?.seq, timeline.atStart, timeline.shifts]).toEqual([5, false, 1]);
    timeline.prepend([message(2, 'x')], true);
    expect(texts(timeline)).toEqual(['x', 'gap', 'a', 'b', 'c']);
    expect(timeline.atStart).toBe(true);
  });

  it('knows the first entry of a room', () => {
    const timeline = new Timeline();
    expect(timeline.atStart).toBe(false);
    timeline.add(message(1, 'first', { prev: 0 }));
    expect(timeline.atStart).toBe(true);
  });

  it('asks a new log for nothing of the old one', () => {
    const timeline = new Timeline();
    timeline.add(message(7, 'old'));
    timeline.add({ type: 'gap', room: 'lobby', reason: 'epoch-changed', from: 7, to: 0 });
    expect([timeline.oldest, timeline.atStart]).toEqual([undefined, true]);
    // Positions begin anew, and so do ids.
    timeline.add(message(2, 'new', { id: 'f-2' }));
    expect(texts(timeline)).toEqual(['old', 'gap', 'new']);
    expect(timeline.atStart).toBe(true);
  });

  it('lets the oldest go when there are very many, and can load them again', () => {
    const timeline = new Timeline();
    for (let seq = 2; seq <= 20_003; seq++) timeline.add(message(seq, `${seq}`));
    expect(timeline.items.length).toBeLessThan(20_000);
    const oldest = timeline.oldest!;
    expect(texts(timeline)[0]).toBe(`${oldest.seq}`);
    expect(timeline.atStart).toBe(false);
    timeline.prepend([message(oldest.seq - 1, 'back')], false);
    expect(texts(timeline).slice(0, 2)).toEqual(['back', `${oldest.seq}`]);
  });

  it('shows what cannot be read as such', () => {
    const timeline = new Timeline();
    const error = new ClientError('ERR_CLIENT_UNREADABLE', 'no');
    const { value: _, room, ...info } = message(3, '');
    timeline.add({ ...info, type: 'unreadable', room, body: new Uint8Array(), error });
    expect(timeline.items).toMatchObject([{ kind: 'unreadable', name: 'Bob' }]);
  });

  it('takes notices and private messages', () => {
    const timeline = new Timeline();
    const { value: _, sender, codec: __, ...info } = message(3, '');
    const notice: Notice = { ...info, type: 'notice', kind: 'renamed', member: BOB, oldName: 'Rob' };
    timeline.add(notice);
    const { room: ___, ...rest } = message(4, 'psst');
    const direct: DirectMessage = { ...rest, type: 'direct', sender };
    timeline.add(direct);
    expect(timeline.items).toMatchObject([
      { kind: 'notice', change: 'renamed', name: 'Bob', oldName: 'Rob' },
      { kind: 'message', text: 'psst' },
    ]);
  });
});
