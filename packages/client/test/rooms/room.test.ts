import { getEventListeners } from 'node:events';
import {
  bytesCodec,
  CloseCode,
  type Codec,
  encodeFrame,
  FrameType,
  jsonCodec,
  NoticeKind,
  textCodec,
  withSchema,
} from '@chat/protocol';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Gap, Message, Notice, RoomEntry } from '../../src/index.js';
import { comeBack, connected, join, type Scene } from '../support/connected.js';
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

describe('join', () => {
  it('asks with what was wanted and gives a room with members and position', async () => {
    const scene = await connected();
    const room = await join(scene, 'lobby', { start: 3, head: 5, memberCount: 70 }, { history: 2 });
    expect(scene.server.end.last(FrameType.Request).request).toEqual({
      op: 'join',
      room: 'lobby',
      history: 2,
    });
    expect(room).toMatchObject({ name: 'lobby', joined: true, position: 3, memberCount: 70 });
    expect([...room.members]).toEqual([[1, { id: 1, name: 'ada' }]]);
    expect(scene.client.joined.get('lobby')).toBe(room);
  });

  it('gives the same room twice, also under a name that the server spells differently', async () => {
    const scene = await connected();
    const room = await join(scene);
    expect(await scene.client.join('lobby')).toBe(room);
    expect(scene.server.end.all(FrameType.Request)).toHaveLength(1);
    const again = scene.client.join('LOBBY');
    await turns();
    await scene.server.end.respond(joined('lobby'));
    expect(await again).toBe(room);
  });

  it('refuses another codec for a room that is joined', async () => {
    const scene = await connected();
    await join(scene);
    await expect(scene.client.join('lobby', { codec: jsonCodec })).rejects.toThrow(TypeError);
    await expect(scene.client.join('lobby', { codec: textCodec })).resolves.toBeDefined();
  });

  it('rejects with the failure of the server', async () => {
    const { client, server } = await connected();
    const joining = client.join('secret');
    joining.catch(() => {});
    await turns();
    await server.end.refuse({ code: 'forbidden', message: 'members only' });
    await expect(joining).rejects.toMatchObject({
      code: 'ERR_CLIENT_FORBIDDEN',
      message: 'members only (forbidden)',
    });
  });

  it('rejects an answer that is no room', async () => {
    const { client, server } = await connected();
    const joining = client.join('lobby');
    joining.catch(() => {});
    await turns();
    await server.end.respond({ room: 'lobby' });
    await expect(joining).rejects.toMatchObject({ code: 'ERR_PROTOCOL_FRAME_MALFORMED' });
  });

  it('leaves a room whose join was given up before the answer', async () => {
    const { client, server } = await connected();
    const controller = new AbortController();
    const joining = client.join('lobby', { signal: controller.signal });
    joining.catch(() => {});
    await turns();
    controller.abort(new Error('enough'));
    await expect(joining).rejects.toThrow('enough');
    await server.end.respond(joined('lobby'));
    expect(server.end.last(FrameType.Request)).toMatchObject({
      id: 0,
      request: { op: 'leave', room: 'lobby' },
    });
    expect(client.joined.size).toBe(0);
  });

  it('does not leave it when somebody else still wants it', async () => {
    const { client, server } = await connected();
    const controller = new AbortController();
    const first = client.join('lobby', { signal: controller.signal });
    first.catch(() => {});
    const second = client.join('lobby');
    await turns();
    controller.abort();
    const [one, two] = server.end.all(FrameType.Request);
    await server.end.send({ type: FrameType.Response, id: one!.id, response: joined('lobby') });
    await server.end.send({ type: FrameType.Response, id: two!.id, response: joined('lobby') });
    expect((await second).joined).toBe(true);
    expect(server.end.all(FrameType.Request)).toHaveLength(2);
  });

  it('has room names like __proto__ and constructor as any other', async () => {
    const scene = await connected();
    for (const [i, name] of ['__proto__', 'constructor', 'toString'].entries()) {
      const room = await join(scene, name, { handle: 10 + i });
      expect(scene.client.joined.get(name)).toBe(room);
    }
    expect(scene.client.joined.size).toBe(3);
  });
});

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
    );
    expect(valuesOf(seen)).toEqual(['yours', 'notice']);
    expect(room.position).toBe(3);
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

