import { describe, expect, it } from 'vitest';
import { TimerWheel } from '../../src/time/timer-wheel.js';
import { ManualClock } from '../support/manual-clock.js';
import { seeded } from '../support/seeded.js';

const TICK_MS = 250;

function setUp(): { clock: ManualClock; wheel: TimerWheel } {
  const clock = new ManualClock(0);
  return { clock, wheel: new TimerWheel(clock, TICK_MS) };
}

describe('TimerWheel', () => {
  it('calls an entry when its deadline has come, and up to one tick later', () => {
    const random = seeded(1);
    const { clock, wheel } = setUp();
    const late: number[] = [];
    for (let i = 0; i < 500; i++) {
      clock.advance(random.below(300));
      const delayMs = random.below(60_000);
      const dueAt = clock.now() + delayMs;
      wheel.schedule(delayMs, () => late.push(clock.now() - dueAt));
    }
    clock.advance(61_000);
    expect(late).toHaveLength(500);
    // It counts whole ticks from the tick before, so it may be early by what of that tick has passed.
    expect(Math.min(...late)).toBeGreaterThan(-TICK_MS);
    expect(Math.max(...late)).toBeLessThanOrEqual(TICK_MS);
  });

  it.each([250, 15_750, 16_000, 16_250, 32_000])(
    'calls an entry that wants to be called every %i ms once each time',
    (everyMs) => {
      const { clock, wheel } = setUp();
      let calls = 0;
      wheel.repeat(everyMs, () => {
        if (++calls > 100) throw new Error('it does not let go');
        return everyMs;
      });
      clock.advance(everyMs * 5);
      expect(calls).toBe(5);
    },
  );

  it('calls a scheduled entry once, whatever it answers, and a repeated one until it has had enough', () => {
    const { clock, wheel } = setUp();
    const calls = { once: 0, thrice: 0 };
    wheel.schedule(1000, () => {
      calls.once++;
      return 1000;
    });
    wheel.repeat(1000, () => (++calls.thrice < 3 ? 500 : undefined));
    clock.advance(2000);
    expect(calls).toEqual({ once: 1, thrice: 3 });
    clock.advance(10_000);
    expect(calls).toEqual({ once: 1, thrice: 3 });
  });

  it('does not call what was cancelled, and lets go of it', () => {
    const { clock, wheel } = setUp();
    let calls = 0;
    const entry = wheel.schedule(1000, () => calls++);
    wheel.cancel(entry);
    expect(entry.run).toBeUndefined();
    clock.advance(20_000);
    expect(calls).toBe(0);
  });

  it('runs on one timer, which close stops', () => {
    const { clock, wheel } = setUp();
    for (let i = 0; i < 100; i++) wheel.repeat(1000, () => 1000);
    expect(clock.pending).toBe(1);
    wheel.close();
    expect(clock.pending).toBe(0);
  });
});
