import assert from 'node:assert/strict';
import type { Lock } from '../../../src/lock/mutex.js';
import { store } from '../../../src/platform/atomics.js';
import { step } from '../../../src/platform/step.js';
import { LOCK_WORD } from '../../../src/segment/layout.js';
import { openSegment, type SharedSegment } from '../../../src/segment/shared-segment.js';
import { joinDead } from '../dead.js';
import { memoryOf } from '../memory.js';
import type { Place, Scenario } from '../scenario.js';

/** The invariant that the mutex protects: two words are equal, and count the sections that ran. */
const A = 0;
const B = 1;

function open({ name, directory }: Place): SharedSegment {
  return openSegment(name, { directory, payloadBytes: 8 });
}

function count({ words }: SharedSegment): void {
  words[A] = (words[A] ?? 0) + 1;
  step('mutex: half written');
  words[B] = (words[B] ?? 0) + 1;
}

function isWhole({ words }: SharedSegment): boolean {
  return words[A] === words[B];
}

function repair({ words }: SharedSegment, lock: Lock): void {
  words[B] = words[A] ?? 0;
  lock.markConsistent();
}

/** A lock must be had at once, and tell the truth about the data. */
function assertRecoverable(segment: SharedSegment): void {
  const lock = segment.tryLock();
  assert.ok(lock !== undefined, 'the lock is not to be had');
  if (lock.recovered) repair(segment, lock);
  assert.ok(isWhole(segment), 'half written, and not reported');
  lock.release();
  const next = segment.tryLock();
  assert.equal(next?.recovered, false);
  next?.release();
}

/** While the child is stopped, it keeps what it has. */
function assertNotRobbed(segment: SharedSegment): void {
  const lock = segment.tryLock();
  if (lock === undefined) {
    assert.equal(segment.mutex.owner()?.liveness, 'stopped');
    return;
  }
  if (lock.recovered) repair(segment, lock);
  assert.ok(isWhole(segment), 'the lock was had in the middle of a section');
  count(segment);
  lock.release();
}

const section: Scenario<SharedSegment, SharedSegment> = {
  name: 'mutex: lock, write, unlock',
  setup: open,
  prepare: open,
  operation: (segment) => segment.withLock(() => count(segment)),
  afterKill: assertRecoverable,
  whileStopped: assertNotRobbed,
  afterStop(segment, _, outcome) {
    assert.equal(outcome.error, undefined);
    assertRecoverable(segment);
  },
  teardown: (segment) => segment.close(),
};

function leaveHalfWritten(place: Place): SharedSegment {
  const segment = open(place);
  store(memoryOf(segment).words, LOCK_WORD, joinDead(memoryOf(segment).words).token);
  segment.words[A] = 1;
  return segment;
}

const recovery: Scenario<SharedSegment, SharedSegment> = {
  name: 'mutex: recover from a dead holder and repair',
  setup: leaveHalfWritten,
  prepare: open,
  operation: (segment) =>
    segment.withLock((lock) => {
      if (lock.recovered) repair(segment, lock);
      count(segment);
    }),
  afterKill: assertRecoverable,
  whileStopped: assertNotRobbed,
  afterStop(segment, _, outcome) {
    assert.equal(outcome.error, undefined);
    assertRecoverable(segment);
  },
  teardown: (segment) => segment.close(),
};

const poison: Scenario<SharedSegment, SharedSegment> = {
  name: 'mutex: recover from a dead holder and leave without vouching',
  setup: leaveHalfWritten,
  prepare: open,
  operation: (segment) => segment.tryLock()?.release(),
  afterKill(segment, _, killed) {
    if (killed === undefined) assert.throws(() => segment.tryLock(), { code: 'ERR_SHM_POISONED' });
    // Whatever the instant: nobody gets this lock as if nothing had happened.
    const lock = segment.tryLock({ acceptPoisoned: true });
    assert.equal(lock?.recovered, true);
    if (lock !== undefined) repair(segment, lock);
    lock?.release();
    assertRecoverable(segment);
  },
  teardown: (segment) => segment.close(),
};

export const mutexScenarios: readonly Scenario[] = [section, recovery, poison];
