import { bytesCodec, type Codec, jsonCodec, textCodec, withSchema } from '@chat/protocol';
import { FrameType, NoticeKind } from '@chat/protocol/frames';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { RoomEntry } from '../../src/index.js';
import { comeBack, connected, join } from '../support/connected.js';
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
    expect(() => room.signal('123456789')).toThrow('a signal of 11 exceeds maxSignalBytes 10');
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
