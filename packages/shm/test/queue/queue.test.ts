import { describe, expect, inject, it } from 'vitest';
import { LOCK_WORD, NEXT_WORD } from '../../src/queue/layout.js';
import { type Job, openQueue, type QueueOptions, type WorkQueue } from '../../src/queue/queue.js';
import { HEAD_WORD, TAIL_WORD } from '../../src/record/layout.js';
import { ChildProcess } from '../support/child-process.js';
import { memoryOf } from '../support/memory.js';
import { usePlace } from '../support/place.js';

const place = usePlace();
const code = (expected: string): unknown => expect.objectContaining({ name: 'ShmError', code: expected });
const open = (options: QueueOptions = {}): WorkQueue =>
  openQueue(place.name, { directory: place.directory, capacityBytes: 4096, ...options });
const message = (length: number, fill: number): Uint8Array => new Uint8Array(length).fill(fill);
const firsts = (jobs: readonly (Job | undefined)[]): unknown[] => jobs.map((job) => job?.bytes[0]);

describe('the layout of a work queue', () => {
  it('is pinned', () => {
    expect({ TAIL_WORD, HEAD_WORD, NEXT_WORD, LOCK_WORD }).toEqual({
      TAIL_WORD: 0,
      HEAD_WORD: 32,
      NEXT_WORD: 96,
      LOCK_WORD: 64,
    });
  });
});

describe('WorkQueue', () => {
  it('gives each message to one taker, oldest first', () => {
    using producer = open();
    using one = open();
    using two = open();
    for (let i = 1; i <= 4; i++) expect(producer.tryPut(message(3, i))).toBe(true);
    expect(firsts([one.tryTake(), two.tryTake(), two.tryTake(), one.tryTake()])).toEqual([1, 2, 3, 4]);
    expect(one.tryTake()).toBeUndefined();
  });

  it('brings again what is given back, or whose taker left, and never what is done', () => {
    using queue = open();
    const taker = open();
    for (let i = 1; i <= 4; i++) queue.tryPut(message(1, i));
    const [first, second, third] = [taker.tryTake(), taker.tryTake(), taker.tryTake()];
    second?.done();
    second?.done();
    first?.giveBack();
    const again = queue.tryTake();
    expect([again?.bytes[0], again?.again, again?.attempt]).toEqual([1, true, 2]);
    taker.close();
    expect(firsts([queue.tryTake(), queue.tryTake(), queue.tryTake()])).toEqual([3, 4, undefined]);
    expect(() => third?.done()).toThrow(code('ERR_SHM_CLOSED'));
  });

  it('waits for room, and for messages, in the order of the calls', async () => {
    using queue = open();
    using other = open();
    let filled = 0;
    while (queue.tryPut(message(496, filled))) filled++;
    expect(filled).toBe(8);
    const late = [queue.put(message(496, 8)), queue.put(message(1, 9))];
    await expect(queue.put(message(513, 0))).rejects.toEqual(code('ERR_SHM_TOO_LARGE'));
    await expect(queue.put('text' as unknown as Uint8Array)).rejects.toThrow(TypeError);
    const seen: number[] = [];
    for await (const job of other) if (seen.push(job.bytes[0] ?? -1) === 10) break;
    expect(seen).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    await Promise.all(late);
    const waiting = queue.take();
    await new Promise(setImmediate);
    // The loop was left: its last message is anybody's.
    expect((await waiting)?.bytes[0]).toBe(9);
    const end = other.take();
    other.close();
    expect(await end).toBeUndefined();
  });

  it('can stop waiting', async () => {
    using queue = open();
    const controller = new AbortController();
    const taking = queue.take({ signal: controller.signal });
    controller.abort(new Error('enough'));
    await expect(taking).rejects.toThrow('enough');
    queue.tryPut(message(1, 1));
    expect(queue.tryTake()?.bytes[0]).toBe(1);
  });

  it('goes round many times, with messages of all sizes, done in any order', () => {
    using queue = open();
    let put = 0;
    let got = 0;
    const held: Job[] = [];
    for (let i = 0; i < 5000; i++) {
      if (queue.tryPut(message((put * 37) % 500, put & 0xff))) put++;
      const job = queue.tryTake();
      if (job !== undefined) {
        expect(job.bytes.length).toBe((got * 37) % 500);
        got++;
        held.push(job);
      }
      if (held.length > 3) held.splice((i * 7) % held.length, 1)[0]?.done();
      if (held.length > 3) held.shift()?.done();
    }
    expect(got).toBeGreaterThan(2000);
  });

  it('goes on where positions become negative', () => {
    using queue = open();
    const { words, payloadWord } = memoryOf(queue);
    for (const word of [TAIL_WORD, HEAD_WORD, NEXT_WORD]) words[payloadWord + word] = 2 ** 31 - 64;
    for (let i = 0; i < 100; i++) {
      expect(queue.tryPut(message(100, i))).toBe(true);
      const job = queue.tryTake();
      expect(job?.bytes[0]).toBe(i);
      job?.done();
    }
  });

  it('says that it is corrupt, rather than look anywhere', () => {
    using queue = open();
    memoryOf(queue).words[memoryOf(queue).payloadWord + TAIL_WORD] = 100_000;
    expect(() => queue.tryTake()).toThrow(code('ERR_SHM_CORRUPT'));
  });
});

describe.skipIf(process.platform !== 'linux')('WorkQueue between processes', { timeout: 60_000 }, () => {
  it('gives what a killed worker had to another one', async () => {
    using queue = open();
    for (let i = 1; i <= 3; i++) queue.tryPut(message(1, i));
    const child = new ChildProcess(inject('childProgram'));
    expect(await child.act('take two jobs and be done with one', { ...place })).toEqual([1, 2]);
    await child.end();
    const jobs = [await queue.take(), await queue.take()];
    expect(firsts(jobs).sort()).toEqual([2, 3]);
    expect(jobs.find((job) => job?.bytes[0] === 2)?.again).toBe(true);
  });
});
