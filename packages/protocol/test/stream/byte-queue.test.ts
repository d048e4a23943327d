import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteQueue } from '../../src/stream/byte-queue.js';
import { concat, cutAt, cutEvery, cutPoints } from '../support/cuts.js';
import { holds } from '../support/holds.js';

function shown(queue: ByteQueue, count: number): Uint8Array {
  return queue.bytes.subarray(queue.offset, queue.offset + count);
}

describe('ByteQueue', () => {
  it('shows bytes of a whole chunk where they are', () => {
    const queue = new ByteQueue();
    const chunk = Uint8Array.of(1, 2, 3, 4);
    queue.push(chunk);
    queue.take(queue.peek(1) ? 1 : 0);
    expect(queue.peek(2)).toBe(true);
    expect(queue.bytes).toBe(chunk);
    expect(queue.offset).toBe(1);
  });

  it('answers false while bytes are missing, and shows the unit once they are there', () => {
    const queue = new ByteQueue();
    for (const byte of [1, 2]) {
      queue.push(Uint8Array.of(byte));
      expect(queue.peek(3)).toBe(false);
    }
    queue.push(Uint8Array.of(3, 4));
    expect(queue.peek(3)).toBe(true);
    expect([...shown(queue, 3)]).toEqual([1, 2, 3]);
    expect(queue.length).toBe(4);
  });

  it('gives back every byte in order through any cut and any sizes of units', () => {
    holds(
      fc.property(
        fc.uint8Array({ maxLength: 400 }),
        cutPoints,
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }),
        fc.boolean(),
        (bytes, points, sizes, readsBetween) => {
          const queue = new ByteQueue();
          const units: Uint8Array[] = [];
          const copies: Uint8Array[] = [];
          let next = 0;
          const read = (): void => {
            while (queue.peek(sizes[next % sizes.length]!)) {
              const size = sizes[next++ % sizes.length]!;
              units.push(shown(queue, size));
              copies.push(shown(queue, size).slice());
              queue.take(size);
            }
          };
          for (const chunk of cutAt(bytes, points)) {
            queue.push(chunk);
            if (readsBetween) read();
          }
          read();
          expect(concat(copies)).toEqual(bytes.subarray(0, bytes.length - queue.length));
          // What was shown earlier is never written again.
          expect(units).toEqual(copies);
        },
      ),
    );
  });

  it('lets go of the chunk when it answers false', () => {
    const queue = new ByteQueue();
    queue.push(Uint8Array.of(1, 2));
    expect(queue.peek(2)).toBe(true);
    queue.take(2);
    expect(queue.peek(1)).toBe(false);
    expect(queue.bytes.buffer.byteLength).toBe(0);
  });

  it('allocates no more than twice what has arrived, whatever is expected', () => {
    const queue = new ByteQueue();
    queue.push(new Uint8Array(1000));
    expect(queue.peek(1_000_000, 1_000_000)).toBe(false);
    queue.push(new Uint8Array(1));
    expect(queue.peek(1001)).toBe(true);
    expect(queue.bytes.length).toBeLessThanOrEqual(2002);
  });

  it('copies each byte a bounded number of times when they come one by one', () => {
    const queue = new ByteQueue();
    const arrays = new Set<Uint8Array>();
    let copied = 0;
    for (const chunk of cutEvery(new Uint8Array(65_536), 1)) {
      queue.push(chunk);
      queue.peek(65_537);
      // A peek that succeeds shows the array in which the bytes are held.
      queue.peek(queue.length);
      if (!arrays.has(queue.bytes)) copied += queue.length;
      arrays.add(queue.bytes);
    }
    expect(copied).toBeLessThan(3 * 65_536);
  });
});
