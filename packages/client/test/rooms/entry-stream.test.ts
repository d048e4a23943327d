import { textCodec } from '@chat/protocol';
import { encodeFrame, FrameType, NoticeKind } from '@chat/protocol/frames';
import { describe, expect, it } from 'vitest';
import type { Gap, Message, RoomEntry } from '../../src/index.js';
import { connected, join } from '../support/connected.js';
import { turns } from '../support/fake-clock.js';
import { joined, message, notice } from '../support/scripted-server.js';

/** Collects what `room` tells from now on. */
function collect<T>(room: { entries(): AsyncIterable<RoomEntry<T>> }): RoomEntry<T>[] {
  const seen: RoomEntry<T>[] = [];
  const reading = (async () => {
    for await (const entry of room.entries()) seen.push(entry);
  })();
  reading.catch(() => {});
  return seen;
}

const valuesOf = (entries: readonly RoomEntry[]) =>
  entries.map((entry) => (entry.type === 'message' ? entry.value : entry.type));

describe('entries', () => {
  it('come as messages and notices with everything that is known of them', async () => {
    const scene = await connected();
    const room = await join(scene, 'lobby', { start: 4, head: 6 });
    const seen = collect(room);
    await scene.server.end.send(
      message(6, 4, 'before'),
      notice(7, 6, NoticeKind.Joined, { sender: 1, name: 'ada' }),
      message(9, 7, 'now', { sender: 1, name: 'ada' }),
      notice(10, 9, NoticeKind.Renamed, { body: textCodec.encode('robert') }),
    );
    expect(seen).toEqual([
      {
        type: 'message',
        room: 'lobby',
        id: 'e1-6',
        seq: 6,
        prev: 4,
        at: 1006,
        own: false,
        history: true,
        sender: { id: 2, name: 'bob' },
        value: 'before',
        codec: 1,
      },
      expect.objectContaining({ kind: 'joined', own: true, history: false, member: { id: 1, name: 'ada' } }),
      expect.objectContaining({ value: 'now', own: true, history: false }),
      expect.objectContaining({ kind: 'renamed', oldName: 'bob', member: { id: 2, name: 'robert' } }),
    ]);
    expect(room.position).toBe(10);
  });

  it('that came in one chunk with the answer to the join are not lost', async () => {
    const { client, server } = await connected();
    const joining = client.join('lobby');
    await turns();
    await server.end.respond(joined('lobby'), message(1, 0, 'one'), message(2, 1, 'two'));
    const room = await joining;
    await turns();
    const seen: string[] = [];
    room.on('message', ({ value }) => seen.push(value));
    room.on('notice', () => {});
    await turns();
    expect(seen).toEqual(['one', 'two']);
    await server.end.send(message(3, 2, 'three'));
    expect(seen).toEqual(['one', 'two', 'three']);
  });

  it('that wait for a first listener are bounded, and what was dropped is a gap', async () => {
    const scene = await connected();
    const room = await join(scene);
    const frames = Array.from({ length: 8300 }, (_, i) => encodeFrame(message(i + 1, i, `m${i + 1}`)));
    await scene.server.end.sendBytes(...frames);
    const seen = collect(room);
    await turns();
    expect(seen[0]).toMatchObject({ type: 'gap', reason: 'overflow', from: 0, to: 108 });
    expect(seen[1]).toMatchObject({ seq: 109 });
  });

  it('that wait for a first listener keep nothing of what they came with', async () => {
    const scene = await connected();
    const room = await join(scene);
    const chunk = await scene.server.end.sendBytes(encodeFrame(message(1, 0, 'waits')));
    // Whoever still held the chunk, and 64 KiB around this message with it, would see it go.
    chunk.fill(0);
    const seen = collect(room);
    await turns();
    expect(seen).toMatchObject([{ seq: 1, value: 'waits' }]);
  });

  it('go to two independent iterators, each at its own pace', async () => {
    const scene = await connected();
    const room = await join(scene);
    const first = room.messages();
    const second = room.messages();
    await scene.server.end.send(message(1, 0, 'one'), message(2, 1, 'two'));
    expect((await first.next()).value?.value).toBe('one');
    await first.return();
    expect((await second.next()).value?.value).toBe('one');
    expect((await second.next()).value?.value).toBe('two');
    expect(await first.next()).toEqual({ done: true, value: undefined });
  });

  it('reach an iterator of messages without the notices between them', async () => {
    const scene = await connected();
    const room = await join(scene);
    const messages = room.messages();
    await scene.server.end.send(message(1, 0, 'one'), notice(2, 1), message(3, 2, 'two'));
    expect((await messages.next()).value?.value).toBe('one');
    expect((await messages.next()).value?.value).toBe('two');
  });

  it('fail an iterator that is not read, and only that one', async () => {
    const scene = await connected();
    const room = await join(scene);
    const slow = room.messages({ maxQueued: 1 });
    const seen = collect(room);
    await scene.server.end.send(message(1, 0, 'one'), message(2, 1, 'two'), message(3, 2, 'three'));
    expect((await slow.next()).value?.value).toBe('one');
    await expect(slow.next()).rejects.toMatchObject({ code: 'ERR_CLIENT_QUEUE_OVERFLOW' });
    expect(valuesOf(seen)).toEqual(['one', 'two', 'three']);
  });

  it('of a sender whose name changes carry the name of their time', async () => {
    const scene = await connected();
    const seen = collect(await join(scene));
    await scene.server.end.send(
      message(1, 0, 'a'),
      message(2, 1, 'b'),
      message(3, 2, 'c', { name: 'bobby' }),
    );
    const senders = seen.map((entry) => (entry as Message).sender);
    expect(senders.map(({ name }) => name)).toEqual(['bob', 'bob', 'bobby']);
    expect(senders[0]).toBe(senders[1]);
  });

  it('of this client are left out when no echo is wanted', async () => {
    const scene = await connected();
    const room = await join(scene, 'lobby', {}, { echo: false });
    const seen = collect(room);
    await scene.server.end.send(
      message(1, 0, 'mine', { sender: 1, name: 'ada' }),
      message(2, 1, 'yours'),
      notice(3, 2, NoticeKind.Joined, { sender: 1, name: 'ada' }),
      { ...message(4, 3, 'mine, of another device', { sender: 1, name: 'ada' }), device: 1 },
    );
    expect(valuesOf(seen)).toEqual(['yours', 'notice', 'mine, of another device']);
    expect(room.position).toBe(4);
  });

  it('of a room that was just left are ignored', async () => {
    const scene = await connected();
    const room = await join(scene);
    const leaving = room.leave();
    await turns();
    await scene.server.end.respond({ left: true }, message(1, 0, 'late'));
    await leaving;
    expect(scene.client.state.status).toBe('open');
  });

  it('with a name that does not fit into the frame end the connection', async () => {
    const scene = await connected();
    await join(scene);
    const bytes = encodeFrame(message(1, 0, ''));
    bytes[7] = 200;
    await scene.server.end.sendBytes(bytes);
    expect(scene.client.state).toMatchObject({ status: 'closed', reason: { code: 'ERR_CLIENT_PROTOCOL' } });
  });
});

