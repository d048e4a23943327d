import fc from 'fast-check';
import { describe, expect, inject, it } from 'vitest';
import { load, store } from '../../src/platform/atomics.js';
import {
  areaBytes,
  DATA_WORD,
  HEAD_WORD,
  READABLE_WORD,
  TAIL_WORD,
  WRITABLE_WORD,
} from '../../src/record/layout.js';
import { READER_WORD, WRITER_WORD } from '../../src/ring/layout.js';
import { openRing, type Ring, type RingOptions } from '../../src/ring/ring.js';
import { WORD_BYTES } from '../../src/segment/layout.js';
import { Segment } from '../../src/segment/segment.js';
import { ChildProcess } from '../support/child-process.js';
import { joinDead } from '../support/dead.js';
import { usePlace } from '../support/place.js';

const place = usePlace();

function open(options: RingOptions = {}): Ring {
  return openRing(place.name, { directory: place.directory, capacityBytes: 4096, ...options });
}

function code(expected: string): unknown {
  return expect.objectContaining({ name: 'ShmError', code: expected });
}

function message(length: number, fill: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => fill + i);
}

function same(seen: Uint8Array | undefined, expected: Uint8Array): boolean {
  return seen !== undefined && Buffer.compare(seen, expected) === 0;
}

function readAll(ring: Ring, limit?: number): Uint8Array[] {
  const messages: Uint8Array[] = [];
  ring.read((bytes, start, end) => messages.push(bytes.slice(start, end)), limit);
  return messages;
}

/** Changes words of the ring behind the back of its ends. */
function poke(change: (words: Int32Array, base: number) => void): void {
  const segment = Segment.open(undefined, place.name, { directory: place.directory });
  change(segment.words, segment.payloadOffset / WORD_BYTES);
  segment.close();
}

describe('ring layout', () => {
  it('is pinned', () => {
    expect({
      TAIL_WORD,
      HEAD_WORD,
      WRITER_WORD,
      READER_WORD,
      READABLE_WORD,
      WRITABLE_WORD,
      DATA_WORD,
    }).toEqual({
      TAIL_WORD: 0,
      HEAD_WORD: 32,
      WRITER_WORD: 64,
      READER_WORD: 96,
      READABLE_WORD: 128,
      WRITABLE_WORD: 160,
      DATA_WORD: 256,
    });
    expect(areaBytes(4096)).toBe(5120);
  });

  it.each([0, 2048, 5000, 2 ** 31, Number.NaN])('refuses a capacity of %d bytes', (capacityBytes) => {
    expect(() => open({ capacityBytes })).toThrow(RangeError);
  });
});