describe('codecs', () => {
  const point: Codec<{ x: number }> = withSchema(jsonCodec, z.object({ x: z.number() }));

  it('type the messages of a room in both directions', async () => {
    const scene = await connected();
    const room = await join(scene, 'points', {}, { codec: point });
    const seen: { x: number }[] = [];
    room.on('message', ({ value }) => seen.push(value));
    void room.send({ x: 1 });
    await turns();
    const { codec, body } = scene.server.end.last(FrameType.Publish);
    expect([codec, textCodec.decode(body)]).toEqual([jsonCodec.tag, '{"x":1}']);
    await scene.server.end.send(message(1, 0, '{"x":2}', { codec: jsonCodec.tag }));
    expect(seen).toEqual([{ x: 2 }]);
  });

  it('refuse what does not fit before it is sent', async () => {
    const scene = await connected();
    const room = await join(scene, 'points', {}, { codec: point });
    await expect(room.send({ x: 'one' } as never)).rejects.toMatchObject({
      code: 'ERR_PROTOCOL_INVALID_BODY',
    });
    expect(scene.server.end.all(FrameType.Publish)).toHaveLength(0);
  });

  it.each([
    ['another codec', message(1, 0, '{"x":1}')],
    ['a value that the schema refuses', message(1, 0, '{"x":"1"}', { codec: jsonCodec.tag })],
    ['what is not JSON', message(1, 0, '{', { codec: jsonCodec.tag })],
  ])('make a message of %s unreadable, and no trouble', async (_what, frame) => {
    const scene = await connected();
    const room = await join(scene, 'points', {}, { codec: point });
    const messages: unknown[] = [];
    const unreadable: unknown[] = [];
    room.on('message', (entry) => messages.push(entry));
    room.on('unreadable', (entry) => unreadable.push(entry));
    const seen = collect(room);
    await scene.server.end.send(frame, message(2, 1, '{"x":2}', { codec: jsonCodec.tag }));
    expect(messages).toHaveLength(1);
    expect(unreadable).toEqual([
      expect.objectContaining({
        type: 'unreadable',
        seq: 1,
        sender: { id: 2, name: 'bob' },
        body: frame.body,
        error: expect.objectContaining({ code: 'ERR_CLIENT_UNREADABLE' }),
      }),
    ]);
    expect(seen.map(({ type }) => type)).toEqual(['unreadable', 'message']);
  });

  it('carry bytes exactly, and the sender may go on writing to its own', async () => {
    const scene = await connected();
    const room = await join(scene, 'bytes', {}, { codec: bytesCodec });
    const seen: Uint8Array[] = [];
    room.on('message', ({ value }) => seen.push(value));
    await scene.server.end.cut();
    const mine = Uint8Array.of(0, 13, 10, 255);
    void room.send(mine);
    mine.fill(7);
    await comeBack(scene);
    await scene.server.end.welcome({ resumed: true, rooms: [joined('bytes')] });
    expect([...scene.server.end.last(FrameType.Publish).body]).toEqual([0, 13, 10, 255]);
    await scene.server.end.send(message(1, 0, '', { codec: bytesCodec.tag, body: Uint8Array.of(0, 255) }));
    expect([...seen[0]!]).toEqual([0, 255]);
  });
});

