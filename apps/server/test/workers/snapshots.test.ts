import { describe, expect, it } from 'vitest';
import { Snapshots } from '../../src/workers/snapshots.js';

const wish = (by: number) => ({ by, position: by * 10 });

describe('Snapshots', () => {
  it('asks again for what a worker had not made when it ended, and for nothing else', () => {
    const snapshots = new Snapshots();
    for (const by of [7, 8]) snapshots.ask(1, wish(by));
    snapshots.ask(2, wish(9));
    snapshots.made(1, 7);
    expect(snapshots.ended(1)).toEqual([wish(8)]);
    expect(snapshots.ended(1)).toEqual([]);
    expect(snapshots.ended(3)).toEqual([]);
    expect(snapshots.ended(2)).toEqual([wish(9)]);
  });

  it('keeps those that wait until somebody is there, once', () => {
    const snapshots = new Snapshots();
    expect(snapshots.isIdle).toBe(true);
    snapshots.wait(wish(7));
    expect(snapshots.isIdle).toBe(false);
    expect(snapshots.takeWaiting()).toEqual([wish(7)]);
    expect([snapshots.isIdle, snapshots.takeWaiting()]).toEqual([true, []]);
    snapshots.wait(wish(8));
    snapshots.clear();
    expect(snapshots.isIdle).toBe(true);
  });
});
