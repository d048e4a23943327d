import { textCodec } from '@chat/protocol';
import { FrameType } from '@chat/protocol/frames';
import { describe, expect, it } from 'vitest';
import type { Room } from '../../src/index.js';
import { comeBack, connected, join, type Scene } from '../support/connected.js';
import { turns } from '../support/fake-clock.js';
import { joined } from '../support/scripted-server.js';

async function inRoom(...args: Parameters<typeof connected>): Promise<Scene & { readonly room: Room }> {
  const scene = await connected(...args);
  const room = await join(scene);
  return { ...scene, room };
}

const idsOf = (scene: Scene) => scene.server.end.all(FrameType.Publish).map(({ publishId }) => publishId);

/** What became of a promise, without waiting for it. */
function outcome(promise: Promise<unknown>): { now: string } {
  const seen = { now: 'pending' };
  promise.then(
    () => {
      seen.now = 'resolved';
    },
    (error: { code?: string; message: string }) => {
      seen.now = error.code ?? error.message;
    },
  );
  return seen;
}

async function backInOldSession(scene: Scene): Promise<void> {
  await comeBack(scene);
  await scene.server.end.welcome({ resumed: true, rooms: [joined('lobby')] });
}

async function backInNewSession(scene: Scene): Promise<void> {
  await comeBack(scene);
  await scene.server.end.welcome({ session: 's2' });
  await scene.server.end.respond(joined('lobby', { handle: 8 }));
}

/** Answers the requests of this connection, the oldest first. */
async function answer({ server }: Scene, index: number, response: unknown): Promise<void> {
  const { id } = server.end.all(FrameType.Request)[index]!;
  await server.end.send({ type: FrameType.Response, id, response });
}

describe('send', () => {
  it('is resolved with the place of the message in the log', async () => {
    const { server, room } = await inRoom();
    const sending = room.send('hello');
    await turns();
    expect(server.end.last(FrameType.Publish)).toMatchObject({ room: 7, publishId: 1, codec: textCodec.tag });
    await server.end.ack(1, 12);
    expect(await sending).toEqual({ id: 'e1-12', seq: 12, at: 1012 });
  });

  it('joins what is sent in one turn into one write', async () => {
    const { server, room } = await inRoom();
    const writes = server.end.writes.length;
    for (let i = 0; i < 4; i++) void room.send(`m${i}`);
    await turns();
    expect(server.end.writes.length - writes).toBe(1);
    expect(server.end.texts).toEqual(['m0', 'm1', 'm2', 'm3']);
  });

  it('cuts a large batch between frames', async () => {
    const scene = await inRoom();
    await scene.server.end.cut();
    for (let i = 0; i < 200; i++) void scene.room.send('x'.repeat(1000));
    await comeBack(scene);
    const limits = { ...scene.client.limits!, maxInFlight: 500 };
    await scene.server.end.welcome({ resumed: true, limits, rooms: [joined('lobby')] });
    const [, ...batches] = scene.server.end.writes;
    expect(batches.length).toBeGreaterThan(1);
    expect(Math.max(...batches)).toBeLessThanOrEqual(16_384);
    for (const bytes of batches) expect(bytes % 1016).toBe(0);
    expect(scene.server.end.texts).toHaveLength(200);
  });

  it('keeps to the window of the server, in order', async () => {
    const scene = await inRoom();
    const { server, room } = scene;
    for (let i = 1; i <= 6; i++) void room.send(`m${i}`);
    await turns();
    expect(idsOf(scene)).toEqual([1, 2, 3, 4]);
    await server.end.ack(1, 1);
    await turns();
    expect(idsOf(scene)).toEqual([1, 2, 3, 4, 5]);
    await server.end.ack(2, 2);
    await turns();
    expect(server.end.texts).toEqual(['m1', 'm2', 'm3', 'm4', 'm5', 'm6']);
  });

  it('rejects with the failure of the server, and goes on with the next id', async () => {
    const scene = await inRoom();
    const { server, room } = scene;
    const sending = room.send('too fast');
    sending.catch(() => {});
    await turns();
    await server.end.send({
      type: FrameType.Nack,
      publishId: 1,
      failure: { code: 'rate-limited', message: 'slow down', retryAfterMs: 250 },
    });
    await expect(sending).rejects.toMatchObject({ code: 'ERR_CLIENT_RATE_LIMITED', retryAfterMs: 250 });
    void room.send('next');
    await turns();
    expect(idsOf(scene)).toEqual([1, 2]);
  });

  it('rejects a message that is too large without sending it', async () => {
    const scene = await inRoom();
    await expect(scene.room.send('x'.repeat(1001))).rejects.toMatchObject({
      code: 'ERR_CLIENT_TOO_LARGE',
      max: 1000,
      actual: 1001,
    });
    expect(idsOf(scene)).toEqual([]);
    await expect(scene.room.send('\ud800')).rejects.toThrow(TypeError);
  });

  it('does not bring the process down when nobody waits for its outcome', async () => {
    const { room, client } = await inRoom();
    const unhandled: unknown[] = [];
    const note = (reason: unknown) => unhandled.push(reason);
    process.on('unhandledRejection', note);
    void room.send('x'.repeat(2000));
    void room.send('fine');
    await client.close();
    await turns(10);
    process.off('unhandledRejection', note);
    expect(unhandled).toEqual([]);
  });
});

