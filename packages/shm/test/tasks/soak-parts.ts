/** All structures that the soak puts under random kills. */
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { ShmError, type ShmErrorCode } from '../../src/errors.js';
import { type Latest, openLatest } from '../../src/latest/latest.js';
import { openSegment, type SharedSegment } from '../../src/segment/shared-segment.js';
import { unlink } from '../../src/tools/inspect.js';
import type { Place } from '../support/scenario.js';
import { logPart, ringPart } from './soak-messages.js';
import type { SoakPart } from './soak-part.js';

/** Runs `body`, and takes these errors for normal outcomes. */
function tolerate(codes: readonly ShmErrorCode[], body: () => void): void {
  try {
    body();
  } catch (error) {
    if (!ShmError.is(error) || !codes.includes(error.code)) throw error;
  }
}

/** Two words that are equal whenever the mutex is not held, and count the sections. */
const mutex: SoakPart<SharedSegment> = {
  name: 'mutex',
  create: ({ directory }) => openSegment('mutex', { directory, payloadBytes: 64 }).close(),
  prepare: ({ directory }) => openSegment('mutex', { directory, mode: 'open' }),
  act: (segment, random) =>
    segment.withLock(async (lock) => {
      const { words } = segment;
      if (lock.recovered) {
        words[1] = words[0] ?? 0;
        words[2] = (words[2] ?? 0) + 1;
        lock.markConsistent();
      }
      assert.equal(words[0], words[1], 'half written, and not reported as recovered');
      const next = (words[0] ?? 0) + 1;
      words[0] = next;
      if (random(4) === 0) await delay(1);
      words[1] = next;
    }),
  verify({ directory }) {
    const segment = openSegment('mutex', { directory, mode: 'open' });
    const lock = segment.tryLock();
    assert.ok(lock !== undefined, 'the lock was not to be had after all were killed');
    if (!lock.recovered) assert.equal(segment.words[0], segment.words[1]);
    const numbers = { sections: segment.words[0] ?? 0, recoveries: segment.words[2] ?? 0 };
    assert.equal(segment.participants().length, 1, 'the slots of the dead were not reclaimed');
    lock.markConsistent();
    lock.release();
    segment.close();
    return numbers;
  },
};

/** A number, repeated: rises by one with each write, whoever writes. */
interface LatestUser {
  readonly latest: Latest;
  readonly bytes: Uint8Array;
  readonly words: Int32Array;
  seen: number;
}

const VALUE_BYTES = 4096;

function readNumber({ latest, bytes, words }: LatestUser): number {
  assert.equal(latest.readInto(bytes), VALUE_BYTES);
  for (const word of words) assert.equal(word, words[0], 'torn');
  return words[0] ?? 0;
}

function useLatest(place: Place): LatestUser {
  const latest = openLatest('latest', { directory: place.directory, mode: 'open' });
  const words = new Int32Array(VALUE_BYTES / 4);
  return { latest, words, bytes: new Uint8Array(words.buffer), seen: 0 };
}

const latest: SoakPart<LatestUser> = {
  name: 'latest',
  create({ directory }) {
    using first = openLatest('latest', { directory, maxValueBytes: VALUE_BYTES });
    first.write(new Uint8Array(VALUE_BYTES));
  },
  prepare: useLatest,
  act(user) {
    for (let i = 0; i < 50; i++) {
      const number = readNumber(user);
      assert.ok(number >= user.seen, `went back from ${user.seen} to ${number}`);
      user.seen = number;
      tolerate(['ERR_SHM_ROLE_TAKEN'], () => {
        // From here on no other number comes in between.
        user.latest.claimWriter();
        const next = readNumber(user) + 1;
        user.words.fill(next);
        user.latest.write(user.bytes);
        user.seen = next;
      });
    }
  },
  verify(place) {
    const user = useLatest(place);
    const numbers = { writes: readNumber(user) };
    user.latest.write(user.bytes);
    user.latest.close();
    return numbers;
  },
};

/** A name that is made, used, given up and removed all the time. */
const names: SoakPart<Place> = {
  name: 'names',
  create: () => {},
  prepare: (place) => place,
  act({ directory }, random) {
    const place = { directory };
    tolerate(['ERR_SHM_BUSY', 'ERR_SHM_PARTICIPANTS_FULL'], () => {
      const segment = openSegment('names', { directory: place.directory, payloadBytes: 1000 });
      try {
        const { words } = segment;
        assert.equal(words[0], words[249], 'not what a maker leaves');
        // Whoever is in it finds it under its name, unless it was given up.
        tolerate(['ERR_SHM_NOT_FOUND', 'ERR_SHM_BUSY', 'ERR_SHM_PARTICIPANTS_FULL'], () => {
          using second = openSegment('names', { directory: place.directory, mode: 'open' });
          if (second.segment.incarnation !== segment.segment.incarnation) {
            assert.ok(segment.segment.retired, 'two segments of one name');
          }
        });
        if (random(4) === 0) unlink('names', { directory: place.directory });
      } finally {
        if (random(2) === 0) segment.close();
        else segment.closeAndRemoveIfLast();
      }
    });
  },
  verify({ directory }) {
    using segment = openSegment('names', { directory, payloadBytes: 1000 });
    assert.equal(segment.participants().length, 1, 'the slots of the dead were not reclaimed');
    segment.unlink();
    return {};
  },
};

export const soakParts: readonly SoakPart[] = [mutex, latest, names, ringPart, logPart];
