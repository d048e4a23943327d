import { totalmem } from 'node:os';
import { describe, expect, it } from 'vitest';
import { MemoryGuard, type MemoryUse } from '../../src/limits/memory-guard.js';
import { availableMemoryBytes } from '../../src/options/available-memory.js';
import { TimerWheel } from '../../src/time/timer-wheel.js';
import { ManualClock } from '../support/manual-clock.js';

const MIB = 1024 * 1024;

describe('MemoryGuard', () => {
  it('tells when there is no memory left, and when there is again', () => {
    const clock = new ManualClock();
    let use: MemoryUse = { residentBytes: 90 * MIB, heapBytes: 10 * MIB, maxHeapBytes: 100 * MIB };
    const changes: boolean[] = [];
    const wheel = new TimerWheel(clock, 250);
    const guard = new MemoryGuard(
      () => 100 * MIB,
      wheel,
      (isShort) => changes.push(isShort),
      () => use,
    );
    const seen = (next: Partial<MemoryUse>): boolean => {
      use = { ...use, ...next };
      clock.advance(1250);
      return guard.isShort;
    };
    expect(guard.isShort).toBe(false);
    expect(seen({ residentBytes: 101 * MIB })).toBe(true);
    expect(seen({ residentBytes: 102 * MIB })).toBe(true);
    expect(seen({ residentBytes: 99 * MIB })).toBe(false);
    expect(seen({ heapBytes: 91 * MIB })).toBe(true);
    expect(seen({ heapBytes: 89 * MIB })).toBe(false);
    expect(changes).toEqual([true, false, true, false]);
    wheel.close();
  });

  it('knows at once, and never looks where there is no limit', () => {
    const clock = new ManualClock();
    const wheel = new TimerWheel(clock, 250);
    const changes: boolean[] = [];
    const note = (isShort: boolean): unknown => changes.push(isShort);
    expect(new MemoryGuard(() => 1, wheel, note).isShort).toBe(true);
    expect(changes).toEqual([true]);
    const unasked = (): MemoryUse => {
      throw new Error('not to be asked');
    };
    const guard = new MemoryGuard(() => Number.POSITIVE_INFINITY, wheel, note, unasked);
    clock.advance(10_000);
    expect(guard.isShort).toBe(false);
    wheel.close();
  });

  it('leaves a part of the memory of the machine to others', () => {
    expect(availableMemoryBytes()).toBeGreaterThan(MIB);
    expect(availableMemoryBytes()).toBeLessThanOrEqual(totalmem());
  });
});