describe('a signal of send', () => {
  it('takes back what was not sent yet', async () => {
    const scene = await inRoom();
    const controller = new AbortController();
    await scene.server.end.cut();
    const sending = outcome(scene.room.send('never mind', { signal: controller.signal }));
    void scene.room.send('this one');
    controller.abort(new Error('changed my mind'));
    await turns();
    expect(sending.now).toBe('changed my mind');
    await backInOldSession(scene);
    expect(scene.server.end.texts).toEqual(['this one']);
  });

  it('gives up waiting for what was sent, and its id stays used', async () => {
    const scene = await inRoom();
    const controller = new AbortController();
    const sending = outcome(scene.room.send('gone out', { signal: controller.signal }));
    await turns();
    controller.abort(new Error('enough'));
    await turns();
    expect(sending.now).toBe('enough');
    await scene.server.end.cut();
    await backInOldSession(scene);
    expect(scene.server.end.texts).toEqual(['gone out']);
    await scene.server.end.ack(1, 1);
    void scene.room.send('next');
    await turns();
    expect(idsOf(scene)).toEqual([1, 2]);
  });

  it('that is aborted already sends nothing', async () => {
    const scene = await inRoom();
    const signal = AbortSignal.abort(new Error('before'));
    await expect(scene.room.send('x', { signal })).rejects.toThrow('before');
    await turns();
    expect(idsOf(scene)).toEqual([]);
  });
});