describe('names', () => {
  it('that are not UTF-8 make a message unreadable', async () => {
    const scene = await connected();
    const bytes = encodeFrame(message(1, 0, 'hi'));
    bytes[36] = 0xff;
    const room = await join(scene);
    await scene.server.end.sendBytes(bytes);
    const seen = collect(room);
    await turns();
    expect(seen).toEqual([expect.objectContaining({ type: 'unreadable', sender: { id: 2, name: '' } })]);
  });
});

describe('the chain of entries', () => {
  it('is told to be broken when one is missing', async () => {
    const scene = await connected();
    const seen = collect(await join(scene));
    const gaps: Gap[] = [];
    scene.client.on('gap', (gap) => gaps.push(gap));
    await scene.server.end.send(message(1, 0, 'one'), message(4, 3, 'four'));
    expect(seen.map(({ type }) => type)).toEqual(['message', 'gap', 'message']);
    expect(seen[1]).toEqual({ type: 'gap', room: 'lobby', reason: 'hole', from: 1, to: 3 });
    expect(gaps).toEqual([seen[1]]);
  });

  it('goes on after a gap that the server announces', async () => {
    const scene = await connected();
    const seen = collect(await join(scene));
    await scene.server.end.send(
      message(1, 0, 'one'),
      { type: FrameType.Gap, room: 7, from: 1, to: 8 },
      message(9, 8, 'nine'),
    );
    expect(
      seen.map((entry) => (entry.type === 'gap' ? `${entry.reason} ${entry.from}-${entry.to}` : entry.seq)),
    ).toEqual([1, 'skipped 1-8', 9]);
  });

  it('has no entry twice', async () => {
    const scene = await connected();
    const seen = collect(await join(scene));
    await scene.server.end.send(message(1, 0, 'one'), message(1, 0, 'one'), message(2, 1, 'two'));
    expect(valuesOf(seen)).toEqual(['one', 'two']);
  });

  it('begins with a gap when the join could not begin where it should', async () => {
    const scene = await connected();
    const joining = scene.client.join('lobby', { since: { epoch: 'e1', seq: 5 } });
    await turns();
    expect(scene.server.end.last(FrameType.Request).request).toEqual({
      op: 'join',
      room: 'lobby',
      after: 5,
      epoch: 'e1',
    });
    await scene.server.end.respond(joined('lobby', { start: 20, head: 30, gap: { from: 5, to: 20 } }));
    const seen = collect(await joining);
    await turns();
    expect(seen).toEqual([{ type: 'gap', room: 'lobby', reason: 'expired', from: 5, to: 20 }]);
  });

  it('begins with a gap when the join speaks of another epoch', async () => {
    const scene = await connected();
    const joining = scene.client.join('lobby', { since: { epoch: 'e0', seq: 500 } });
    await turns();
    await scene.server.end.respond(joined('lobby', { start: 2, head: 2, gap: { from: 500, to: 2 } }));
    const seen = collect(await joining);
    await turns();
    expect(seen).toEqual([{ type: 'gap', room: 'lobby', reason: 'epoch-changed', from: 500, to: 2 }]);
  });
});
