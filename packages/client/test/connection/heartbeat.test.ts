import { describe, expect, it } from 'vitest';
import { Heartbeat } from '../../src/connection/heartbeat.js';
import { FakeClock } from '../support/fake-clock.js';

function heartbeat(timeoutMs = 40_000) {
  const clock = new FakeClock();
  const log: string[] = [];
  const beat = new Heartbeat(
    clock,
    timeoutMs,
    () => log.push('ping'),
    () => log.push('dead'),
  );
  return { clock, log, beat };
}

describe('Heartbeat', () => {
  it('is quiet while both sides speak', async () => {
    const { clock, log, beat } = heartbeat();
    for (let i = 0; i < 20; i++) {
      beat.heard = true;
      beat.said = true;
      await clock.advance(10_000);
    }
    expect(log).toEqual([]);
  });

  it('asks a silent peer, and gives it up within the timeout', async () => {
    const { clock, log } = heartbeat();
    await clock.advance(30_000);
    expect(log).toEqual(['ping']);
    await clock.advance(10_000);
    expect(log).toEqual(['ping', 'dead']);
    await clock.advance(100_000);
    expect(log).toHaveLength(2);
  });

  it('goes on when the peer answers', async () => {
    const { clock, log, beat } = heartbeat();
    await clock.advance(30_000);
    beat.heard = true;
    await clock.advance(20_000);
    expect(log).not.toContain('dead');
  });

  it('shows a talkative peer that this side lives', async () => {
    const { clock, log, beat } = heartbeat();
    for (let i = 0; i < 8; i++) {
      beat.heard = true;
      await clock.advance(10_000);
    }
    expect(log.length).toBeGreaterThan(0);
    expect(new Set(log)).toEqual(new Set(['ping']));
  });

  it('gives the peer a few seconds after this machine slept', async () => {
    const { clock, log } = heartbeat();
    await clock.sleep(3_600_000);
    expect(log).toEqual(['ping']);
    await clock.advance(5000);
    expect(log).toEqual(['ping', 'dead']);
  });

  it('goes on after a sleep that the connection survived', async () => {
    const { clock, log, beat } = heartbeat();
    await clock.sleep(3_600_000);
    beat.heard = true;
    await clock.advance(15_000);
    expect(log).not.toContain('dead');
  });

  it('notices after a sleep in which timers stood still, too', async () => {
    const { clock, log } = heartbeat();
    await clock.sleep(3_600_000, { timersStop: true });
    expect(log).toEqual([]);
    await clock.advance(10_000);
    expect(log).toEqual(['ping']);
    await clock.advance(5000);
    expect(log).toEqual(['ping', 'dead']);
  });

  describe('in a hidden page, whose timers run once a minute', () => {
    it('notices that the peer is gone', async () => {
      const { clock, log } = heartbeat();
      clock.grainMs = 60_000;
      await clock.advance(180_000);
      expect(log).toEqual(['ping', 'dead']);
    });

    it('stays with a peer that answers, for hours', async () => {
      const { clock, log, beat } = heartbeat();
      clock.grainMs = 60_000;
      for (let i = 0; i < 120; i++) {
        const pings = log.length;
        await clock.advance(60_000);
        beat.heard ||= log.length > pings;
      }
      expect(new Set(log)).toEqual(new Set(['ping']));
    });
  });

  it('asks a peer after a sleep in which the monotonic clock stood still, too', async () => {
    const { clock, log } = heartbeat();
    clock.set(3_600_000);
    expect(log).toEqual([]);
    await clock.advance(10_000);
    expect(log).toEqual(['ping']);
    await clock.advance(5000);
    expect(log).toEqual(['ping', 'dead']);
  });

  it('stays with a peer that answers when the time of day was set forward', async () => {
    const { clock, log, beat } = heartbeat();
    clock.set(3_600_000);
    await clock.advance(10_000);
    beat.heard = true;
    await clock.advance(15_000);
    expect(log).toContain('ping');
    expect(log).not.toContain('dead');
  });

  it('does not notice that the time of day was set back', async () => {
    const { clock, log, beat } = heartbeat();
    clock.set(-3_600_000);
    beat.heard = true;
    await clock.advance(10_000);
    expect(log).toEqual([]);
    await clock.advance(30_000);
    expect(log).toEqual(['ping', 'dead']);
  });

  it('leaves no timer when stopped', async () => {
    const { clock, beat } = heartbeat();
    beat.stop();
    expect(clock.timers).toBe(0);
  });
});
