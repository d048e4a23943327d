/**
 * What tests have other processes do. An actor does its part on command and then stays as it is, with everything still open or held,
 * until its process ends.
 */
import { openLatest } from '../../src/latest/latest.js';
import { openMutex } from '../../src/lock/mutex.js';
import { load } from '../../src/platform/atomics.js';
import { NOTIFIED_WAITS_WORD, NOTIFIED_WORD } from '../../src/segment/layout.js';
import { Segment } from '../../src/segment/segment.js';
import { openSegment } from '../../src/segment/shared-segment.js';
import { inspect, listSegments } from '../../src/tools/inspect.js';
import { WaitBit, WaitPoint } from '../../src/waiting/wait-point.js';
import { Waiting } from '../../src/waiting/waiting.js';
import { messageActors } from './message-actors.js';
import type { Place } from './scenario.js';

/** Keeps what the actors opened from being collected. */
const held: unknown[] = [];

export const actors: Readonly<Record<string, (place: Place) => unknown>> = {
  ...messageActors,
  'attach to a segment': ({ name, directory }) => {
    const segment = openSegment(name, { directory });
    held.push(segment);
    return { created: segment.segment.created, incarnation: segment.segment.incarnation, pid: process.pid };
  },
  'replace a segment': ({ name, directory }) => {
    const segment = openSegment(name, { directory, payloadBytes: 2000, onMismatch: 'replace-abandoned' });
    held.push(segment);
    return { created: segment.segment.created, incarnation: segment.segment.incarnation };
  },
  'look at everything': ({ directory }) =>
    Object.fromEntries(
      listSegments({ directory }).map((name) => [
        name,
        inspect(name, { directory }).participants.map(({ liveness }) => liveness),
      ]),
    ),
  'create a segment': ({ name, directory }) => {
    held.push(openSegment(name, { directory, mode: 'create' }));
  },
  'make and remove a segment until killed': ({ name, directory }) => {
    setImmediate(() => {
      for (;;) openSegment(name, { directory, payloadBytes: 64 }).closeAndRemoveIfLast();
    });
  },
  'hold the mutex': async ({ name, directory }) => {
    const mutex = openMutex(name, { directory });
    held.push(mutex);
    return new Promise((resolve) => {
      void mutex.withLock((lock) => {
        resolve({ pid: process.pid, recovered: lock.recovered });
        return new Promise(() => {});
      });
    });
  },
  'count to 2000 under the mutex with the thread blocked': ({ name, directory }) => {
    using segment = openSegment(name, { directory });
    for (let i = 0; i < 2000; i++) {
      const lock = segment.lockSync();
      segment.words[0] = (segment.words[0] ?? 0) + 1;
      lock.release();
    }
  },
  'wait for a notification with the thread blocked, and never look by itself': ({ name, directory }) => {
    const segment = Segment.open(undefined, name, { directory });
    const { words } = segment;
    const seen = load(words, NOTIFIED_WORD);
    const point = new WaitPoint(segment, NOTIFIED_WAITS_WORD, WaitBit.Notified);
    const isNew = (): boolean => load(words, NOTIFIED_WORD) !== seen;
    return new Waiting(segment).untilSync(point, isNew, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY);
  },
  'wait for the mutex with the thread blocked': ({ name, directory }) => {
    const lock = openMutex(name, { directory }).lockSync();
    held.push(lock);
    return { recovered: lock.recovered };
  },
  'try the mutex': ({ name, directory }) => {
    const lock = openMutex(name, { directory }).tryLock();
    held.push(lock);
    return { got: lock !== undefined, recovered: lock?.recovered };
  },
  'hold the mutex and become another program': ({ name, directory }) => {
    const mutex = openMutex(name, { directory });
    held.push(mutex, mutex.tryLock());
    // Node 22.15 and later.
    const { execve } = process as { execve?: (file: string, args: string[], env: object) => never };
    setImmediate(() => execve?.call(process, '/bin/sleep', ['sleep', '60'], {}));
  },
  'hold the mutex and block the event loop': ({ name, directory }) => {
    const mutex = openMutex(name, { directory });
    held.push(mutex, mutex.tryLock());
    setImmediate(() => {
      for (;;);
    });
  },
  'count to 300 under the mutex': async ({ name, directory }) => {
    using segment = openSegment(name, { directory });
    for (let i = 0; i < 300; i++) {
      await segment.withLock(async () => {
        const seen = segment.words[0] ?? 0;
        if (i % 10 === 0) await new Promise(setImmediate);
        segment.words[0] = seen + 1;
      });
    }
  },
  'write the latest value': ({ name, directory }) => {
    const latest = openLatest(name, { directory });
    held.push(latest);
    latest.write(Uint8Array.of(1, 2, 3));
  },
  'write the latest value until killed': ({ name, directory }) => {
    const latest = openLatest(name, { directory });
    const value = new Uint8Array(latest.maxValueBytes);
    setImmediate(() => {
      for (let number = 0; ; number = (number + 1) & 0xff) latest.write(value.fill(number));
    });
  },
};