describe('while the connection is away', () => {
  it('messages wait and go out in order', async () => {
    const scene = await inRoom();
    await scene.server.end.cut();
    const outcomes = ['a', 'b', 'c'].map((text) => outcome(scene.room.send(text)));
    await backInOldSession(scene);
    expect(scene.server.end.texts).toEqual(['a', 'b', 'c']);
    for (let id = 1; id <= 3; id++) await scene.server.end.ack(id, id);
    expect(outcomes.map(({ now }) => now)).toEqual(['resolved', 'resolved', 'resolved']);
  });

  it('and the session is kept, what was in flight is sent again under the same ids, before the rest', async () => {
    const scene = await inRoom();
    const outcomes = ['one', 'two', 'three'].map((text) => outcome(scene.room.send(text)));
    await turns();
    await scene.server.end.ack(1, 1);
    await scene.server.end.cut();
    outcomes.push(outcome(scene.room.send('four')));
    await backInOldSession(scene);
    expect(scene.server.end.texts).toEqual(['two', 'three', 'four']);
    expect(idsOf(scene)).toEqual([2, 3, 4]);
    for (let id = 2; id <= 4; id++) await scene.server.end.ack(id, id);
    expect(outcomes.every(({ now }) => now === 'resolved')).toBe(true);
  });

  it('and the session is lost, what was in flight is unconfirmed and what was not is sent anew', async () => {
    const scene = await inRoom();
    const inFlight = outcome(scene.room.send('who knows'));
    await turns();
    await scene.server.end.cut();
    const waiting = outcome(scene.room.send('not sent yet'));
    await backInNewSession(scene);
    expect(inFlight.now).toBe('ERR_CLIENT_UNCONFIRMED');
    expect(scene.server.end.last(FrameType.Publish)).toMatchObject({ room: 8, publishId: 1 });
    expect(scene.server.end.texts).toEqual(['not sent yet']);
    await scene.server.end.ack(1, 9);
    expect(waiting.now).toBe('resolved');
  });

  it('messages wait until their room is joined again', async () => {
    const scene = await inRoom();
    await scene.server.end.cut();
    void scene.room.send('patience');
    await comeBack(scene);
    await scene.server.end.welcome({ session: 's2' });
    expect(scene.server.end.all(FrameType.Publish)).toHaveLength(0);
    await scene.server.end.respond(joined('lobby', { handle: 8 }));
    expect(scene.server.end.texts).toEqual(['patience']);
  });

  it('no more than maxCount of them wait', async () => {
    const scene = await inRoom({ outbox: { maxCount: 2 } });
    await scene.server.end.cut();
    const outcomes = ['a', 'b', 'c'].map((text) => outcome(scene.room.send(text)));
    await turns();
    expect(outcomes.map(({ now }) => now)).toEqual(['pending', 'pending', 'ERR_CLIENT_OUTBOX_FULL']);
    await backInOldSession(scene);
    await scene.server.end.ack(1, 1);
    const next = outcome(scene.room.send('d'));
    await turns();
    expect(next.now).toBe('pending');
  });

  it('no more than maxBytes of them wait', async () => {
    const scene = await inRoom({ outbox: { maxBytes: 10 } });
    await scene.server.end.cut();
    const first = outcome(scene.room.send('12345678'));
    const second = outcome(scene.room.send('123'));
    const third = outcome(scene.room.send('12'));
    await turns();
    expect([first.now, second.now, third.now]).toEqual(['pending', 'ERR_CLIENT_OUTBOX_FULL', 'pending']);
    await backInOldSession(scene);
    await scene.server.end.ack(1, 1);
    await scene.server.end.ack(2, 2);
    const fourth = outcome(scene.room.send('1234567890'));
    await turns();
    expect(fourth.now).toBe('pending');
  });

  it('what is taken back makes room for others', async () => {
    const scene = await inRoom({ outbox: { maxCount: 1, maxBytes: 4 } });
    await scene.server.end.cut();
    for (let i = 0; i < 3; i++) {
      const controller = new AbortController();
      const taken = outcome(scene.room.send('1234', { signal: controller.signal }));
      await turns();
      controller.abort(new Error('no'));
      await turns();
      expect(taken.now).toBe('no');
    }
    const kept = outcome(scene.room.send('kept'));
    await backInOldSession(scene);
    expect(scene.server.end.texts).toEqual(['kept']);
    await scene.server.end.ack(1, 1);
    expect(kept.now).toBe('resolved');
  });

  it('none of them waits longer than maxAgeMs', async () => {
    const scene = await inRoom({ outbox: { maxAgeMs: 5000 } });
    const { server, clock, room } = scene;
    const inFlight = outcome(room.send('sent'));
    await turns();
    await server.end.cut();
    server.refusal = new Error('down');
    await clock.advance(2000);
    const waiting = outcome(room.send('waits'));
    await clock.advance(2999);
    expect([inFlight.now, waiting.now]).toEqual(['pending', 'pending']);
    await clock.advance(1);
    expect([inFlight.now, waiting.now]).toEqual(['ERR_CLIENT_UNCONFIRMED', 'pending']);
    await clock.advance(2000);
    expect(waiting.now).toBe('ERR_CLIENT_OUTBOX_EXPIRED');
    server.refusal = undefined;
    await backInOldSession(scene);
    expect(server.end.texts).toEqual(['sent']);
    expect(idsOf(scene)).toEqual([1]);
  });
});