describe('members', () => {
  it('follow the notices since the join, and not those from before it', async () => {
    const scene = await connected();
    const room = await join(scene, 'lobby', {
      start: 0,
      head: 2,
      members: [
        { id: 1, name: 'ada' },
        { id: 3, name: 'carl' },
      ],
      memberCount: 2,
    });
    const sizes: number[] = [];
    room.on('members', (members) => sizes.push(members.size));
    await scene.server.end.send(
      notice(1, 0, NoticeKind.Renamed, { sender: 3, name: 'carl', body: textCodec.encode('karl') }),
    );
    expect(room.members.get(3)?.name).toBe('carl');
    await scene.server.end.send(
      notice(2, 1, NoticeKind.Left),
      notice(3, 2, NoticeKind.Joined, { sender: 1, name: 'ada' }),
      notice(4, 3, NoticeKind.Joined),
      notice(5, 4, NoticeKind.Renamed, { sender: 3, name: 'carl', body: textCodec.encode('charles') }),
      notice(6, 5, NoticeKind.Gone),
    );
    expect([...room.members.values()]).toEqual([
      { id: 1, name: 'ada' },
      { id: 3, name: 'charles' },
    ]);
    expect(room.memberCount).toBe(2);
    expect(sizes.length).toBeGreaterThan(0);
  });

  it('are counted beyond the ones that are known', async () => {
    const scene = await connected();
    const room = await join(scene, 'big', { memberCount: 500 });
    room.on('notice', () => {});
    await scene.server.end.send(
      notice(1, 0, NoticeKind.Joined, { sender: 900, name: 'new' }),
      notice(2, 1, NoticeKind.Left, { sender: 800, name: 'unknown' }),
      notice(3, 2, NoticeKind.Left, { sender: 801, name: 'unknown too' }),
    );
    expect(room.memberCount).toBe(499);
    expect(room.members.size).toBe(2);
  });

  it('are loaded page by page', async () => {
    const scene = await connected();
    const room = await join(scene, 'big', { memberCount: 3 });
    const loading = room.loadMembers();
    await turns();
    expect(scene.server.end.last(FrameType.Request).request).toEqual({ op: 'members', room: 'big' });
    await scene.server.end.respond({
      members: [
        { id: 1, name: 'ada' },
        { id: 5, name: 'eve' },
      ],
      memberCount: 3,
      cursor: 5,
    });
    expect(scene.server.end.last(FrameType.Request).request).toEqual({
      op: 'members',
      room: 'big',
      cursor: 5,
    });
    await scene.server.end.respond({ members: [{ id: 9, name: 'ina' }], memberCount: 3 });
    expect(await loading).toBe(true);
    expect([...room.members.keys()]).toEqual([1, 5, 9]);
    expect(await room.loadMembers()).toBe(true);
    expect(scene.server.end.all(FrameType.Request)).toHaveLength(3);
  });

  it('are loaded up to a limit', async () => {
    const scene = await connected();
    const room = await join(scene, 'big', { memberCount: 3 });
    const loading = room.loadMembers({ limit: 1 });
    await turns();
    await scene.server.end.respond({ members: [{ id: 5, name: 'eve' }], memberCount: 3, cursor: 5 });
    expect(await loading).toBe(false);
  });

  it('may have names like __proto__', async () => {
    const scene = await connected();
    const room = await join(scene, 'lobby', { members: [{ id: 1, name: '__proto__' }] });
    expect(room.members.get(1)).toEqual({ id: 1, name: '__proto__' });
  });
});

describe('leave', () => {
  it('ends the iterators cleanly and tells the listeners', async () => {
    const scene = await connected();
    const room = await join(scene);
    const told: unknown[] = [];
    room.on('closed', (event) => told.push(event));
    const reading = (async () => {
      const seen: string[] = [];
      for await (const { value } of room.messages()) seen.push(value);
      return seen;
    })();
    await scene.server.end.send(message(1, 0, 'one'));
    const leaving = scene.client.leave('lobby');
    await turns();
    await scene.server.end.respond({ left: true });
    expect(await leaving).toBe(true);
    expect(await reading).toEqual(['one']);
    expect(told).toEqual([{ error: undefined }]);
    expect(room.joined).toBe(false);
    expect(scene.client.joined.size).toBe(0);
    await expect(room.send('x')).rejects.toMatchObject({ code: 'ERR_CLIENT_NOT_MEMBER' });
    for await (const _message of room.messages()) throw new Error('a left room has no messages');
  });

  it('leaves nothing at a signal that lives on', async () => {
    const scene = await connected();
    const room = await join(scene);
    const { signal } = new AbortController();
    room.on('message', () => {}, { signal });
    room.on('closed', () => {}, { signal });
    const reading = room.entries({ signal });
    const leaving = room.leave();
    await turns();
    await scene.server.end.respond({ left: true });
    await leaving;
    expect(await reading.next()).toEqual({ done: true, value: undefined });
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });

  it('of a room that is not joined is nothing', async () => {
    const { client, server } = await connected();
    expect(await client.leave('nowhere')).toBe(false);
    expect(server.end.all(FrameType.Request)).toHaveLength(0);
  });

  it('happens by closing the client, too', async () => {
    const scene = await connected();
    const room = await join(scene);
    const reading = (async () => {
      for await (const _message of room.messages());
    })();
    await scene.client.close();
    await reading;
    expect(room.joined).toBe(false);
  });

  it('happens with an error when the client is closed against its will', async () => {
    const scene = await connected();
    const room = await join(scene);
    const reading = (async () => {
      for await (const _message of room.messages());
    })();
    reading.catch(() => {});
    const told: unknown[] = [];
    room.on('closed', (event) => told.push(event));
    await scene.server.end.close(CloseCode.Kicked);
    await expect(reading).rejects.toMatchObject({ code: 'ERR_CLIENT_KICKED' });
    expect(told).toEqual([{ error: expect.objectContaining({ code: 'ERR_CLIENT_KICKED' }) }]);
  });
});

