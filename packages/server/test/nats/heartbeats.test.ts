import { expect, it } from 'vitest';
import { BEAT_MS, Heartbeats } from '../../src/nats/heartbeats.js';
import { ManualClock } from '../support/manual-clock.js';

function beating(present: number[] = [1, 2]): {
  readonly heartbeats: Heartbeats;
  readonly clock: ManualClock;
  readonly gone: number[];
  /** Whether beats of this process come back to it. */
  readonly line: { isUp: boolean };
} {
  const clock = new ManualClock();
  const gone: number[] = [];
  const line = { isUp: true };
  const heartbeats: Heartbeats = new Heartbeats({
    process: 1,
    clock,
    maxSilenceMs: 3 * BEAT_MS,
    send: () => {
      if (line.isUp) heartbeats.heard(1);
    },
    present: () => present,
    gone: (process) => gone.push(process),
  });
  return { heartbeats, clock, gone, line };
}

function pass(clock: ManualClock, beats: number): void {
  for (let i = 0; i < beats; i++) clock.advance(BEAT_MS);
}

it('says once that a process is gone which was silent for too long, also one that was never heard', () => {
  const { heartbeats, clock, gone } = beating();
  heartbeats.start();
  heartbeats.heard(3);
  pass(clock, 2);
  heartbeats.heard(3);
  expect(gone).toEqual([]);
  pass(clock, 1);
  expect(gone).toEqual([2]);
  pass(clock, 10);
  expect(gone).toEqual([2, 3]);
});

it('takes nobody for gone while it does not hear itself', () => {
  const { heartbeats, clock, gone, line } = beating();
  heartbeats.start();
  line.isUp = false;
  pass(clock, 100);
  expect(gone).toEqual([]);
  line.isUp = true;
  heartbeats.heard(2);
  pass(clock, 3);
  expect(gone).toEqual([]);
  pass(clock, 1);
  expect(gone).toEqual([2]);
});

it('says nothing any more once it is stopped', () => {
  const { heartbeats, clock, gone } = beating();
  heartbeats.start();
  heartbeats.stop();
  pass(clock, 100);
  expect(gone).toEqual([]);
});