describe('a draining server', () => {
  const goAway = { type: FrameType.GoAway, code: 1001, retryAfterMs: 100, reason: 'restart' } as const;

  it('gets no new messages, and acknowledges those it has', async () => {
    const scene = await inRoom();
    const first = outcome(scene.room.send('before'));
    await turns();
    await scene.server.end.send(goAway);
    const second = outcome(scene.room.send('after'));
    await scene.server.end.ack(1, 1);
    expect(first.now).toBe('resolved');
    expect(scene.server.end.texts).toEqual(['before']);
    await scene.server.end.close(1001, 100);
    await backInNewSession(scene);
    expect(scene.server.end.texts).toEqual(['after']);
    await scene.server.end.ack(1, 2);
    expect(second.now).toBe('resolved');
  });

  it('may hand messages back: they go to the next one, in their order', async () => {
    const scene = await inRoom();
    const { server, room } = scene;
    const outcomes = ['one', 'two', 'three'].map((text) => outcome(room.send(text)));
    await turns();
    await server.end.send(goAway);
    outcomes.push(outcome(room.send('four')));
    await server.end.ack(1, 1);
    for (const publishId of [2, 3]) {
      await server.end.send({
        type: FrameType.Nack,
        publishId,
        failure: { code: 'draining', message: 'the server drains' },
      });
    }
    await server.end.close(1001, 100);
    await backInNewSession(scene);
    expect(server.end.texts).toEqual(['two', 'three', 'four']);
    for (let id = 1; id <= 3; id++) await server.end.ack(id, id);
    expect(outcomes.map(({ now }) => now)).toEqual(Array(4).fill('resolved'));
  });
});

describe('what a draining server handed back', () => {
  it('can still be taken back, and the rest keeps its order', async () => {
    const scene = await inRoom();
    const { server, room } = scene;
    const controller = new AbortController();
    const outcomes = ['one', 'two'].map((text) => outcome(room.send(text, { signal: controller.signal })));
    outcomes.push(outcome(room.send('three')), outcome(room.send('four')), outcome(room.send('five')));
    await turns();
    const failure = { code: 'draining', message: 'the server drains' } as const;
    for (const publishId of [1, 2]) await server.end.send({ type: FrameType.Nack, publishId, failure });
    controller.abort(new Error('no'));
    for (const publishId of [3, 4]) await server.end.send({ type: FrameType.Nack, publishId, failure });
    await server.end.close(1001, 100);
    await backInNewSession(scene);
    expect(server.end.texts).toEqual(['three', 'four', 'five']);
    for (let id = 1; id <= 3; id++) await server.end.ack(id, id);
    expect(outcomes.map(({ now }) => now)).toEqual(['no', 'no', 'resolved', 'resolved', 'resolved']);
  });
});

describe('close', () => {
  it('settles every message: in flight as unconfirmed, waiting as closed', async () => {
    const scene = await inRoom();
    const outcomes = Array.from({ length: 6 }, (_, i) => outcome(scene.room.send(`m${i}`)));
    await turns();
    await scene.client.close();
    await turns();
    expect(outcomes.map(({ now }) => now)).toEqual([
      ...Array(4).fill('ERR_CLIENT_UNCONFIRMED'),
      ...Array(2).fill('ERR_CLIENT_CLOSED'),
    ]);
    expect(scene.clock.timers).toBe(0);
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
