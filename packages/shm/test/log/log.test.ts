import fc from 'fast-check';
import { describe, expect, inject, it } from 'vitest';
import {
  COUNT_WORD,
  LOCK_WORD,
  logBytes,
  READS_LOSSILY,
  READS_RELIABLY,
  SLOT_LOST,
  SLOT_POSITION,
  SLOT_READS,
} from '../../src/log/layout.js';
import { type Log, type LogOptions, openLog } from '../../src/log/log.js';
import type { LogReader } from '../../src/log/reader.js';
import { store } from '../../src/platform/atomics.js';
import { DATA_WORD, HEAD_WORD, TAIL_WORD } from '../../src/record/layout.js';
import { slotWord, WORD_BYTES } from '../../src/segment/layout.js';
import { Segment } from '../../src/segment/segment.js';
import { ChildProcess } from '../support/child-process.js';
import { joinDead } from '../support/dead.js';
import { usePlace } from '../support/place.js';

const place = usePlace();

function open(options: LogOptions = {}): Log {
  return openLog(place.name, { directory: place.directory, capacityBytes: 4096, ...options });
}

function code(expected: string): unknown {
  return expect.objectContaining({ name: 'ShmError', code: expected });
}

function entry(length: number, fill: number): Uint8Array {
  return new Uint8Array(length).fill(fill);
}

interface Seen {
  readonly number: number;
  readonly bytes: Uint8Array;
}

function readAll(reader: LogReader, limit?: number): Seen[] {
  const seen: Seen[] = [];
  reader.read((bytes, start, end, number) => seen.push({ number, bytes: bytes.slice(start, end) }), limit);
  return seen;
}

function numbers(reader: LogReader, limit?: number): number[] {
  return readAll(reader, limit).map(({ number }) => number);
}

/** Changes words of the log behind the back of its participants. */
function poke(change: (words: Int32Array, base: number) => void): void {
  const segment = Segment.open(undefined, place.name, { directory: place.directory });
  change(segment.words, segment.payloadOffset / WORD_BYTES);
  segment.close();
}

/** Entries 1, 2, 3… of 100 bytes, as many as are asked for. */
function appendMany(log: Log, count: number): void {
  for (let i = 0; i < count; i++) expect(log.tryAppend(entry(100, i))).toBeGreaterThan(0);
}

describe('log layout', () => {
  it('is pinned', () => {
    expect({ LOCK_WORD, COUNT_WORD }).toEqual({ LOCK_WORD: 64, COUNT_WORD: 96 });
    expect({ SLOT_READS, SLOT_POSITION, SLOT_LOST }).toEqual({
      SLOT_READS: 12,
      SLOT_POSITION: 13,
      SLOT_LOST: 14,
    });
    expect({ READS_RELIABLY, READS_LOSSILY }).toEqual({ READS_RELIABLY: 1, READS_LOSSILY: 2 });
    expect(logBytes(4096)).toBe(7168);
  });
});

