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
    own: () => [1],
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

it('beats for all processes of its machine, takes none of them for gone, and measures by one', () => {
  const clock = new ManualClock();
  const [gone, sent]: [number[], number[]] = [[], []];
  let own = [1, 2, 3];
  const heartbeats: Heartbeats = new Heartbeats({
    own: () => own,
    clock,
    maxSilenceMs: 3 * BEAT_MS,
    send: (process) => {
      sent.push(process);
      heartbeats.heard(process);
    },
    present: () => [1, 2, 3, 4],
    gone: (process) => gone.push(process),
  });
  heartbeats.start();
  expect(sent).toEqual([1, 2, 3]);
  pass(clock, 2);
  expect(gone).toEqual([]);
  // The first of them has ended: the next one is measured by.
  own = [2, 3];
  pass(clock, 1);
  expect(gone).toEqual([4]);
  pass(clock, 10);
  expect(gone).toEqual([4]);
  expect([1, 2, 5].map((process) => heartbeats.hears(process))).toEqual([false, true, false]);
});
