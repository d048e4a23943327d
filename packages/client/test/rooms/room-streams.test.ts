/** Joining, leaving and coming back to rooms; what overlaps counts in the order in which it was asked. */
import { getEventListeners } from 'node:events';
import { CloseCode, jsonCodec, textCodec } from '@chat/protocol';
import { FrameType, NoticeKind } from '@chat/protocol/frames';
import { describe, expect, it } from 'vitest';
import type { Gap, Message, RoomEntry } from '../../src/index.js';
import { comeBack, connected, join, type Scene } from '../support/connected.js';
import { turns } from '../support/fake-clock.js';
import { joined, message, notice } from '../support/scripted-server.js';

/** What the client has asked for over this connection. */
const asked = ({ server }: Scene) => server.end.all(FrameType.Request).map(({ request }) => request);

/** Answers the requests of this connection, the oldest first. */
async function answer({ server }: Scene, index: number, response: unknown): Promise<void> {
  const { id } = server.end.all(FrameType.Request)[index]!;
  await server.end.send({ type: FrameType.Response, id, response });
}

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

describe('a join', () => {
  it('that comes before the answer to a leave gives another room, which stays', async () => {
    const scene = await connected();
    const first = await join(scene);
    const leaving = first.leave();
    const joining = scene.client.join('lobby');
    await turns();
    expect(asked(scene).slice(1)).toEqual([
      { op: 'leave', room: 'lobby' },
      { op: 'join', room: 'lobby' },
    ]);
    await answer(scene, 1, { left: true });
    await leaving;
    await answer(scene, 2, joined('lobby', { start: 5 }));
    const second = await joining;
    expect([first.joined, second.joined, second === first]).toEqual([false, true, false]);
    expect(scene.client.joined.get('lobby')).toBe(second);
  });

  it('takes over what a join that was given up has begun, and does not leave the room', async () => {
    const scene = await connected();
    const giveUp = new AbortController();
    const since = { epoch: 'e1', seq: 3 };
    scene.client.join('lobby', { since, signal: giveUp.signal }).catch(() => {});
    await turns();
    giveUp.abort();
    // Spelled differently, it is the same room.
    const joining = scene.client.join('LOBBY', { since });
    await turns();
    await answer(scene, 0, joined('lobby', { start: 3 }));
    await scene.server.end.send(message(4, 3, 'missed by nobody'));
    await answer(scene, 1, joined('lobby', { start: 3 }));
    await scene.server.end.send(message(4, 3, 'missed by nobody'), message(5, 4, 'new'));
    const values: string[] = [];
    (await joining).on('message', ({ value }) => values.push(value));
    await turns();
    expect(values).toEqual(['missed by nobody', 'new']);
    expect(asked(scene)).toHaveLength(2);
  });

  it('of a joined room goes on with it, whatever the server streams again', async () => {
    const scene = await connected();
    const joining = [scene.client.join('lobby'), scene.client.join('lobby', { history: 5 })];
    await turns();
    const values: string[] = [];
    await answer(scene, 0, joined('lobby'));
    (await joining[0]!).on('message', ({ value }) => values.push(value));
    await scene.server.end.send(message(1, 0, 'one'), message(2, 1, 'two'));
    await answer(scene, 1, joined('lobby', { start: 1, head: 2 }));
    await scene.server.end.send(message(2, 1, 'two'), message(3, 2, 'three'));
    expect(await joining[1]).toBe(await joining[0]);
    expect(values).toEqual(['one', 'two', 'three']);
  });

  it('that is still asked for is left by name as well', async () => {
    const scene = await connected();
    const joining = scene.client.join('lobby');
    const leaving = scene.client.leave('Lobby');
    await turns();
    await answer(scene, 0, joined('lobby'));
    const room = await joining;
    await answer(scene, 1, { left: true });
    expect(await leaving).toBe(true);
    expect(room.joined).toBe(false);
    expect(await scene.client.leave('lobby')).toBe(false);
  });
});

describe('a leave', () => {
  it('whose answer comes too late ends the room all the same', async () => {
    const scene = await connected({ requestTimeoutMs: 1000 });
    const room = await join(scene);
    const leaving = expect(room.leave()).rejects.toMatchObject({ code: 'ERR_CLIENT_REQUEST_TIMEOUT' });
    await scene.clock.advance(1000);
    await leaving;
    expect(room.joined).toBe(true);
    await answer(scene, 1, { left: true });
    expect(room.joined).toBe(false);
  });

  it('that is called twice is asked once', async () => {
    const scene = await connected();
    const room = await join(scene);
    const leaving = [room.leave(), room.leave(), scene.client.leave('lobby')];
    await turns();
    expect(asked(scene)).toHaveLength(2);
    await answer(scene, 1, { left: true });
    expect(await Promise.all(leaving)).toEqual([undefined, undefined, true]);
  });

  it('that was refused leaves the room as it is', async () => {
    const scene = await connected();
    const room = await join(scene);
    const leaving = expect(room.leave()).rejects.toMatchObject({ code: 'ERR_CLIENT_RATE_LIMITED' });
    await turns();
    await scene.server.end.refuse({ code: 'rate-limited', message: 'slowly' });
    await leaving;
    expect(await scene.client.join('lobby')).toBe(room);
  });

  it('whose answer was lost with the connection is no loss of the room', async () => {
    const scene = await connected({ requestTimeoutMs: 1000 });
    const room = await join(scene);
    const lost: string[] = [];
    scene.client.on('room-lost', ({ room: name }) => lost.push(name));
    room.leave().catch(() => {});
    await scene.clock.advance(1000);
    await scene.server.end.cut();
    await comeBack(scene);
    await scene.server.end.welcome({ resumed: true, rooms: [] });
    expect([room.joined, lost]).toEqual([false, []]);
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

  it('to a room that it has asked to leave, and is in still, is no eviction once it is out', async () => {
    const scene = await connected();
    const room = await join(scene);
    const lost: unknown[] = [];
    scene.client.on('room-lost', (event) => lost.push(event));
    const leaving = room.leave();
    await turns();
    // The server was killed before its log had the leaving: it is asked again.
    await scene.server.end.cut();
    await comeBack(scene);
    await scene.server.end.welcome({ resumed: true, rooms: [joined('lobby')] });
    expect(asked(scene)).toEqual([{ op: 'leave', room: 'lobby' }]);
    // Now it was killed before it could answer.
    await scene.server.end.cut();
    await comeBack(scene);
    await scene.server.end.welcome({ resumed: true, rooms: [] });
    await answer(scene, 0, { left: false });
    await leaving;
    expect([room.joined, lost]).toEqual([false, []]);
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
