/** The time of day may be set at any moment: it is what entries are dated with, and nothing lasts shorter or longer for it. */
import { CloseCode } from '@chat/protocol';
import { FrameType } from '@chat/protocol/frames';
import { describe, expect, it } from 'vitest';
import { type Clock, steadyClock, systemClock } from '../src/time/clock.js';
import { TimerWheel } from '../src/time/timer-wheel.js';
import { ManualClock } from './support/manual-clock.js';
import { MemoryChat } from './support/memory-chat.js';
import { turn } from './support/turn.js';

const HOUR = 3_600_000;

describe.each([
  ['forward', HOUR],
  ['back', -HOUR],
])('when the time of day is set %s by an hour', (_way, step) => {
  it('nobody who is alive is lost, and one who is mute is lost in time', async () => {
    const memory = await MemoryChat.open({ idleTimeoutMs: 2000 });
    const [ada, mute] = [await memory.enter('ada'), await memory.enter('mute', { pong: false })];
    memory.clock.set(step);
    for (let i = 0; i < 12; i++) {
      memory.clock.advance(250);
      await turn();
    }
    expect([ada.gone, mute.gone]).toEqual([false, true]);
    expect(mute.frames.at(-1)).toMatchObject({ code: CloseCode.IdleTimeout });
  });

  it('a debt is paid as before, and none is forgiven', async () => {
    const memory = await MemoryChat.open({ maxMessagesPerSecond: 1, maxMessageBurst: 2 });
    const ada = await memory.enter('ada');
    for (let i = 0; i < 3; i++) ada.publish(9, 'x');
    expect(ada.link.paused).toBe(true);
    memory.clock.set(step);
    memory.clock.advance(900);
    expect(ada.link.paused).toBe(true);
    ada.publish(9, 'x');
    memory.clock.advance(200);
    await turn();
    expect(ada.frames.filter(({ type }) => type === FrameType.Nack)).toHaveLength(4);
  });

  it('a ban lasts as long as it was meant to', async () => {
    const memory = await MemoryChat.open();
    memory.chat.bans.addName('mallory', memory.clock.monotonic() + 10_000);
    memory.clock.set(step);
    memory.clock.advance(9500);
    expect(memory.chat.bans.remainingMs('mallory', '192.0.2.1', memory.clock.monotonic())).toBe(500);
    memory.clock.advance(500);
    expect(memory.chat.bans.remainingMs('mallory', '192.0.2.1', memory.clock.monotonic())).toBe(0);
  });

  it('history is kept for as long as before, with its dates', async () => {
    const memory = await MemoryChat.open({ retentionMs: 60_000, idleTimeoutMs: 600_000 });
    const ada = await memory.enter('ada');
    const { handle } = await ada.join('lobby');
    const before = memory.clock.now();
    await ada.say(handle, 'old');
    memory.clock.set(step);
    memory.clock.advance(30_000);
    const { entries } = await ada.history('lobby');
    expect(entries.at(-1)).toMatchObject({ at: before });
    expect(entries.length).toBeGreaterThan(0);
    await ada.say(handle, 'new');
    expect(ada.entries(handle).at(-1)!.at).toBe(memory.clock.now());
    memory.clock.advance(80_000);
    expect((await ada.history('lobby')).entries).toEqual([]);
  });

  it('a session that is away is kept for its window, and credentials for their time', async () => {
    const memory = await MemoryChat.open({
      resumeWindowMs: 10_000,
      hooks: { authenticate: () => ({ ok: true, expiresInMs: 20_000 }) },
    });
    const [ada, bob] = [await memory.enter('ada'), await memory.enter('bob')];
    ada.pipe.destroy();
    await turn();
    memory.clock.set(step);
    memory.clock.advance(9000);
    await turn();
    expect([memory.chat.sessions.find('ada') !== undefined, bob.gone]).toEqual([true, false]);
    memory.clock.advance(1500);
    expect(memory.chat.sessions.find('ada')).toBeUndefined();
    memory.clock.advance(10_000);
    await turn();
    expect(bob.frames.at(-1)).toMatchObject({ code: CloseCode.CredentialsExpired });
  });

  it('an address may open as many connections as before', async () => {
    const memory = await MemoryChat.open({
      maxConnectionsPerAddress: 1,
      maxConnectionsPerSecondPerAddress: 1,
    });
    const come = (): boolean => {
      const isIn = memory.chat.addresses.tryConnect('192.0.2.1');
      if (isIn) memory.chat.addresses.connections.leave('192.0.2.1');
      return isIn;
    };
    expect([come(), come(), come()]).toEqual([true, true, false]);
    memory.clock.set(step);
    expect(come()).toBe(false);
    memory.clock.advance(1000);
    expect(come()).toBe(true);
  });
});

describe('a clock that knows the time of day alone', () => {
  /** Time of day, and the time of this process; timers fire when it is told. */
  function setUp(): {
    clock: Clock;
    tick: (dayMs: number, machineMs: number) => void;
    step: (ms: number) => void;
    machineMs: () => number;
  } {
    let [now, machine] = [1_700_000_000_000, 50];
    const timers: (() => void)[] = [];
    return {
      clock: {
        now: () => now,
        after: () => () => {},
        every: (_ms, callback) => {
          timers.push(callback);
          return () => {};
        },
      },
      step: (ms) => {
        now += ms;
      },
      tick: (dayMs, machineMs) => {
        now += dayMs;
        machine += machineMs;
        for (const timer of timers) timer();
      },
      machineMs: () => machine,
    };
  }

  it('goes by its steps while these look like time', () => {
    const { clock, tick, step, machineMs } = setUp();
    const steady = steadyClock(clock, machineMs);
    const start = steady.monotonic();
    steady.every(250, () => {});
    step(100);
    expect(steady.monotonic() - start).toBe(100);
    tick(150, 250);
    tick(260, 260);
    expect(steady.monotonic() - start).toBe(510);
  });

  it('does not follow a time of day that is set, either way, and never goes back', () => {
    const { clock, tick, step, machineMs } = setUp();
    const steady = steadyClock(clock, machineMs);
    const start = steady.monotonic();
    steady.every(250, () => {});
    let latest = start;
    for (const jump of [HOUR, -2 * HOUR, HOUR]) {
      step(jump);
      expect(steady.monotonic() - latest).toBeGreaterThanOrEqual(0);
      tick(250, 250);
      latest = steady.monotonic();
    }
    for (let i = 0; i < 10; i++) tick(250, 250);
    // Thirteen ticks; after the first jump it was ahead by less than a second.
    expect(steady.monotonic() - start).toBe(13 * 250);
  });

  it('follows a hand that moves it far at once, since its timers take no time', () => {
    const { clock, tick, machineMs } = setUp();
    const wheel = new TimerWheel(steadyClock(clock, machineMs), 250);
    const start = wheel.now;
    tick(60_000, 0);
    expect(wheel.now - start).toBe(60_000);
  });

  it('sees how long the process stood still', () => {
    const { clock, tick, machineMs } = setUp();
    const wheel = new TimerWheel(steadyClock(clock, machineMs), 250);
    const start = wheel.now;
    tick(5000, 5000);
    expect(wheel.now - start).toBe(5000);
  });

  it('is left alone where it knows both', () => {
    expect(steadyClock(systemClock)).toBe(systemClock);
    const manual = new ManualClock();
    expect(steadyClock(manual)).toBe(manual);
  });
});
