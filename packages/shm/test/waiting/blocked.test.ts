/** Waiting with the thread blocked, at a futex: in worker threads and between processes. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { describe, expect, inject, it } from 'vitest';
import { openChannel } from '../../src/channel/channel.js';
import { openLatest } from '../../src/latest/latest.js';
import { openMutex } from '../../src/lock/mutex.js';
import { openLog } from '../../src/log/log.js';
import { openRing } from '../../src/ring/ring.js';
import { SLOT_SLEEPS, slotWord } from '../../src/segment/layout.js';
import { openSegment } from '../../src/segment/shared-segment.js';
import { inspect } from '../../src/tools/inspect.js';
import { BLOCKED_BIT } from '../../src/waiting/wait-point.js';
import { ChildProcess } from '../support/child-process.js';
import { memoryOf } from '../support/memory.js';
import { usePlace } from '../support/place.js';
import type { Command, Outcome } from '../support/scenario.js';

const place = usePlace();
const code = (expected: string): unknown => expect.objectContaining({ name: 'ShmError', code: expected });

/** The child program in a thread of this process. */
function startThread(): { act(scenario: string): Promise<Outcome>; end(): Promise<unknown> } {
  const worker = new Worker(inject('childProgram'), { stdin: true, stdout: true, stderr: true });
  return {
    async act(scenario) {
      worker.stdin?.write(`${JSON.stringify({ scenario, place } satisfies Command)}\n`);
      const [line] = await once(worker.stdout, 'data');
      return JSON.parse(String(line)) as Outcome;
    },
    end: () => worker.terminate(),
  };
}

describe.skipIf(process.platform !== 'linux')('a thread that blocks', { timeout: 60_000 }, () => {
  it('is woken by a message of a thread with an event loop, and the other way round', async () => {
    const { directory, name } = place;
    using a = openChannel(name, { directory, side: 'a' });
    const thread = startThread();
    await thread.act('echo on side b with the thread blocked');
    for (let i = 1; i <= 500; i++) {
      a.trySend(new Uint8Array(i));
      expect((await a.receive())?.length).toBe(i);
    }
    const left = once(a, 'peer-left');
    a.trySend(new Uint8Array(0));
    await left;
    await thread.end();
  });

  it('is woken by the futex, not by chance', async () => {
    const { directory, name } = place;
    using segment = openSegment(name, { directory });
    const { words } = memoryOf(segment);
    const thread = startThread();
    const woken = thread.act('wait for a notification with the thread blocked, and never look by itself');
    while (((words[slotWord(1) + SLOT_SLEEPS] ?? 0) & BLOCKED_BIT) === 0) await new Promise(setImmediate);
    segment.notify();
    expect((await woken).result).toBe(true);
    await thread.end();
  });

  it('has the lock in turn with another process, and counts right', async () => {
    const { directory, name } = place;
    using segment = openSegment(name, { directory });
    await using child = new ChildProcess(inject('childProgram'));
    const thread = startThread();
    const outcomes = [
      child.act('count to 2000 under the mutex with the thread blocked', { ...place }),
      thread.act('count to 2000 under the mutex with the thread blocked'),
    ];
    for (let i = 0; i < 100; i++) {
      await segment.withLock(() => {
        segment.words[0] = (segment.words[0] ?? 0) + 1;
      });
    }
    await Promise.all(outcomes);
    expect(segment.words[0]).toBe(4100);
    await thread.end();
  });

  it('gets the lock that is given up while it sleeps, and that of one who died', async () => {
    const { directory, name } = place;
    using mutex = openMutex(name, { directory });
    const { words } = memoryOf(mutex);
    const sleeps = (): boolean =>
      [0, 1, 2].some((slot) => ((words[slotWord(slot) + SLOT_SLEEPS] ?? 0) & BLOCKED_BIT) !== 0);
    const lock = mutex.tryLock();
    const thread = startThread();
    const got = thread.act('wait for the mutex with the thread blocked');
    while (!sleeps()) await new Promise(setImmediate);
    lock?.release();
    expect((await got).result).toEqual({ recovered: false });
    const child = new ChildProcess(inject('childProgram'));
    const inherited = child.act('wait for the mutex with the thread blocked', { ...place });
    await thread.end();
    expect(await inherited).toEqual({ recovered: true });
    await child.end();
  });

  it('sees what is there already, and when its time is up', () => {
    const { directory } = place;
    using ring = openRing('ring', { directory });
    using latest = openLatest('latest', { directory });
    using log = openLog('log', { directory });
    using reader = log.reader();
    using segment = openSegment('segment', { directory });
    const waits = [
      (timeoutMs: number) => ring.readableSync({ timeoutMs }),
      (timeoutMs: number) => latest.changedSync({ timeoutMs }),
      (timeoutMs: number) => reader.readableSync({ timeoutMs }),
      (timeoutMs: number) => segment.changedSync({ timeoutMs }),
    ];
    expect(waits.map((wait) => wait(1))).toEqual([false, false, false, false]);
    ring.trySend(new Uint8Array(1));
    latest.write(new Uint8Array(1));
    log.tryAppend(new Uint8Array(1));
    segment.notify();
    expect(waits.map((wait) => wait(0))).toEqual([true, true, true, true]);
    expect(segment.changedSync({ timeoutMs: 0 })).toBe(false);
    expect(() => ring.readableSync({ timeoutMs: -1 })).toThrow(RangeError);
    expect(() => openLatest('latest', { directory, access: 'read-only' }).changedSync()).toThrow(
      code('ERR_SHM_READ_ONLY'),
    );
    expect(inspect('ring', { directory }).participants).toHaveLength(1);
  });

  it('leaves those who are parked in its event loop to be woken', async () => {
    const { directory, name } = place;
    using a = openChannel(name, { directory, side: 'a' });
    using b = openChannel(name, { directory, side: 'b' });
    const parked = b.receive();
    await new Promise(setImmediate);
    // While it blocks in this very handle, the message comes, and takes the one sleeper that the slot has.
    expect(b.readableSync({ timeoutMs: 1 })).toBe(false);
    a.trySend(Uint8Array.of(5));
    expect(await parked).toEqual(Uint8Array.of(5));
  });

  it('does not wait for itself', async () => {
    const { directory, name } = place;
    using mutex = openMutex(name, { directory });
    using other = openMutex(name, { directory });
    await mutex.withLock(() => {
      expect(() => mutex.lockSync()).toThrow(code('ERR_SHM_DEADLOCK'));
      expect(() => other.lockSync()).toThrow(code('ERR_SHM_DEADLOCK'));
    });
    using lock = other.lockSync({ timeoutMs: 10 });
    expect(lock.held).toBe(true);
    const child = new ChildProcess(inject('childProgram'));
    lock.release();
    await child.act('hold the mutex', { ...place });
    expect(() => mutex.lockSync({ timeoutMs: 5 })).toThrow(code('ERR_SHM_LOCK_TIMEOUT'));
    await child.end();
    using recovered = mutex.lockSync();
    expect(recovered.recovered).toBe(true);
    recovered.markConsistent();
  });
});