describe('Ring', { timeout: 60_000 }, () => {
  it('reads nothing when nothing was written', () => {
    const ring = open();
    expect(readAll(ring)).toEqual([]);
    expect(ring.take()).toBeUndefined();
  });

  it.each([0, 1, 3, 4, 7, 8, 9, 63, 64, 65, 192, 193, 512])('carries messages of %i bytes', (length) => {
    const writer = open();
    const reader = open();
    const reused = new Uint8Array(length);
    for (let round = 0; round < 40; round++) {
      reused.set(message(length, round));
      expect(writer.tryWrite(reused)).toBe(true);
      expect(writer.tryWrite(message(length, round + 1))).toBe(true);
      const got = round % 2 === 0 ? readAll(reader) : [reader.take(), reader.take()];
      reader.release();
      expect(got).toEqual([message(length, round), message(length, round + 1)]);
    }
  });

  it('carries what a view sees, wherever in its buffer it begins', () => {
    const writer = open();
    const reader = open();
    const all = message(100, 0);
    for (const begin of [0, 1, 2, 3, 4, 50]) {
      const view = all.subarray(begin, begin + 40);
      for (let i = 0; i < 3; i++) writer.tryWrite(view);
      expect(readAll(reader)).toEqual([view, view, view].map((v) => v.slice()));
    }
  });

  it('follows a view that grows and shrinks with its buffer', () => {
    const writer = open();
    const reader = open();
    const buffer: ArrayBuffer = Reflect.construct(ArrayBuffer, [8, { maxByteLength: 64 }]);
    const view = new Uint8Array(buffer);
    for (const size of [8, 8, 40, 40, 40, 4, 4, 64]) {
      (buffer as ArrayBuffer & { resize(bytes: number): void }).resize(size);
      view.fill(size);
      writer.tryWrite(view);
      expect(readAll(reader)).toEqual([new Uint8Array(size).fill(size)]);
    }
  });

  it('is full exactly at its capacity, and says so by returning false', () => {
    const ring = open();
    // 8 bytes of header each: 64 records of 64 bytes are 4096.
    for (let i = 0; i < 64; i++) expect(ring.tryWrite(message(56, i))).toBe(true);
    expect(ring.tryWrite(message(0, 0))).toBe(false);
    expect(readAll(ring, 1)).toEqual([message(56, 0)]);
    expect(ring.tryWrite(message(57, 0))).toBe(false);
    expect(ring.tryWrite(message(56, 64))).toBe(true);
    expect(readAll(ring)).toEqual(Array.from({ length: 64 }, (_, i) => message(56, i + 1)));
  });

  it('carries a message of the largest size from every place of the ring, and refuses a larger one', () => {
    const ring = open();
    expect(ring.maxMessageBytes).toBe(512);
    expect(() => ring.tryWrite(message(513, 0))).toThrow(code('ERR_SHM_TOO_LARGE'));
    expect(() => ring.tryClaim(513)).toThrow(code('ERR_SHM_TOO_LARGE'));
    for (let i = 0; i < 400; i++) {
      expect(ring.tryWrite(message(512, i))).toBe(true);
      expect(ring.tryWrite(message(i % 24, i))).toBe(true);
      expect(readAll(ring)).toEqual([message(512, i), message(i % 24, i)]);
    }
  });

  it('shows staged messages only once they are published, and all of them', () => {
    const ring = open();
    ring.tryStage(message(3, 1));
    ring.tryStage(message(200, 2));
    expect(readAll(ring)).toEqual([]);
    ring.publish();
    ring.publish();
    expect(readAll(ring)).toEqual([message(3, 1), message(200, 2)]);
    ring.tryStage(message(3, 3));
    ring.tryWrite(message(3, 4));
    expect(readAll(ring)).toEqual([message(3, 3), message(3, 4)]);
  });

  it('lets a message be written in place', () => {
    const ring = open();
    ring.tryClaim(5)?.set(message(5, 9));
    expect(() => ring.tryWrite(message(1, 1))).toThrow(TypeError);
    expect(() => ring.tryClaim(1)).toThrow(TypeError);
    expect(readAll(ring)).toEqual([]);
    ring.commit();
    expect(readAll(ring)).toEqual([message(5, 9)]);
    expect(() => ring.commit()).toThrow(TypeError);
    expect(() => ring.abort()).toThrow(TypeError);
  });

  it('forgets an aborted claim, at the end of the ring too', () => {
    const ring = open();
    for (let i = 0; i < 300; i++) {
      expect(ring.tryClaim(500)).toHaveLength(500);
      ring.abort();
      ring.tryWrite(message(99, i));
      expect(readAll(ring)).toEqual([message(99, i)]);
    }
  });

  it('reads at most the limit', () => {
    const ring = open();
    for (let i = 0; i < 10; i++) ring.tryWrite(message(4, i));
    expect(readAll(ring, 3)).toHaveLength(3);
    expect(readAll(ring, 0)).toHaveLength(0);
    expect(readAll(ring)).toHaveLength(7);
  });

  it('gives the message again that a handler threw at, and not those before', () => {
    const ring = open();
    for (let i = 0; i < 5; i++) ring.tryWrite(message(1, i));
    const seen: number[] = [];
    const handler = (bytes: Uint8Array, start: number): void => {
      if (bytes[start] === 2 && !seen.includes(-1)) {
        seen.push(-1);
        throw new Error('not now');
      }
      seen.push(bytes[start] ?? 0);
    };
    expect(() => ring.read(handler)).toThrow('not now');
    ring.close();
    const successor = open();
    successor.read(handler);
    expect(seen).toEqual([0, 1, -1, 2, 3, 4]);
  });

  it('refuses to be read inside its own handler', () => {
    const ring = open();
    ring.tryWrite(message(1, 1));
    expect(() => ring.read(() => ring.take())).toThrow(TypeError);
    expect(readAll(ring)).toHaveLength(1);
  });

  it('may be closed inside its handler: the message being handled comes again', () => {
    const ring = open();
    for (let i = 0; i < 3; i++) ring.tryWrite(message(1, i));
    expect(ring.read((bytes, start) => bytes[start] === 1 && ring.close())).toBe(2);
    expect(readAll(open())).toEqual([message(1, 1), message(1, 2)]);
  });

  it('gives taken messages again unless they were released', () => {
    const ring = open();
    for (let i = 0; i < 4; i++) ring.tryWrite(message(9, i));
    ring.take();
    ring.take();
    ring.release();
    expect(ring.take()).toEqual(message(9, 2));
    ring.close();
    expect(readAll(open())).toEqual([message(9, 2), message(9, 3)]);
  });

  it('takes, out of a large ring, batches that end in the middle of a message', () => {
    const ring = open({ capacityBytes: 2 ** 20 });
    const lengths = Array.from({ length: 3000 }, (_, i) => (i * 37) % 300);
    for (let lap = 0; lap < 2; lap++) {
      for (const length of lengths) ring.tryWrite(message(length, length));
      ring.tryWrite(message(100_000, 1));
      const wrong = lengths.filter((length) => !same(ring.take(), message(length, length)));
      expect(wrong).toEqual([]);
      expect(same(ring.take(), message(100_000, 1))).toBe(true);
      expect(ring.take()).toBeUndefined();
      ring.release();
    }
  });

  it('goes on where positions become negative and where they become zero', () => {
    for (const position of [0x7fffffff - 20, -20]) {
      const ring = open();
      poke((words, base) => {
        store(words, base + TAIL_WORD, position);
        store(words, base + HEAD_WORD, position);
      });
      for (let i = 0; i < 100; i++) {
        expect(ring.tryWrite(message(i % 60, i))).toBe(true);
        expect(ring.tryWrite(message(500, i))).toBe(true);
        expect(readAll(ring)).toEqual([message(i % 60, i), message(500, i)]);
      }
      poke((words, base) => {
        expect(load(words, base + TAIL_WORD) > 0 === position < 0).toBe(true);
      });
      ring.segment.unlink();
      ring.close();
    }
  });

  it('carries any sequence of messages, however it is cut into batches', () => {
    const ring = open();
    const reader = open();
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom('write', 'stage', 'publish', 'read', 'take'), fc.nat(512)), {
          maxLength: 200,
        }),
        (operations) => {
          const sent: Uint8Array[] = [];
          const got: Uint8Array[] = [];
          const read = (limit: number): number =>
            reader.read((bytes, start, end) => got.push(bytes.slice(start, end)), limit);
          operations.forEach(([operation, n], i) => {
            if (operation === 'write' && ring.tryWrite(message(n, i))) sent.push(message(n, i));
            if (operation === 'stage' && ring.tryStage(message(n, i))) sent.push(message(n, i));
            if (operation === 'publish') ring.publish();
            if (operation === 'read') read(n);
            if (operation === 'take') {
              const taken = reader.take();
              if (taken !== undefined) got.push(taken);
              reader.release();
            }
          });
          ring.publish();
          while (read(1000) > 0);
          expect(got).toEqual(sent);
        },
      ),
    );
  });

  it('refuses a second writer and a second reader while the first live', () => {
    const first = open();
    const second = open();
    first.tryWrite(message(1, 1));
    expect(() => second.tryWrite(message(1, 1))).toThrow(code('ERR_SHM_ROLE_TAKEN'));
    expect(readAll(second)).toHaveLength(1);
    expect(() => first.take()).toThrow(code('ERR_SHM_ROLE_TAKEN'));
    expect(second.writer()?.pid).toBe(process.pid);
    expect(second.reader()?.pid).toBe(process.pid);
    first.close();
    expect(second.writer()).toBeUndefined();
    expect(second.tryWrite(message(1, 1))).toBe(true);
  });

  it('takes the place of a writer that is dead', () => {
    const ring = open();
    poke((words, base) => store(words, base + WRITER_WORD, joinDead(words).token));
    expect(ring.tryWrite(message(1, 1))).toBe(true);
  });

  it.each([
    ['a tail beyond the capacity', (words: Int32Array, base: number) => store(words, base + TAIL_WORD, 600)],
    ['a tail before the head', (words: Int32Array, base: number) => store(words, base + TAIL_WORD, -1)],
    ['a negative length', (words: Int32Array, base: number) => store(words, base + DATA_WORD, -8)],
    ['a length beyond the tail', (words: Int32Array, base: number) => store(words, base + DATA_WORD, 100)],
    ['a huge length', (words: Int32Array, base: number) => store(words, base + DATA_WORD, 0x7fffffff)],
    ['a mark of another lap', (words: Int32Array, base: number) => store(words, base + DATA_WORD + 1, 512)],
    ['padding that is none', (words: Int32Array, base: number) => store(words, base + DATA_WORD + 1, ~0)],
  ])('is poisoned by %s', (_, change) => {
    for (const read of [(ring: Ring) => readAll(ring), (ring: Ring) => ring.take()]) {
      const ring = open();
      ring.tryWrite(message(16, 1));
      poke(change);
      const reader = open();
      let thrown: unknown;
      try {
        read(reader);
      } catch (error) {
        thrown = error;
      }
      expect(thrown).toEqual(code('ERR_SHM_CORRUPT'));
      expect(() => read(reader)).toThrow(thrown as Error);
      ring.segment.unlink();
      ring.close();
      reader.close();
    }
  });

  it('refuses to write into a ring whose positions are impossible', () => {
    const ring = open();
    poke((words, base) => store(words, base + HEAD_WORD, 9));
    expect(() => ring.tryWrite(message(1, 1))).toThrow(code('ERR_SHM_CORRUPT'));
  });

  it('throws after close, which may be repeated', async () => {
    const ring = open();
    ring.tryWrite(message(1, 1));
    readAll(ring);
    ring.close();
    ring.close();
    await ring[Symbol.asyncDispose]();
    for (const use of [
      () => ring.tryWrite(message(1, 1)),
      () => ring.tryStage(message(1, 1)),
      () => ring.publish(),
      () => ring.tryClaim(1),
      () => ring.read(() => {}),
      () => ring.take(),
      () => ring.release(),
      () => ring.writer(),
    ]) {
      expect(use).toThrow(code('ERR_SHM_CLOSED'));
    }
  });

  it('carries a million messages to another process in order', async () => {
    await using child = new ChildProcess(inject('childProgram'));
    const count = 1_000_000;
    const ring = open({ capacityBytes: 2 ** 16 });
    const done = child.act('sum the messages of a ring', { ...place });
    const buffer = new Uint8Array(64);
    const number = new DataView(buffer.buffer);
    for (let i = 0; i <= count; i++) {
      number.setInt32(0, i < count ? i : -1);
      const length = 4 + (i % 61);
      while (!ring.tryWrite(buffer.subarray(0, length))) await new Promise(setImmediate);
    }
    expect(await done).toEqual({ count, inOrder: true });
  });
});