describe('history', () => {
  const entries = (...frames: Parameters<typeof encodeFrame>[0][]) =>
    Uint8Array.from(frames.flatMap((frame) => [...encodeFrame(frame)]));

  it('comes in several frames, as one page', async () => {
    const scene = await connected();
    const room = await join(scene);
    const asking = room.history({ before: 10, limit: 3 });
    await turns();
    const { id, request } = scene.server.end.last(FrameType.Request);
    expect(request).toEqual({ op: 'history', room: 'lobby', before: 10, limit: 3 });
    await scene.server.end.send({
      type: FrameType.History,
      id,
      last: false,
      end: false,
      entries: entries(message(1, 0, 'one'), notice(2, 1)),
    });
    await scene.server.end.send({
      type: FrameType.History,
      id,
      last: true,
      end: true,
      entries: entries(message(3, 2, 'three')),
    });
    const page = await asking;
    expect(page.end).toBe(true);
    expect(valuesOf(page.entries)).toEqual(['one', 'notice', 'three']);
    expect(page.entries[0]).toMatchObject({ history: true, room: 'lobby' });
  });

  it('shows a hole in its chain as a gap', async () => {
    const scene = await connected();
    const room = await join(scene);
    const asking = room.history();
    await turns();
    await scene.server.end.send({
      type: FrameType.History,
      id: scene.server.end.last(FrameType.Request).id,
      last: true,
      end: false,
      entries: entries(message(1, 0, 'one'), message(5, 4, 'five')),
    });
    expect((await asking).entries.map(({ type }) => type)).toEqual(['message', 'gap', 'message']);
  });

  it('shows what is held no longer, behind the position that it was to go on from, as a gap', async () => {
    const scene = await connected();
    const room = await join(scene);
    const ask = async (after: number, first: number, prev: number) => {
      const asking = room.history({ after });
      await turns();
      await scene.server.end.send({
        type: FrameType.History,
        id: scene.server.end.last(FrameType.Request).id,
        last: true,
        end: true,
        entries: entries(message(first, prev, 'text')),
      });
      return (await asking).entries;
    };
    expect((await ask(3, 900, 880))[0]).toEqual({
      type: 'gap',
      room: 'lobby',
      reason: 'expired',
      from: 3,
      to: 880,
    });
    // Another room may have had this position: nothing is missing here.
    expect((await ask(3, 5, 2)).map(({ type }) => type)).toEqual(['message']);
    expect((await ask(3, 5, 3)).map(({ type }) => type)).toEqual(['message']);
  });

  it.each([
    ['half an entry', entries(message(1, 0, 'one')).slice(0, -1), 'FRAME_MALFORMED'],
    ['an entry without a type', new Uint8Array(40), 'FRAME_UNKNOWN'],
    ['an entry of length 0', Uint8Array.of(0, 0, 0, 0, FrameType.Message, 0, 0, 0), 'FRAME_TOO_SHORT'],
    ['what is no entry', encodeFrame({ type: FrameType.Ping, nonce: 1 }), 'FRAME_MALFORMED'],
  ])('rejects %s', async (_what, bytes, code) => {
    const scene = await connected();
    const room = await join(scene);
    const asking = room.history();
    asking.catch(() => {});
    await turns();
    await scene.server.end.send({
      type: FrameType.History,
      id: scene.server.end.last(FrameType.Request).id,
      last: true,
      end: false,
      entries: bytes,
    });
    await expect(asking).rejects.toMatchObject({ code: `ERR_PROTOCOL_${code}` });
  });
});