describe('Log', { timeout: 60_000 }, () => {
  it('numbers entries from 1 and gives them to every reader in the same order', () => {
    const one = open();
    const other = open();
    const readers = [one.reader(), other.reader(), one.reader({ start: 'oldest' })];
    expect(one.tryAppend(entry(3, 7))).toBe(1);
    expect(other.tryAppend(entry(0, 0))).toBe(2);
    expect(other.tryAppendAll([entry(5, 1), entry(6, 2)])).toBe(2);
    expect(one.tryAppend(entry(9, 3))).toBe(5);
    for (const reader of readers) {
      expect(readAll(reader)).toEqual([
        { number: 1, bytes: entry(3, 7) },
        { number: 2, bytes: entry(0, 0) },
        { number: 3, bytes: entry(5, 1) },
        { number: 4, bytes: entry(6, 2) },
        { number: 5, bytes: entry(9, 3) },
      ]);
      expect(readAll(reader)).toEqual([]);
      expect(reader.lost).toBe(0);
    }
    expect(one.last).toBe(5);
  });

  it('begins at the oldest entry, at the next, or at a number', () => {
    const log = open();
    appendMany(log, 5);
    const oldest = log.reader({ start: 'oldest' });
    const next = log.reader({ start: 'next' });
    const third = log.reader({ start: 3 });
    const sixth = log.reader({ start: 6 });
    expect(() => log.reader({ start: 7 })).toThrow(RangeError);
    expect(() => log.reader({ start: 0 })).toThrow(RangeError);
    expect(() => log.reader({ start: 1.5 })).toThrow(RangeError);
    expect([oldest.next, next.next, third.next]).toEqual([0, 6, 3]);
    appendMany(log, 1);
    expect(numbers(oldest)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(numbers(next)).toEqual([6]);
    expect(numbers(third)).toEqual([3, 4, 5, 6]);
    expect(numbers(sixth)).toEqual([6]);
    expect([oldest.lost, next.lost, third.lost]).toEqual([0, 0, 0]);
  });

  it('tells a reader that was overtaken how many entries it lost, exactly, and goes on at an entry', () => {
    const log = open();
    const losses: number[] = [];
    const reader = log.reader({ onLost: (count) => losses.push(count) });
    let last = 0;
    for (const burst of [10, 500, 3, 40, 1000]) {
      appendMany(log, burst);
      const seen = numbers(reader);
      const lost = losses.reduce((sum, count) => sum + count, 0);
      expect(reader.lost).toBe(lost);
      expect(seen).toEqual(Array.from(seen, (_, i) => (seen[0] ?? 0) + i));
      last += burst;
      expect(seen.at(-1)).toBe(last);
    }
    expect(losses.length).toBe(3);
    // 1553 were appended: what was not lost was seen.
    expect(reader.next).toBe(1554);
  });

  it('counts what is not kept any more as lost for who begins at a number', () => {
    const log = open();
    appendMany(log, 500);
    const oldest = numbers(log.reader({ start: 'oldest' }))[0] ?? 0;
    const reader = log.reader({ start: 100 });
    expect(numbers(reader)[0]).toBe(oldest);
    expect(reader.lost).toBe(oldest - 100);
  });

  it('keeps nearly its whole capacity', () => {
    const log = open({ capacityBytes: 65_536 });
    for (let i = 0; i < 5000; i++) log.tryAppend(entry(48, i));
    const kept = readAll(log.reader({ start: 'oldest' })).length * 64;
    expect(kept).toBeGreaterThan(65_536 * 0.9);
  });

  it('carries entries up to the largest, from every place of the log', () => {
    const log = open();
    const reader = log.reader();
    expect(log.maxEntryBytes).toBe(512);
    for (let i = 0; i < 300; i++) {
      const lengths = [512, i % 40, (i * 7) % 513];
      expect(log.tryAppendAll(lengths.map((length) => entry(length, i)))).toBe(3);
      expect(readAll(reader).map(({ bytes }) => bytes)).toEqual(lengths.map((length) => entry(length, i)));
    }
    expect(() => log.tryAppend(entry(513, 0))).toThrow(code('ERR_SHM_TOO_LARGE'));
    expect(() => log.tryAppendAll([entry(1, 0), entry(513, 0)])).toThrow(code('ERR_SHM_TOO_LARGE'));
    expect(log.last).toBe(900);
  });

  it('carries blocks of 64 KiB', () => {
    const log = open({ capacityBytes: 2 ** 20 });
    const reader = log.reader();
    for (let i = 0; i < 100; i++) {
      log.tryAppend(entry(65_536, i));
      log.tryAppend(entry(131_072, i));
      const seen = readAll(reader);
      expect(seen.map(({ number }) => number)).toEqual([2 * i + 1, 2 * i + 2]);
      expect(Buffer.compare(seen[0]?.bytes ?? entry(0, 0), entry(65_536, i))).toBe(0);
      expect(Buffer.compare(seen[1]?.bytes ?? entry(0, 0), entry(131_072, i))).toBe(0);
    }
  });

  it('appends of a batch what fits, and does not give up its own entries for the rest', () => {
    const log = open();
    const batch = Array.from({ length: 100 }, (_, i) => entry(100, i));
    const appended = log.tryAppendAll(batch);
    // 120 bytes each.
    expect(appended).toBe(34);
    expect(numbers(log.reader({ start: 'oldest' }))).toHaveLength(appended);
    expect(log.tryAppendAll([])).toBe(0);
  });

  it('lets writers wait for a reliable reader, and nobody else', async () => {
    const log = open();
    const lossy = log.reader();
    const reliable = open();
    const reader = reliable.reader({ reliable: true });
    let appended = 0;
    while (log.tryAppend(entry(100, appended)) !== undefined) appended++;
    expect(appended).toBe(34);
    const late = [log.append(entry(100, 34)), log.append(entry(100, 35))];
    expect(log.tryAppend(entry(0, 0))).toBeUndefined();
    expect(log.tryAppendAll([entry(0, 0)])).toBe(0);
    expect(numbers(reader, 20)).toHaveLength(20);
    expect(await Promise.all(late)).toEqual([35, 36]);
    expect(numbers(reader)).toEqual(Array.from({ length: 16 }, (_, i) => i + 21));
    expect([reader.lost, lossy.lost]).toEqual([0, 0]);
    reader.close();
    appendMany(log, 100);
  });

  it('lets waiting writers go on when a reliable reader closes', async () => {
    const log = open();
    const reader = open().reader({ reliable: true });
    while (log.tryAppend(entry(500, 0)) !== undefined);
    const waiting = log.append(entry(500, 1));
    reader.close();
    expect(await waiting).toBeGreaterThan(1);
  });

  it('passes a reliable reader that is dead', () => {
    const log = open();
    poke((words) => {
      const slot = slotWord(joinDead(words).slot);
      store(words, slot + SLOT_POSITION, 0);
      store(words, slot + SLOT_READS, READS_RELIABLY);
    });
    appendMany(log, 100);
  });

  it('has one reliable reader per handle', () => {
    const log = open();
    const reader = log.reader({ reliable: true });
    expect(() => log.reader({ reliable: true })).toThrow(TypeError);
    reader.close();
    expect(log.reader({ reliable: true }).reliable).toBe(true);
  });

  it('can stop waiting for room: the entry is not appended', async () => {
    const log = open();
    const reader = log.reader({ reliable: true });
    while (log.tryAppend(entry(0, 0)) !== undefined);
    const { last } = log;
    const controller = new AbortController();
    const given = log.append(entry(1, 1), { signal: controller.signal });
    const kept = log.append(entry(2, 2));
    controller.abort(new Error('enough'));
    await expect(given).rejects.toThrow('enough');
    numbers(reader);
    expect(await kept).toBe(last + 1);
    expect(readAll(reader)).toEqual([{ number: last + 1, bytes: entry(2, 2) }]);
    expect(reader.lost).toBe(0);
  });

  it('wakes readers that sleep, in its own process and in its own handle', async () => {
    const log = open();
    const other = open();
    const readers = [log.reader(), other.reader()];
    for (let i = 1; i <= 30; i++) {
      const awake = readers.map((reader) => reader.readable());
      await new Promise(setImmediate);
      log.tryAppend(entry(1, i));
      expect(await Promise.all(awake)).toEqual([true, true]);
      for (const reader of readers) expect(numbers(reader)).toEqual([i]);
    }
  });

  it('gives its entries to a loop', async () => {
    const log = open();
    const reader = log.reader();
    const seen: number[] = [];
    const loop = (async () => {
      for await (const { number, bytes } of reader) {
        seen.push(number, bytes[0] ?? -1);
        if (number === 3) break;
      }
    })();
    for (let i = 1; i <= 3; i++) {
      await log.append(entry(1, i));
      await new Promise(setImmediate);
    }
    await loop;
    expect(seen).toEqual([1, 1, 2, 2, 3, 3]);
  });

  it('lets timers run while it is read in batches and there is always one more', async () => {
    using log = open();
    const reader = log.reader();
    let turns = 0;
    const count = (): void => {
      turns++;
      setImmediate(count).unref();
    };
    setImmediate(count);
    for (let i = 0; i < 4000; i++) {
      log.tryAppend(entry(1, 1));
      expect(await reader.readable()).toBe(true);
      reader.read(() => {}, 1);
    }
    expect(turns).toBeGreaterThan(40);
  });

  it('can stop waiting for entries', async () => {
    const reader = open().reader();
    const controller = new AbortController();
    const waiting = reader.readable({ signal: controller.signal });
    controller.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
  });

  it('gives the entry again that a handler threw at', () => {
    const log = open();
    const reader = log.reader();
    appendMany(log, 3);
    const seen: number[] = [];
    const handler = (_bytes: Uint8Array, _start: number, _end: number, number: number): void => {
      seen.push(number);
      if (seen.length === 2) throw new Error('not now');
    };
    expect(() => reader.read(handler)).toThrow('not now');
    reader.read(handler);
    expect(seen).toEqual([1, 2, 2, 3]);
  });

  it('may be closed inside a handler', () => {
    const log = open();
    const reader = log.reader();
    appendMany(log, 3);
    expect(reader.read(() => log.close())).toBe(1);
  });

  it('goes on where positions become negative and where they become zero', () => {
    for (const position of [0x7fffffff - 200, -200]) {
      const log = open();
      poke((words, base) => {
        store(words, base + HEAD_WORD, position);
        store(words, base + COUNT_WORD, position);
        store(words, base + TAIL_WORD, position);
      });
      const reader = log.reader();
      const slow = log.reader();
      for (let i = 1; i <= 200; i++) {
        expect(log.tryAppend(entry(i, i))).toBe(i);
        expect(readAll(reader)).toEqual([{ number: i, bytes: entry(i, i) }]);
      }
      expect(numbers(slow).at(-1)).toBe(200);
      expect(slow.lost).toBeGreaterThan(100);
      log.segment.unlink();
      log.close();
    }
  });

  it('counts beyond 2^32', () => {
    const log = open();
    poke((words, base) => {
      words[base + COUNT_WORD + 1] = -1;
      words[base + COUNT_WORD + 2] = 1;
    });
    const reader = log.reader();
    expect(log.tryAppend(entry(1, 1))).toBe(2 ** 33);
    expect(log.tryAppend(entry(1, 1))).toBe(2 ** 33 + 1);
    expect(numbers(reader)).toEqual([2 ** 33, 2 ** 33 + 1]);
  });

  it('counts as lost what is missing by the numbers, whatever the positions say', () => {
    const log = open();
    const reader = log.reader();
    appendMany(log, 3);
    numbers(reader);
    const { last } = log;
    // As if positions had come round meanwhile.
    poke((words, base) => {
      for (const cell of [0, 4]) words[base + COUNT_WORD + cell + 1] = last + 1_000_000;
    });
    log.close();
    const later = open();
    expect(later.tryAppend(entry(1, 1))).toBe(last + 1_000_001);
    expect(reader.closed).toBe(true);
    const again = later.reader({ start: 'oldest' });
    expect(numbers(again)).toEqual([1, 2, 3, last + 1_000_001]);
    expect(again.lost).toBe(1_000_000);
  });

  it.each([
    ['a mark of another entry', DATA_WORD + 1, 5],
    ['a negative length', DATA_WORD, -1],
    ['a length beyond the tail', DATA_WORD, 400],
    ['padding that is none', DATA_WORD + 1, ~0],
  ])('poisons a reader by %s', (_, word, value) => {
    const log = open();
    appendMany(log, 1);
    poke((words, base) => store(words, base + word, value));
    const reader = log.reader({ start: 'oldest' });
    expect(() => numbers(reader)).toThrow(code('ERR_SHM_CORRUPT'));
    expect(() => numbers(reader)).toThrow(code('ERR_SHM_CORRUPT'));
  });

  it('does not skip a corrupt entry in the middle', () => {
    const log = open();
    appendMany(log, 3);
    poke((words, base) => store(words, base + DATA_WORD + 31, 5));
    const reader = log.reader({ start: 'oldest' });
    const seen: number[] = [];
    const read = (): number => reader.read((_bytes, _start, _end, number) => seen.push(number));
    expect(read).toThrow(code('ERR_SHM_CORRUPT'));
    expect(seen).toEqual([1]);
    expect(() => log.reader({ start: 3 }).read(() => {})).toThrow(code('ERR_SHM_CORRUPT'));
  });

  it('refuses to append where positions are impossible', () => {
    open();
    poke((words, base) => store(words, base + TAIL_WORD, 10_000));
    expect(() => open().tryAppend(entry(1, 1))).toThrow(code('ERR_SHM_CORRUPT'));
    expect(() => open().reader()).toThrow(code('ERR_SHM_CORRUPT'));
  });

  it('throws after close, which may be repeated', async () => {
    const log = open();
    const reader = log.reader({ reliable: true });
    while (log.tryAppend(entry(500, 0)) !== undefined);
    const refused = log.append(entry(500, 0));
    const ended = reader.readable();
    log.close();
    log.close();
    reader.close();
    await expect(refused).rejects.toEqual(code('ERR_SHM_CLOSED'));
    expect(await ended).toBe(true);
    expect(await reader.readable()).toBe(false);
    await expect(log.append(entry(1, 1))).rejects.toEqual(code('ERR_SHM_CLOSED'));
    for (const use of [
      () => log.tryAppend(entry(1, 1)),
      () => log.tryAppendAll([]),
      () => log.last,
      () => log.reader(),
      () => reader.read(() => {}),
    ])
      expect(use).toThrow(code('ERR_SHM_CLOSED'));
    expect(log.closeAndRemoveIfLast()).toBe(false);
  });

  it('loses nothing without saying so, whatever is appended and read', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom('append', 'batch', 'read', 'slow'), fc.nat(512)), {
          maxLength: 150,
        }),
        (operations) => {
          const log = open();
          const appended: number[] = [];
          const readers = [{ seen: 0 }, { seen: 0 }].map((state) => ({
            ...state,
            reader: log.reader({ onLost: () => {} }),
          }));
          const read = (state: (typeof readers)[number], limit: number): void => {
            state.reader.read((bytes, start, end, number) => {
              state.seen++;
              expect([number, end - start, end === start ? 0 : bytes[start]]).toEqual([
                state.seen + state.reader.lost,
                appended[number - 1],
                end === start ? 0 : number & 0xff,
              ]);
            }, limit);
          };
          for (const [operation, n] of operations) {
            const next = appended.length + 1;
            if (operation === 'append' && log.tryAppend(entry(n, next))) appended.push(n);
            if (operation === 'batch') {
              const lengths = [n, (n * 3) % 500, n % 7];
              const count = log.tryAppendAll(lengths.map((length, i) => entry(length, next + i)));
              appended.push(...lengths.slice(0, count));
            }
            if (operation === 'read') read(readers[0] as (typeof readers)[number], Infinity);
            if (operation === 'slow') read(readers[1] as (typeof readers)[number], n % 5);
          }
          for (const state of readers) {
            read(state, Infinity);
            expect(state.seen + state.reader.lost).toBe(appended.length);
          }
          log.segment.unlink();
          log.close();
        },
      ),
    );
  });
});

