/** Limits that are changed while people are connected hold for what comes next. */
import { FailureCode } from '@chat/protocol';
import { FrameType } from '@chat/protocol/frames';
import { describe, expect, it } from 'vitest';
import { ServerErrorCode } from '../../src/errors.js';
import type { AdjustableLimits } from '../../src/options/limits.js';
import { adjustOptions, resolveOptions, UNLIMITED } from '../../src/options/options.js';
import { station } from '../support/carriers.js';
import { ManualClock } from '../support/manual-clock.js';
import { until } from '../support/turn.js';

describe('adjust', () => {
  it('bounds connections, sessions and members from now on, and shows nobody out', async () => {
    await using place = await station('TCP', { ...UNLIMITED, clock: new ManualClock() });
    const { server } = place;
    const [ada, bob] = [await place.enter('ada'), await place.enter('bob')];
    await ada.join('lobby');
    const refusal = async (name: string): Promise<number | undefined> => {
      const client = place.connect();
      client.greet({ name });
      const close = await client.closed;
      await until(() => server.stats().openConnections === 2);
      return close?.code;
    };
    server.adjust({ maxMembersPerRoom: 1 });
    expect(await bob.request({ op: 'join', room: 'lobby' })).toMatchObject({
      failure: { code: FailureCode.RoomFull, max: 1 },
    });
    server.adjust({ maxSessions: 2 });
    expect(await refusal('carol')).toBe(4023);
    server.adjust({ maxSessions: 3, maxConnectionsPerAddress: 2 });
    expect(await refusal('carol')).toBe(4024);
    server.adjust({ maxConnectionsPerAddress: 3 });
    await place.enter('carol');
    expect(server.stats().sessions).toBe(3);
  });

  it('bounds what members say who are already speaking', async () => {
    const clock = new ManualClock();
    await using place = await station('TCP', { ...UNLIMITED, clock });
    const ada = await place.enter('ada');
    const { handle } = await ada.join('lobby');
    for (let i = 0; i < 50; i++) await ada.say(handle, `${i}`);
    place.server.adjust({ maxMessagesPerSecond: 1, maxMessageBurst: 1 });
    for (let i = 0; i < 4; i++) ada.publish(handle, 'more');
    await ada.take(FrameType.Nack, ({ failure }) => failure.code === FailureCode.RateLimited);
    expect(place.server.stats().messagesIn).toBe(52);
  });

  it('sends newcomers away when there is to be no memory for them', async () => {
    const clock = new ManualClock();
    await using place = await station('TCP', { clock });
    place.server.adjust({ maxMemoryBytes: 1 });
    clock.advance(1500);
    const ada = place.connect();
    ada.greet({ name: 'ada' });
    expect(await ada.closed).toMatchObject({ code: 4023 });
    place.server.adjust({ maxMemoryBytes: Number.POSITIVE_INFINITY });
    clock.advance(1500);
    await place.enter('ada');
  });

  it.each<[string, object]>([
    ['maxFrameBytes', { maxFrameBytes: 8192 }],
    ['hooks', { hooks: {} }],
    ['maxNothing', { maxNothing: 1 }],
    ['maxMessageBurst', { maxSessions: 5, maxMessageBurst: 0 }],
  ])('refuses %s, and changes nothing then', (name, limits) => {
    const options = resolveOptions({ maxSessions: 3 });
    const before = { ...options };
    expect(() => adjustOptions(options, limits as AdjustableLimits)).toThrow(
      expect.objectContaining({ code: ServerErrorCode.BadOption, message: expect.stringContaining(name) }),
    );
    expect(options).toEqual(before);
  });
});