describe('signals', () => {
  it('are sent as JSON and told with their sender', async () => {
    const scene = await connected();
    const room = await join(scene);
    const seen: unknown[] = [];
    room.on('signal', (signal) => seen.push(signal));
    expect(room.signal({ typing: true })).toBe(true);
    await turns();
    const sent = scene.server.end.last(FrameType.Signal);
    expect(sent).toMatchObject({ room: 7, sender: 0, name: '' });
    await scene.server.end.send(
      { ...sent, sender: 2, name: 'bob' },
      { ...sent, sender: 2, name: 'bob', codec: textCodec.tag, body: textCodec.encode('text') },
      { ...sent, sender: 2, name: 'bob', codec: bytesCodec.tag, body: Uint8Array.of(1) },
      { ...sent, sender: 2, name: 'bob', codec: 77 },
      { ...sent, sender: 2, name: 'bob', body: Uint8Array.of(0xff) },
    );
    const sender = { id: 2, name: 'bob' };
    expect(seen).toEqual([
      { room: 'lobby', sender, value: { typing: true } },
      { room: 'lobby', sender, value: 'text' },
      { room: 'lobby', sender, value: Uint8Array.of(1) },
    ]);
  });

  it('are refused when they are larger than the server takes, which would drop them in silence', async () => {
    const scene = await connected({}, { maxSignalBytes: 10 });
    const room = await join(scene);
    expect(room.signal('12345678')).toBe(true);
    expect(() => room.signal('123456789')).toThrow(
      expect.objectContaining({ code: 'ERR_CLIENT_TOO_LARGE', max: 10, actual: 11 }),
    );
    await turns();
    await scene.server.end.cut();
    expect(() => room.signal('123456789')).toThrow('a signal of 11 bytes exceeds maxSignalBytes 10');
    expect(scene.server.end.all(FrameType.Signal)).toHaveLength(1);
  });

  it('are not measured where a server names no limit', async () => {
    const room = await join(await connected());
    expect(room.signal('x'.repeat(2000))).toBe(true);
  });

  it('are dropped while there is no connection', async () => {
    const scene = await connected();
    const room = await join(scene);
    await scene.server.end.cut();
    expect(room.signal('typing')).toBe(false);
  });

  it('are dropped while the connection is behind, and messages are not', async () => {
    const scene = await connected();
    const room = await join(scene);
    scene.server.bufferedBytes = 65_536;
    expect(room.signal('just not behind')).toBe(true);
    scene.server.bufferedBytes = 65_537;
    expect(room.signal('behind')).toBe(false);
    void room.send('a message');
    await turns();
    expect(scene.server.end.all(FrameType.Signal)).toHaveLength(1);
    expect(scene.server.end.texts).toEqual(['a message']);
  });
});

describe('direct messages', () => {
  it('arrive as an event and in an iterator, those from before the first subscription included', async () => {
    const { client, server } = await connected();
    await server.end.send(message(1, 0, 'early', { room: 900 }));
    const seen: unknown[] = [];
    client.on('direct', (direct) => seen.push(direct));
    const directs = client.directs();
    await turns();
    await server.end.send(message(2, 1, 'later', { room: 900 }));
    expect(seen).toEqual([
      expect.objectContaining({ type: 'direct', value: 'early', sender: { id: 2, name: 'bob' } }),
      expect.objectContaining({ value: 'later' }),
    ]);
    expect(seen[0]).not.toHaveProperty('room');
    expect((await directs.next()).value?.value).toBe('early');
    expect((await directs.next()).value?.value).toBe('later');
  });

  it('are acknowledged, or refused when nobody has the name', async () => {
    const { client, server } = await connected();
    const sending = client.direct('bob', 'psst');
    await turns();
    expect(server.end.last(FrameType.Direct)).toMatchObject({ publishId: 1, to: 'bob' });
    await server.end.ack(1, 40);
    expect(await sending).toEqual({ id: 'e1-40', seq: 40, at: 1040 });
    const failing = client.direct('nobody', 'psst');
    await turns();
    await server.end.send({
      type: FrameType.Nack,
      publishId: 2,
      failure: { code: 'no-such-user', message: 'nobody is called nobody' },
    });
    await expect(failing).rejects.toMatchObject({ code: 'ERR_CLIENT_NO_SUCH_USER' });
  });

  it('that cannot be read are told apart', async () => {
    const { client, server } = await connected();
    const seen: unknown[] = [];
    client.on('unreadable', (entry) => seen.push(entry));
    client.on('direct', () => {});
    await turns();
    await server.end.send(message(1, 0, '', { room: 900, body: Uint8Array.of(0xff) }));
    expect(seen).toEqual([expect.objectContaining({ type: 'unreadable', room: undefined })]);
  });
});