describe('Log between processes', { timeout: 60_000 }, () => {
  it('has one order for all readers, and in it the order of each writer', async () => {
    const log = open({ capacityBytes: 2 ** 16 });
    const children = [0, 1, 2].map(() => new ChildProcess(inject('childProgram')));
    const reliable = log.reader({ reliable: true });
    const lossy = open({ capacityBytes: 2 ** 16 }).reader();
    const writing = Promise.all(
      children.map((child, writer) => child.act(`append 5000 entries as writer ${writer}`, { ...place })),
    );
    const next = [0, 0, 0];
    const order: number[] = [];
    let mismatches = 0;
    while (order.length < 15_000) {
      reliable.read((bytes, start, end, number) => {
        const writer = bytes[start] ?? 9;
        const index = (bytes[start + 1] ?? 0) | ((bytes[start + 2] ?? 0) << 8);
        if (number !== order.length + 1 || index !== next[writer] || end - start !== 3 + (index % 90))
          mismatches++;
        next[writer] = index + 1;
        order.push(writer * 65_536 + index);
      });
      lossy.read((bytes, start, _end, number) => {
        const seen =
          (bytes[start] ?? 9) * 65_536 + ((bytes[start + 1] ?? 0) | ((bytes[start + 2] ?? 0) << 8));
        if (number <= order.length && order[number - 1] !== seen) mismatches++;
      });
      if (order.length < 15_000) await reliable.readable();
    }
    await writing;
    expect(mismatches).toBe(0);
    expect(next).toEqual([5000, 5000, 5000]);
    expect(reliable.lost).toBe(0);
    for (const child of children) await child.end();
  });

  it('gives nothing torn to a reader that is overtaken all the time', async () => {
    const log = open();
    const reader = log.reader();
    await using child = new ChildProcess(inject('childProgram'));
    await child.act('append to a log until killed', { ...place });
    let seen = 0;
    let wrong = 0;
    while (seen < 20_000) {
      for (let i = 0; i < 1000; i++) {
        seen += reader.read((bytes, start, end, number) => {
          const length = 300 + (number % 100);
          let whole = end - start === length;
          for (let at = start; at < end; at++) whole &&= bytes[at] === (number & 0xff);
          if (!whole) wrong++;
        }, 4);
      }
      await new Promise(setImmediate);
    }
    expect(wrong).toBe(0);
    expect(reader.lost).toBeGreaterThan(0);
    expect(reader.next).toBe(1 + seen + reader.lost);
  });

  it('wakes readers that sleep in other processes', async () => {
    const log = open();
    await using one = new ChildProcess(inject('childProgram'));
    await using two = new ChildProcess(inject('childProgram'));
    const counting = [one, two].map((child) =>
      child.act('count 50 entries of a log, asleep in between', place),
    );
    while (log.participants().length < 3) await new Promise(setImmediate);
    for (let i = 1; i <= 50; i++) {
      log.tryAppend(entry(1, i));
      await new Promise((resolve) => setTimeout(resolve, i % 3));
    }
    expect(await Promise.all(counting)).toEqual([{ sum: 1275 }, { sum: 1275 }]);
  });

  it('lets writers go on when a reliable reader is killed', async () => {
    const log = open();
    const child = new ChildProcess(inject('childProgram'));
    await child.act('read a log reliably and sleep', { ...place });
    while (log.tryAppend(entry(500, 0)) !== undefined);
    const waiting = log.append(entry(500, 1));
    await child.end();
    expect(await waiting).toBeGreaterThan(0);
  });
});
