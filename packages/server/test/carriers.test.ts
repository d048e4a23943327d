/** The contract of links and listeners: what a chat does must not depend on what carries it. */
import { FrameType } from '@chat/protocol/frames';
import { describe, expect, it } from 'vitest';
import { UNLIMITED } from '../src/options/options.js';
import { CARRIERS, station } from './support/carriers.js';
import { LogLines } from './support/log-lines.js';
import { ManualClock } from './support/manual-clock.js';
import { turn, until } from './support/turn.js';
import { followChain } from './support/wire-client.js';

describe.each(CARRIERS)('over %s', (carrier) => {
  it('members talk, in both directions, with bodies of any size', async () => {
    await using server = await station(carrier);
    const [ada, bob] = [await server.enter('ada'), await server.enter('bob')];
    const { handle, start } = await ada.join('lobby');
    await bob.join('lobby');
    const sizes = [0, 1, 65_000, ada.welcome!.limits.maxMessageBytes, 2, 40_000];
    for (const size of sizes) ada.publish(handle, new Uint8Array(size).fill(size % 251));
    await ada.take(FrameType.Ack, ({ publishId }) => publishId === sizes.length);
    await bob.say(handle, 'last');
    await bob.take(FrameType.Message, ({ sender }) => sender === bob.welcome!.member.id);
    await ada.take(FrameType.Message, ({ sender }) => sender === bob.welcome!.member.id);
    const bodies = bob.entries(handle).filter(({ type }) => type === FrameType.Message);
    expect(bodies.slice(0, -1).map(({ body }) => body.length)).toEqual(sizes);
    expect(bodies.slice(0, -1).every(({ body }, i) => body.every((byte) => byte === sizes[i]! % 251))).toBe(
      true,
    );
    followChain(ada.frames, handle, start);
  });

  it('a reader that pauses stalls nobody, and gets everything when it goes on', async () => {
    const clock = new ManualClock();
    await using server = await station(carrier, { ...UNLIMITED, clock, retentionBytes: 64_000_000 });
    const [ada, slow] = [await server.enter('ada'), await server.enter('slow')];
    const { handle } = await ada.join('lobby');
    const joined = await slow.join('lobby');
    const body = new Uint8Array(16_000);
    // More than any buffer of the operating system takes, in several pauses.
    for (let round = 0; round < 3; round++) {
      slow.pipe.pause();
      for (let i = 0; i < 400; i++) {
        ada.publish(handle, body);
        if (i % 50 === 49) await ada.take(FrameType.Ack, ({ publishId }) => publishId === ada.publishId);
      }
      slow.pipe.resume();
      const last = await ada.say(handle, `round ${round}`);
      await slow.take(FrameType.Message, ({ seq }) => seq === last);
    }
    expect(followChain(slow.frames, handle, joined.start)).toBe(ada.entries(handle).at(-1)!.seq);
    expect(slow.texts(handle)).toHaveLength(3 * 401);
  });

  it('a connection that breaks is noticed, and the session waits', async () => {
    await using server = await station(carrier);
    const ada = await server.enter('ada');
    ada.pipe.destroy();
    await until(() => server.server.stats().sessionsAway === 1);
    await until(() => server.server.stats().openConnections === 0);
    expect(server.server.stats().sessions).toBe(1);
  });

  it('a goodbye ends the session and the connection', async () => {
    await using server = await station(carrier);
    const ada = await server.enter('ada');
    ada.send({ type: FrameType.Close, code: 1000, retryAfterMs: 0, reason: '' });
    await ada.closed;
    await until(() => server.server.stats().openConnections === 0);
    expect(server.server.stats().sessions).toBe(0);
  });

  it('the last words arrive before the end, also of one who is refused', async () => {
    const logger = new LogLines();
    await using server = await station(carrier, { logger });
    await server.enter('ada');
    const other = server.connect();
    other.greet({ name: 'ada' }, server.preface);
    expect(await other.closed).toMatchObject({ code: 4012 });
    expect(logger.toldClose('name-taken')).toBe(true);
    const broken = await server.enter('broken');
    broken.pipe.write(Uint8Array.of(255, 255, 255, 255, 0x10, 0, 0, 0));
    expect(await broken.closed).toMatchObject({ code: 4003 });
    await until(() => server.server.stats().openConnections === 1);
  });

  it('half a frame and silence is closed at the idle timeout', async () => {
    const clock = new ManualClock();
    await using server = await station(carrier, { clock, idleTimeoutMs: 4000 });
    const ada = await server.enter('ada');
    const witness = await server.enter('witness');
    if (server.preface) ada.pipe.write(Uint8Array.of(100, 0, 0, 0, FrameType.Publish));
    await witness.join('lobby');
    ada.pipe.onBytes = () => {};
    ada.pipe.pause();
    for (let i = 0; i < 8; i++) {
      clock.advance(500);
      await witness.ask({ op: 'rooms' });
    }
    await until(() => server.server.stats().closes.get(4022) === 1);
    expect(witness.gone).toBe(false);
  });

  it('close tells every client and leaves no connection', async () => {
    const server = await station(carrier);
    const clients = await Promise.all(['ada', 'bob', 'carol'].map((name) => server.enter(name)));
    const idle = server.connect();
    await until(() => server.server.stats().openConnections === 4);
    await server.server.close();
    for (const client of clients) expect(await client.closed).toMatchObject({ code: 1001 });
    await idle.closed;
    expect(server.server.stats().openConnections).toBe(0);
  });

  it('drain answers everything that was sent before the client knew', async () => {
    await using server = await station(carrier, UNLIMITED);
    const [ada, bob] = [await server.enter('ada'), await server.enter('bob')];
    const { handle, start } = await ada.join('lobby');
    await bob.join('lobby');
    for (let i = 0; i < 500; i++) ada.publish(handle, new Uint8Array(200));
    await turn();
    const result = await server.server.drain();
    expect(result).toEqual({ drained: 2, forced: 0 });
    expect(await ada.closed).toMatchObject({ code: 1001 });
    await bob.closed;
    const acked = ada.frames.filter(({ type }) => type === FrameType.Ack).length;
    expect(acked).toBe(500);
    expect(bob.texts(handle)).toHaveLength(500);
    followChain(ada.frames, handle, start);
    const types = ada.frames.map(({ type }) => type);
    expect(types.indexOf(FrameType.GoAway)).toBeGreaterThan(0);
    expect(types.at(-1)).toBe(FrameType.Close);
  });
});
