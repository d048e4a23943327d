/** Joins and leaves of one room that overlap, are given up or come late: what counts is the order in which they were asked. */
import { FrameType } from '@chat/protocol/frames';
import { describe, expect, it } from 'vitest';
import { comeBack, connected, join, type Scene } from './support/connected.js';
import { turns } from './support/fake-clock.js';
import { joined, message } from './support/scripted-server.js';

/** What the client has asked for over this connection. */
const asked = ({ server }: Scene) => server.end.all(FrameType.Request).map(({ request }) => request);

/** Answers the requests of this connection, the oldest first. */
async function answer({ server }: Scene, index: number, response: unknown): Promise<void> {
  const { id } = server.end.all(FrameType.Request)[index]!;
  await server.end.send({ type: FrameType.Response, id, response });
}

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

describe('a message', () => {
  it('waits for its own room alone, and goes out when that is joined again', async () => {
    const scene = await connected();
    const [good, bad] = [await join(scene, 'good', { handle: 7 }), await join(scene, 'bad', { handle: 8 })];
    await scene.server.end.cut();
    const texts = [
      bad.send('to bad 1'),
      good.send('to good'),
      bad.send('to bad 2'),
      scene.client.direct('bob', 'psst'),
    ];
    await comeBack(scene);
    await scene.server.end.welcome({ session: 's2' });
    await answer(scene, 0, joined('good', { handle: 17 }));
    const { id } = scene.server.end.all(FrameType.Request)[1]!;
    await scene.server.end.send({
      type: FrameType.Failed,
      id,
      failure: { code: 'internal', message: 'down' },
    });
    expect(scene.server.end.texts).toEqual(['to good']);
    expect(scene.server.end.all(FrameType.Direct)).toHaveLength(1);
    await scene.clock.advance(1000);
    await answer(scene, 2, joined('bad', { handle: 18 }));
    expect(scene.server.end.texts).toEqual(['to good', 'to bad 1', 'to bad 2']);
    expect(scene.server.end.all(FrameType.Publish).map(({ room }) => room)).toEqual([17, 18, 18]);
    for (const [index, publishId] of [2, 1, 4, 3].entries())
      await scene.server.end.ack(publishId, 20 + index);
    expect((await Promise.all(texts)).map(({ seq }) => seq).sort()).toEqual([20, 21, 22, 23]);
  });

  it('is refused when its room cannot be joined again', async () => {
    const scene = await connected();
    const room = await join(scene);
    await scene.server.end.cut();
    const sending = expect(room.send('hello')).rejects.toMatchObject({ code: 'ERR_CLIENT_NOT_MEMBER' });
    await comeBack(scene);
    await scene.server.end.welcome({ session: 's2' });
    await scene.server.end.refuse({ code: 'forbidden', message: 'no' });
    await sending;
  });

  it('expires while its room is not joined again, and holds no place then', async () => {
    const scene = await connected({ outbox: { maxAgeMs: 5000, maxCount: 1 } });
    const room = await join(scene);
    await scene.server.end.cut();
    const sending = expect(room.send('hello')).rejects.toMatchObject({ code: 'ERR_CLIENT_OUTBOX_EXPIRED' });
    await comeBack(scene);
    await scene.server.end.welcome({ session: 's2' });
    await scene.clock.advance(5000);
    await sending;
    const direct = scene.client.direct('bob', 'psst');
    await turns();
    await scene.server.end.ack(1, 3);
    expect((await direct).seq).toBe(3);
  });
});

describe('history', () => {
  it('says that what it was to go on from is all gone', async () => {
    const scene = await connected();
    const room = await join(scene, 'lobby', { start: 9 });
    const reading = room.history({ after: 4 });
    await turns();
    const { id } = scene.server.end.last(FrameType.Request);
    await scene.server.end.send({
      type: FrameType.History,
      id,
      last: true,
      end: true,
      entries: new Uint8Array(0),
    });
    expect((await reading).entries).toEqual([
      { type: 'gap', room: 'lobby', reason: 'expired', from: 4, to: 9 },
    ]);
  });
});