describe('coming back', () => {
  const position = (scene: Scene) => scene.server.end.last(FrameType.Hello).hello.resume;

  it('to a session that was kept goes on after the last entry, with nothing lost or doubled', async () => {
    const scene = await connected();
    const room = await join(scene);
    const seen = collect(room);
    await scene.server.end.send(message(1, 0, 'one'), message(2, 1, 'two', { room: 900 }));
    await scene.server.end.cut();
    await comeBack(scene);
    expect(position(scene)).toMatchObject({ rooms: [{ room: 'lobby', after: 1 }], inbox: 2 });
    await scene.server.end.welcome({
      resumed: true,
      inbox: { handle: 900, start: 2 },
      rooms: [joined('lobby', { start: 1, head: 3, members: [{ id: 2, name: 'bob' }] })],
    });
    await scene.server.end.send(message(3, 1, 'three'));
    expect(valuesOf(seen)).toEqual(['one', 'three']);
    expect(seen[1]).toMatchObject({ history: false });
    expect([...room.members.values()]).toEqual([{ id: 2, name: 'bob' }]);
    expect(scene.server.end.all(FrameType.Request)).toHaveLength(0);
  });

  it('works with no message seen, at once, and again and again', async () => {
    const scene = await connected();
    const room = await join(scene, 'lobby', { start: 17, head: 17 });
    const seen = collect(room);
    for (let i = 0; i < 5; i++) {
      await scene.server.end.cut();
      await comeBack(scene);
      expect(position(scene)?.rooms).toEqual([{ room: 'lobby', after: 17 }]);
      await scene.server.end.welcome({ resumed: true, rooms: [joined('lobby', { start: 17, head: 17 })] });
    }
    await scene.server.end.send(message(18, 17, 'first'));
    expect(valuesOf(seen)).toEqual(['first']);
  });

  it('to a session that goes on, but is in a room no more, ends the room: it was taken from the member', async () => {
    const scene = await connected();
    const [kept, taken, leaving] = [
      await join(scene),
      await join(scene, 'private'),
      await join(scene, 'old'),
    ];
    const told: unknown[] = [];
    scene.client.on('room-lost', ({ room, error }) => told.push([room, error.code]));
    await scene.server.end.cut();
    // Its answer ends the room, and that is no eviction.
    const left = leaving.leave();
    await comeBack(scene);
    await scene.server.end.welcome({ resumed: true, rooms: [joined('lobby')] });
    const asked = scene.server.end.all(FrameType.Request).map(({ request }) => request);
    expect(asked).toEqual([{ op: 'leave', room: 'old' }]);
    expect(told).toEqual([['private', 'ERR_CLIENT_KICKED']]);
    expect([kept.joined, taken.joined, leaving.joined]).toEqual([true, false, false]);
    left.catch(() => {});
    await scene.client.close();
  });

  it('tells what the server no longer holds', async () => {
    const scene = await connected();
    const room = await join(scene);
    const seen = collect(room);
    const gaps: Gap[] = [];
    scene.client.on('gap', (gap) => gaps.push(gap));
    await scene.server.end.send(message(1, 0, 'one'));
    await scene.server.end.cut();
    await comeBack(scene);
    await scene.server.end.welcome({
      resumed: true,
      inbox: { handle: 900, start: 6 },
      rooms: [joined('lobby', { start: 8, head: 9, gap: { from: 1, to: 8 } })],
    });
    await scene.server.end.send(message(9, 8, 'nine'));
    expect(valuesOf(seen)).toEqual(['one', 'gap', 'nine']);
    expect(seen[1]).toMatchObject({ reason: 'expired', from: 1, to: 8 });
    scene.client.on('direct', () => {});
    await turns();
    expect(gaps).toContainEqual({ type: 'gap', room: undefined, reason: 'expired', from: 0, to: 6 });
  });

  it('to a new session joins every room again after its last entry', async () => {
    const scene = await connected();
    const room = await join(scene);
    const seen = collect(room);
    await scene.server.end.send(message(5, 0, 'mine', { sender: 1, name: 'ada' }));
    await scene.server.end.cut();
    await comeBack(scene);
    await scene.server.end.welcome({ session: 's2', member: { id: 33, name: 'ada' } });
    expect(scene.server.end.last(FrameType.Request).request).toEqual({
      op: 'join',
      room: 'lobby',
      after: 5,
      epoch: 'e1',
    });
    await scene.server.end.respond(joined('lobby', { handle: 8, start: 5, head: 6 }));
    await scene.server.end.send(
      message(6, 5, 'old mine', { room: 8, sender: 1, name: 'ada' }),
      message(7, 6, 'new mine', { room: 8, sender: 33, name: 'ada' }),
    );
    expect(seen.map((entry) => (entry as Message).own)).toEqual([true, true, true]);
    expect(scene.client.id).toBe(33);
  });

  it('tells that direct messages to a lost session may be missing', async () => {
    const scene = await connected();
    const gaps: Gap[] = [];
    scene.client.on('gap', (gap) => gaps.push(gap));
    scene.client.on('direct', () => {});
    await turns();
    await scene.server.end.send(message(3, 0, 'hi', { room: 900 }));
    await scene.server.end.cut();
    await comeBack(scene);
    await scene.server.end.welcome({ session: 's2', inbox: { handle: 901, start: 44 } });
    expect(gaps).toEqual([{ type: 'gap', room: undefined, reason: 'session-gone', from: 3, to: 44 }]);
  });

  it('to a server that lost its memory says so, and gets all that the new log holds', async () => {
    const scene = await connected();
    const room = await join(scene, 'lobby', {}, { history: 10 });
    const seen = collect(room);
    await scene.server.end.send(message(100, 0, 'old'));
    await scene.server.end.cut();
    await comeBack(scene);
    await scene.server.end.welcome({ session: 's9', epoch: 'e2' });
    expect(scene.server.end.last(FrameType.Request).request).toEqual({
      op: 'join',
      room: 'lobby',
      after: 100,
      epoch: 'e1',
    });
    await scene.server.end.respond(joined('lobby', { handle: 1, start: 0, head: 2 }));
    await scene.server.end.send(message(2, 0, 'new', { room: 1 }), message(3, 2, 'newer', { room: 1 }));
    expect(seen.map((entry) => (entry.type === 'gap' ? entry.reason : (entry as Message).id))).toEqual([
      'e1-100',
      'epoch-changed',
      'e2-2',
      'e2-3',
    ]);
    // It was missed, as what others say while a connection is away in one life of the log: that is news.
    expect((seen[2] as Message).history).toBe(false);
    expect((seen[3] as Message).history).toBe(false);
    expect(scene.client.epoch).toBe('e2');
    await scene.server.end.cut();
    await comeBack(scene);
    expect(position(scene)).toMatchObject({ epoch: 'e2', rooms: [{ room: 'lobby', after: 3 }] });
  });

  it('twice before the room is joined again does not mix up the epochs', async () => {
    const scene = await connected();
    const room = await join(scene);
    const seen = collect(room);
    await scene.server.end.send(message(100, 0, 'old'));
    await scene.server.end.cut();
    await comeBack(scene);
    await scene.server.end.welcome({ session: 's2', epoch: 'e2' });
    await scene.server.end.cut();
    await comeBack(scene);
    expect(position(scene)?.rooms).toEqual([]);
    await scene.server.end.welcome({ session: 's2', epoch: 'e2', resumed: true, rooms: [joined('lobby')] });
    const requests = scene.server.end.all(FrameType.Request).map(({ request }) => request);
    expect(requests).toEqual([{ op: 'join', room: 'lobby', after: 100, epoch: 'e1' }]);
    await scene.server.end.respond(joined('lobby', { start: 4, head: 4 }));
    expect(valuesOf(seen)).toEqual(['old', 'gap']);
  });

  it('asks again to join a room whose answer was lost with the connection', async () => {
    const scene = await connected();
    const joining = scene.client.join('lobby', { history: 5 });
    await turns();
    await scene.server.end.cut();
    await comeBack(scene);
    await scene.server.end.welcome({ resumed: true, rooms: [joined('lobby', { start: 9 })] });
    expect(scene.server.end.all(FrameType.Request).map(({ request }) => request)).toEqual([
      { op: 'join', room: 'lobby', history: 5 },
    ]);
    await scene.server.end.respond(joined('lobby', { start: 4 }));
    expect((await joining).position).toBe(4);
  });

  it('tries a join again that was refused for now, after the time that the server names', async () => {
    const scene = await connected();
    await join(scene);
    await scene.server.end.cut();
    await comeBack(scene);
    await scene.server.end.welcome({ session: 's2' });
    await scene.server.end.refuse({ code: 'rate-limited', message: 'slowly', retryAfterMs: 3000 });
    expect(scene.server.end.all(FrameType.Request)).toHaveLength(1);
    await scene.clock.advance(3000);
    expect(scene.server.end.all(FrameType.Request)).toHaveLength(2);
  });

  it('loses a room that it may not join any more, and says so', async () => {
    const scene = await connected();
    const room = await join(scene);
    const reading = (async () => {
      for await (const _message of room.messages());
    })();
    reading.catch(() => {});
    const lost: unknown[] = [];
    scene.client.on('room-lost', (event) => lost.push(event));
    await scene.server.end.cut();
    const sending = room.send('waiting');
    sending.catch(() => {});
    await comeBack(scene);
    await scene.server.end.welcome({ session: 's2' });
    await scene.server.end.refuse({ code: 'forbidden', message: 'not any more' });
    const error = expect.objectContaining({ code: 'ERR_CLIENT_FORBIDDEN' });
    expect(lost).toEqual([{ room: 'lobby', error }]);
    await expect(reading).rejects.toEqual(error);
    await expect(sending).rejects.toMatchObject({ code: 'ERR_CLIENT_NOT_MEMBER' });
    expect(scene.client.state.status).toBe('open');
  });

  it('is not lost when it was left before the server could refuse it', async () => {
    const scene = await connected();
    await join(scene);
    const lost: unknown[] = [];
    scene.client.on('room-lost', (event) => lost.push(event));
    await scene.server.end.cut();
    const leaving = scene.client.leave('lobby');
    await comeBack(scene);
    await scene.server.end.welcome({ session: 's2' });
    const [leave, rejoin] = scene.server.end.all(FrameType.Request);
    expect([leave!.request.op, rejoin!.request.op]).toEqual(['leave', 'join']);
    const failure = { code: 'forbidden', message: 'not any more' } as const;
    await scene.server.end.send(
      { type: FrameType.Response, id: leave!.id, response: { left: false } },
      { type: FrameType.Failed, id: rejoin!.id, failure },
    );
    expect(await leaving).toBe(true);
    expect(lost).toEqual([]);
  });

  it('loses a room that it is shown out of, behind the notice that says so', async () => {
    const scene = await connected();
    const room = await join(scene, 'lobby', { head: 5, start: 5 });
    const kinds: string[] = [];
    const reading = (async () => {
      for await (const entry of room.entries()) kinds.push(entry.type === 'notice' ? entry.kind : entry.type);
    })();
    reading.catch(() => {});
    const lost: unknown[] = [];
    scene.client.on('room-lost', (event) => lost.push(event));
    const own = { sender: 1, name: 'ada' };
    await scene.server.end.send(notice(6, 5, NoticeKind.Left));
    expect(room.joined).toBe(true);
    await scene.server.end.send(notice(7, 6, NoticeKind.Left, own));
    const error = expect.objectContaining({ code: 'ERR_CLIENT_KICKED' });
    await expect(reading).rejects.toEqual(error);
    expect(kinds).toEqual(['left', 'left']);
    expect(lost).toEqual([{ room: 'lobby', error }]);
    expect(scene.client.joined.size).toBe(0);
    // An earlier one of these is history after a new join, and says nothing about now.
    const again = await join(scene, 'lobby', { head: 7, start: 5 });
    await scene.server.end.send(notice(7, 5, NoticeKind.Left, own));
    expect(again.joined).toBe(true);
  });

  it('leaves again a room that was left while it was joined again', async () => {
    const scene = await connected();
    const room = await join(scene);
    await scene.server.end.cut();
    await comeBack(scene);
    await scene.server.end.welcome({ session: 's2' });
    const leaving = room.leave();
    await turns();
    const [joinAgain, leave] = scene.server.end.all(FrameType.Request);
    await scene.server.end.send({ type: FrameType.Response, id: leave!.id, response: { left: false } });
    await leaving;
    await scene.server.end.send({ type: FrameType.Response, id: joinAgain!.id, response: joined('lobby') });
    expect(scene.server.end.last(FrameType.Request)).toMatchObject({
      id: 0,
      request: { op: 'leave', room: 'lobby' },
    });
    expect(scene.client.joined.size).toBe(0);
  });

  it('leaves the room on the server that was left here meanwhile', async () => {
    const scene = await connected();
    const room = await join(scene);
    await scene.server.end.cut();
    const leaving = room.leave();
    await comeBack(scene);
    expect(position(scene)?.rooms).toEqual([{ room: 'lobby', after: 0 }]);
    await scene.server.end.welcome({ resumed: true, rooms: [joined('lobby')] });
    expect(scene.server.end.last(FrameType.Request).request).toEqual({ op: 'leave', room: 'lobby' });
    await scene.server.end.respond({ left: true });
    await leaving;
    expect(scene.client.joined.size).toBe(0);
  });
});

describe('own name', () => {
  it('follows a rename that came from elsewhere', async () => {
    const scene = await connected();
    const room = await join(scene);
    const renames: unknown[] = [];
    scene.client.on('renamed', (event) => renames.push(event));
    const notices: Notice[] = [];
    room.on('notice', (entry) => notices.push(entry));
    await scene.server.end.send(
      notice(1, 0, NoticeKind.Renamed, { sender: 1, name: 'ada', body: textCodec.encode('countess') }),
    );
    expect(scene.client.name).toBe('countess');
    expect(renames).toEqual([{ name: 'countess', oldName: 'ada' }]);
    expect(notices).toHaveLength(1);
  });
});
