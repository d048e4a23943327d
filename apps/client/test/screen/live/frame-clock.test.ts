import { describe, expect, it } from 'vitest';
import { FrameClock } from '../../../src/screen/live/frame-clock.js';
import { ManualClock } from '../support/manual-clock.js';

describe('FrameClock', () => {
  it('draws the first change at once and a flood at its pace', () => {
    const clock = new ManualClock();
    let frames = 0;
    const frameClock = new FrameClock(clock, () => frames++);
    frameClock.request();
    clock.advance(0);
    expect(frames).toBe(1);
    for (let ms = 0; ms < 1000; ms++) {
      frameClock.request();
      clock.advance(1);
    }
    expect(frames).toBeLessThan(17);
    expect(frames).toBeGreaterThan(13);
  });

  it('keeps its pace when the time of day is set', () => {
    const clock = new ManualClock();
    let frames = 0;
    const frameClock = new FrameClock(clock, () => frames++);
    frameClock.flush();
    clock.set(-3_600_000);
    frameClock.request();
    clock.advance(100);
    clock.set(7_200_000);
    frameClock.request();
    clock.advance(31);
    expect(frames).toBe(2);
    clock.advance(1);
    expect(frames).toBe(3);
  });

  it('has no timer while nothing changes', () => {
    const clock = new ManualClock();
    const frameClock = new FrameClock(clock, () => {});
    frameClock.request();
    clock.advance(1000);
    expect(clock.timers).toBe(0);
  });

  it('draws no more when it was stopped, whatever changes', () => {
    const clock = new ManualClock();
    let frames = 0;
    const frameClock = new FrameClock(clock, () => frames++);
    frameClock.request();
    frameClock.stop();
    frameClock.request();
    frameClock.flush();
    clock.advance(1000);
    expect(frames).toBe(0);
  });
});
