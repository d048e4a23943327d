import { describe, expect, inject, it, vi } from 'vitest';
import { LockOutcome, LockWord } from '../../src/lock/lock-word.js';
import { load, store } from '../../src/platform/atomics.js';
import { LOCK_WORD, SegmentKind } from '../../src/segment/layout.js';
import { Segment } from '../../src/segment/segment.js';
import type { SegmentSpec } from '../../src/segment/spec.js';
import { ChildProcess } from '../support/child-process.js';
import { joinDead } from '../support/dead.js';
import { usePlace } from '../support/place.js';

const place = usePlace();
const spec: SegmentSpec = { kind: SegmentKind.Mutex, params: [], payloadBytes: () => 0 };

function open(): { segment: Segment; lock: LockWord } {
  const segment = Segment.open(spec, place.name, place);
  return { segment, lock: new LockWord(segment, LOCK_WORD) };
}

describe('LockWord', () => {
  it('goes from free to its owner and back', () => {
    const [a, b] = [open(), open()];
    expect(a.lock.owner()).toBeUndefined();
    expect(a.lock.tryAcquire()).toBe(LockOutcome.Acquired);
    expect(load(a.segment.words, LOCK_WORD)).toBe(a.segment.participant.token);
    expect(b.lock.tryAcquire()).toBe(LockOutcome.Busy);
    expect(b.lock.tryRecover()).toBe(LockOutcome.Busy);
    expect(b.lock.owner()).toMatchObject({ slot: a.segment.participant.slot, liveness: 'alive' });
    expect(b.lock.release()).toBe(false);
    expect(a.lock.release()).toBe(true);
    expect(a.lock.release()).toBe(false);
    expect(load(a.segment.words, LOCK_WORD)).toBe(0);
  });

  it('is poisoned by its owner only, and taken back for repair by one', () => {
    const [a, b] = [open(), open()];
    expect(a.lock.releasePoisoned()).toBe(false);
    a.lock.tryAcquire();
    expect(a.lock.releasePoisoned()).toBe(true);
    expect(b.lock.isPoisoned).toBe(true);
    expect(b.lock.tryAcquire()).toBe(LockOutcome.Poisoned);
    expect(b.lock.tryRecover()).toBe(LockOutcome.Poisoned);
    expect(b.lock.acquireSync(10)).toBe(LockOutcome.Poisoned);
    expect(b.lock.tryTakePoisoned()).toBe(LockOutcome.Recovered);
    expect(a.lock.tryTakePoisoned()).toBe(LockOutcome.Busy);
    expect(b.lock.release()).toBe(true);
  });

  it('is recovered from the dead by one of two, even if both have the proof', () => {
    const [a, b] = [open(), open()];
    const dead = joinDead(a.segment.words).token;
    store(a.segment.words, LOCK_WORD, dead);
    expect(a.lock.tryAcquire()).toBe(LockOutcome.Busy);
    expect(a.lock.tryRecover()).toBe(LockOutcome.Recovered);
    expect(a.lock.deceased).toMatchObject({ liveness: 'dead' });
    expect(b.lock.tryRecover()).toBe(LockOutcome.Busy);
    expect(a.lock.release()).toBe(true);
    // Both have the proof, and one comes with its swap after the other.
    store(a.segment.words, LOCK_WORD, dead);
    vi.spyOn(b.segment.participants, 'isDead').mockImplementationOnce(() => {
      expect(a.lock.tryRecover()).toBe(LockOutcome.Recovered);
      return true;
    });
    expect(b.lock.tryRecover()).toBe(LockOutcome.Busy);
    expect(load(a.segment.words, LOCK_WORD)).toBe(a.segment.participant.token);
    expect(a.lock.release()).toBe(true);
  });

  it('is had at once where it is reserved for one who is dead', () => {
    const [a, b] = [open(), open()];
    a.lock.tryAcquire();
    expect(a.lock.releaseFor(joinDead(a.segment.words).token)).toBe(true);
    expect(b.lock.tryAcquire()).toBe(LockOutcome.Busy);
    expect(b.lock.tryRecover()).toBe(LockOutcome.Acquired);
    expect(b.lock.releaseFor(a.segment.participant.token)).toBe(true);
    expect(b.lock.tryRecover()).toBe(LockOutcome.Busy);
    expect(a.lock.tryRecover()).toBe(LockOutcome.Acquired);
  });

  it('waits without the event loop for the time it is given, or until the owner is dead', async () => {
    const { lock } = open();
    await using child = new ChildProcess(inject('childProgram'));
    await child.act('hold the mutex', place);
    const before = performance.now();
    expect(lock.acquireSync(20)).toBe(LockOutcome.Busy);
    expect(performance.now() - before).toBeGreaterThanOrEqual(19);
    child.process.kill('SIGKILL');
    // Not a turn of the event loop from here on: the child cannot even be reaped, and is dead nevertheless.
    expect(lock.acquireSync(60_000)).toBe(LockOutcome.Recovered);
    expect(lock.release()).toBe(true);
    expect(lock.acquireSync(0)).toBe(LockOutcome.Acquired);
  });

  it('is not for those who may not write', () => {
    open();
    const segment = Segment.open(spec, place.name, { ...place, access: 'read-only' });
    expect(() => new LockWord(segment, LOCK_WORD)).toThrow(
      expect.objectContaining({ code: 'ERR_SHM_READ_ONLY' }),
    );
  });
});
