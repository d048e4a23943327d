import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { describe, expect, inject, it } from 'vitest';
import { openMutex } from '../src/lock/mutex.js';
import { openSegment } from '../src/segment/shared-segment.js';
import { usePlace } from './support/place.js';
import type { Command, Outcome } from './support/scenario.js';

const place = usePlace();

/** The child program in a thread of this process. */
class Thread {
  readonly worker = new Worker(inject('childProgram'), { stdin: true, stdout: true, stderr: true });

  async act(scenario: string): Promise<Outcome> {
    this.worker.stdin?.write(`${JSON.stringify({ scenario, place } satisfies Command)}\n`);
    const [line] = await once(this.worker.stdout, 'data');
    return JSON.parse(String(line)) as Outcome;
  }
}

describe('a worker thread', () => {
  it('has a mapping of its own of the same memory, and a slot of its own', async () => {
    const segment = openSegment(place.name, { directory: place.directory });
    const thread = new Thread();
    const { result } = await thread.act('attach to a segment');
    expect(result).toMatchObject({
      created: false,
      incarnation: segment.segment.incarnation,
      pid: process.pid,
    });
    const infos = segment.participants();
    expect(infos.map(({ liveness, pid }) => ({ liveness, pid }))).toEqual([
      { liveness: 'alive', pid: process.pid },
      { liveness: 'alive', pid: process.pid },
    ]);
    expect(infos[0]?.identity?.tid).not.toBe(infos[1]?.identity?.tid);
    await thread.worker.terminate();
  });

  it.runIf(process.platform === 'linux')(
    'that is terminated holding a lock is proven dead, though its process lives',
    async () => {
      const mutex = openMutex(place.name, { directory: place.directory });
      const thread = new Thread();
      await thread.act('hold the mutex');
      expect(mutex.tryLock()).toBeUndefined();
      await thread.worker.terminate();
      expect(mutex.tryLock()).toMatchObject({ recovered: true, deceased: { pid: process.pid } });
    },
  );

  it('that is terminated in the middle of writing tears nothing', async () => {
    const { openLatest } = await import('../src/latest/latest.js');
    const latest = openLatest(place.name, { directory: place.directory, maxValueBytes: 4096 });
    for (let round = 0; round < 5; round++) {
      const thread = new Thread();
      await thread.act('write the latest value until killed');
      const before = latest.version;
      while (((latest.version - before) | 0) < 1000);
      await thread.worker.terminate();
      const value = latest.read();
      expect(value?.every((byte) => byte === value[0])).toBe(true);
    }
  });
});
