import { describe, expect, inject, it } from 'vitest';
import { type Latest, type LatestOptions, openLatest } from '../../src/latest/latest.js';
import { CELL_LENGTH_WORD, cellBytes, FIRST_CELL_BYTES, VERSION_WORD } from '../../src/latest/layout.js';
import { store } from '../../src/platform/atomics.js';
import { WORD_BYTES } from '../../src/segment/layout.js';
import { Segment } from '../../src/segment/segment.js';
import { ChildProcess } from '../support/child-process.js';
import { usePlace } from '../support/place.js';

const place = usePlace();

function open(options: LatestOptions = {}): Latest {
  return openLatest(place.name, { directory: place.directory, ...options });
}

function code(expected: string): unknown {
  return expect.objectContaining({ name: 'ShmError', code: expected });
}

function bytes(length: number, fill: number): Uint8Array {
  return new Uint8Array(length).fill(fill);
}

/** Stores into a word of the payload of the open value. */
function poke(word: number, value: number): void {
  const segment = Segment.open(undefined, place.name, { directory: place.directory });
  store(segment.words, segment.payloadOffset / WORD_BYTES + word, value);
  segment.close();
}

describe('Latest', () => {
  it('has no value before the first write', () => {
    const latest = open();
    expect(latest.read()).toBeUndefined();
    expect(latest.readInto(new Uint8Array(10))).toBeUndefined();
    expect(latest.version).toBe(0);
    expect(latest.writer()).toBeUndefined();
  });

  it.each([0, 1, 7, 63, 64, 65, 127, 1000])('gives back a value of %i bytes', (length) => {
    const writer = open({ maxValueBytes: 1000 });
    const reader = open();
    for (let i = 1; i < 12; i++) {
      writer.write(bytes(length, i));
      expect(reader.read()).toEqual(bytes(length, i));
      const target = bytes(1000, 0xee);
      expect(reader.readInto(target)).toBe(length);
      expect(target).toEqual(Uint8Array.of(...bytes(length, i), ...bytes(1000 - length, 0xee)));
      expect(reader.version).toBe(i);
    }
  });

  it('gives a copy that later writes do not change', () => {
    const latest = open({ maxValueBytes: 4 });
    latest.write(bytes(4, 1));
    const seen = latest.read();
    for (let i = 2; i < 10; i++) latest.write(bytes(4, i));
    expect(seen).toEqual(bytes(4, 1));
  });

  it('reads into a view in the middle of a buffer', () => {
    const latest = open({ maxValueBytes: 4 });
    latest.write(bytes(3, 1));
    const whole = new Uint8Array(8);
    expect(latest.readInto(whole.subarray(2, 6))).toBe(3);
    expect(whole).toEqual(Uint8Array.of(0, 0, 1, 1, 1, 0, 0, 0));
  });

  it('refuses a value that is too large, and a target that is too short, with the numbers', () => {
    const latest = open({ maxValueBytes: 10 });
    expect(() => latest.write(bytes(11, 0))).toThrow(code('ERR_SHM_TOO_LARGE'));
    expect(() => latest.write(bytes(11, 0))).toThrow('11 bytes exceeds maxValueBytes 10');
    expect(latest.version).toBe(0);
    latest.write(bytes(10, 0));
    expect(() => latest.readInto(new Uint8Array(9))).toThrow(RangeError);
    expect(() => latest.readInto(new Uint8Array(9))).toThrow('10 bytes does not fit into a target of 9');
  });

  it.each([2, 4, 8, 16])('works with %i cells', (cells) => {
    const latest = open({ cells, maxValueBytes: 1 });
    for (let i = 1; i < 100; i++) {
      latest.write(bytes(1, i));
      expect(latest.read()).toEqual(bytes(1, i));
    }
  });

  it.each([{ cells: 3 }, { cells: 1 }, { cells: 32 }, { maxValueBytes: 0 }, { maxValueBytes: 1.5 }])(
    'refuses %j',
    (options) => {
      expect(() => open(options)).toThrow(RangeError);
    },
  );

  it('takes its sizes from the segment, and refuses other ones', () => {
    open({ maxValueBytes: 100, cells: 2 });
    expect(open().maxValueBytes).toBe(100);
    expect(() => open({ maxValueBytes: 101 })).toThrow(code('ERR_SHM_PARAMS'));
    expect(() => open({ maxValueBytes: 101, cells: 4 })).toThrow(
      /maxValueBytes 100, not 101 and cells 2, not 4/,
    );
  });

  it.each([2 ** 31 - 4, -(2 ** 31), -4])('counts on past version %i', (version) => {
    open({ maxValueBytes: 8 }).close();
    poke(VERSION_WORD, version | 0);
    const latest = open();
    for (let i = 1; i <= 10; i++) {
      latest.write(bytes(8, i));
      expect(latest.read()).toEqual(bytes(8, i));
      expect(latest.version).toBe((version + i) | 0);
    }
  });

  it('refuses a second writer while the first is there, and takes it afterwards', () => {
    const [first, second] = [open(), open()];
    first.write(bytes(1, 1));
    expect(() => second.write(bytes(1, 2))).toThrow(code('ERR_SHM_ROLE_TAKEN'));
    expect(second.writer()).toMatchObject({ pid: process.pid, liveness: 'alive' });
    expect(second.read()).toEqual(bytes(1, 1));
    first.close();
    second.write(bytes(1, 2));
    expect(second.read()).toEqual(bytes(1, 2));
  });

  it('lets a writer claim its role before it writes, and read what it will replace', () => {
    const [first, second] = [open(), open()];
    first.claimWriter();
    first.claimWriter();
    expect(first.read()).toBeUndefined();
    expect(() => second.claimWriter()).toThrow(code('ERR_SHM_ROLE_TAKEN'));
    first.write(bytes(1, 1));
    first.close();
    expect(() => first.claimWriter()).toThrow(code('ERR_SHM_CLOSED'));
    second.claimWriter();
    expect(second.read()).toEqual(bytes(1, 1));
  });

  it('refuses a second writer while the first is stopped, and takes it after its death', async () => {
    await using child = new ChildProcess(inject('childProgram'));
    const latest = open();
    await child.act('write the latest value', place);
    await child.stop();
    expect(() => latest.write(bytes(1, 9))).toThrow(code('ERR_SHM_ROLE_TAKEN'));
    expect(() => latest.write(bytes(1, 9))).toThrow(`process ${child.process.pid}, which is stopped`);
    await child.end();
    expect(latest.read()).toEqual(Uint8Array.of(1, 2, 3));
    latest.write(bytes(1, 9));
    expect(latest.read()).toEqual(bytes(1, 9));
  });

  it.each([-2, 101, 2 ** 31 - 1])('reports a length of %i, which no writer writes', (length) => {
    const latest = open({ maxValueBytes: 100 });
    latest.write(bytes(1, 1));
    poke((FIRST_CELL_BYTES + cellBytes(100)) / WORD_BYTES + CELL_LENGTH_WORD, length);
    expect(() => latest.read()).toThrow(code('ERR_SHM_CORRUPT'));
    expect(() => latest.readInto(new Uint8Array(1000))).toThrow(`claims ${length} bytes`);
  });

  it('can be read, not written, through a read-only handle', () => {
    const writer = open();
    writer.write(bytes(2, 5));
    const reader = open({ access: 'read-only' });
    expect(reader.read()).toEqual(bytes(2, 5));
    expect(() => reader.write(bytes(1, 1))).toThrow(code('ERR_SHM_READ_ONLY'));
    expect(() => openLatest('none', { directory: place.directory, access: 'read-only' })).toThrow(
      code('ERR_SHM_NOT_FOUND'),
    );
    reader.close();
  });

  it('is closed once and for all', async () => {
    const latest = open();
    latest.write(bytes(1, 1));
    latest.close();
    latest.close();
    for (const use of [
      () => latest.read(),
      () => latest.readInto(new Uint8Array(1)),
      () => latest.write(bytes(1, 1)),
      () => latest.version,
      () => latest.writer(),
    ]) {
      expect(use).toThrow(code('ERR_SHM_CLOSED'));
    }
    {
      using again = open();
      expect(again.read()).toEqual(bytes(1, 1));
      again.write(bytes(1, 2));
    }
    await using last = open();
    last.write(bytes(1, 3));
    expect(last.read()).toEqual(bytes(1, 3));
  });

  it.each([2, 4, 8])(
    'takes a copy for whole, with %i cells, exactly if its cell cannot have been reused',
    (cells) => {
      const latest = open({ maxValueBytes: 4, cells });
      latest.write(bytes(4, 1));
      const copyDuring = (writes: number): number[] => {
        const copies: number[] = [];
        /** A target during whose first copy the writer goes on. */
        class Target extends Uint8Array {
          override set(source: ArrayLike<number>): void {
            copies.push(source[0] ?? 0);
            super.set(source);
            for (let i = 1; i <= writes && copies.length === 1; i++) latest.write(bytes(4, 100 + i));
          }
        }
        expect(latest.readInto(new Target(4))).toBe(4);
        return copies;
      };
      expect(copyDuring(cells - 2)).toHaveLength(1);
      expect(copyDuring(cells - 1)).toEqual([expect.any(Number), 100 + cells - 1]);
      expect(copyDuring(3 * cells)).toEqual([100 + cells - 1, 100 + 3 * cells]);
    },
  );

  it('gives up, and says so, when it is overtaken every time', () => {
    const latest = open({ maxValueBytes: 4, cells: 2 });
    latest.write(bytes(4, 1));
    class Target extends Uint8Array {
      override set(source: ArrayLike<number>): void {
        super.set(source);
        latest.write(bytes(4, 2));
      }
    }
    expect(() => latest.readInto(new Target(4))).toThrow(code('ERR_SHM_OVERTAKEN'));
  });

  it('is never torn and never goes back while another process writes as fast as it can', async () => {
    const reads = 200_000;
    const latest = open({ maxValueBytes: 64 });
    await using child = new ChildProcess(inject('childProgram'));
    await child.act('write the latest value until killed', place);
    const target = new Uint8Array(64);
    let torn = 0;
    let backwards = 0;
    let seen = latest.version;
    for (let i = 0; i < reads; i++) {
      const version = latest.version;
      if (((version - seen) | 0) < 0) backwards++;
      seen = version;
      if (latest.readInto(target) === undefined) continue;
      for (let k = 1; k < 64; k++) if (target[k] !== target[0]) torn++;
    }
    expect({ torn, backwards }).toEqual({ torn: 0, backwards: 0 });
  });
});
