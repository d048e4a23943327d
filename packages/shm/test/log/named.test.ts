/** Cursors that outlive their readers, and what becomes of readers that are too slow. */
import { describe, expect, inject, it } from 'vitest';
import { type Log, type LogOptions, openLog } from '../../src/log/log.js';
import type { LogReader } from '../../src/log/reader.js';
import { ChildProcess } from '../support/child-process.js';
import { usePlace } from '../support/place.js';

const place = usePlace();
const code = (expected: string): unknown => expect.objectContaining({ name: 'ShmError', code: expected });
const open = (options: LogOptions = {}): Log =>
  openLog(place.name, { directory: place.directory, capacityBytes: 4096, ...options });
const append = (log: Log, count: number): void => {
  for (let i = 0; i < count; i++) expect(log.tryAppend(new Uint8Array(100))).toBeGreaterThan(0);
};

function numbers(reader: LogReader, limit?: number): number[] {
  const seen: number[] = [];
  reader.read((_bytes, _start, _end, number) => seen.push(number), limit);
  return seen;
}

/** Appends until a writer has no patience with the reader any more. */
async function pressOn(log: Log, isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    if (log.tryAppend(new Uint8Array(100)) === undefined) await new Promise(setImmediate);
  }
}

describe('a named cursor', () => {
  it('goes on where its last reader was done, over any number of them', async () => {
    using log = open();
    append(log, 2);
    const first = log.reader({ name: 'audit', start: 'oldest' });
    append(log, 4);
    expect(numbers(first, 1)).toEqual([1]);
    const loop = first.entries();
    for (const number of [2, 3]) expect((await loop.next()).value?.number).toBe(number);
    first.close();
    const other = open();
    const second = other.reader({ name: 'audit', start: 'next' });
    expect(second.next).toBe(3);
    expect(numbers(second)).toEqual([3, 4, 5, 6]);
    other.close();
    expect(log.cursors()).toEqual([{ name: 'audit', next: 7, reliable: true, holder: undefined }]);
    using third = log.reader({ name: 'audit' });
    append(log, 1);
    expect(numbers(third)).toEqual([7]);
    expect([third.name, third.reliable, third.lost]).toEqual(['audit', true, 0]);
  });

  it('holds writers up also while nobody reads with it, until it is removed', async () => {
    using log = open();
    log.reader({ name: 'gone' }).close();
    while (log.tryAppend(new Uint8Array(400)) !== undefined);
    const waiting = log.append(new Uint8Array(400));
    expect(log.removeCursor('gone')).toBe(true);
    expect(await waiting).toBeGreaterThan(0);
    expect(log.removeCursor('gone')).toBe(false);
    expect(log.cursors()).toEqual([]);
    append(log, 100);
  });

  it('has one reader at a time', () => {
    using log = open();
    using other = open();
    using reader = log.reader({ name: 'one' });
    for (const handle of [log, other]) {
      expect(() => handle.reader({ name: 'one' })).toThrow(code('ERR_SHM_ROLE_TAKEN'));
      expect(() => handle.removeCursor('one')).toThrow(code('ERR_SHM_ROLE_TAKEN'));
    }
    using two = log.reader({ name: 'two' });
    append(log, 1);
    expect([numbers(reader), numbers(two)]).toEqual([[1], [1]]);
  });

  it('finds a row for sixteen of them, and those of the removed again', () => {
    using log = open();
    const names = Array.from({ length: 16 }, (_, i) => `cursor ${i} ${'ä'.repeat(25)}`);
    for (const name of names) log.reader({ name }).close();
    expect(log.cursors().map(({ name }) => name)).toEqual(names);
    expect(() => log.reader({ name: 'more' })).toThrow(code('ERR_SHM_CURSORS_FULL'));
    log.removeCursor(names[3] ?? '');
    log.reader({ name: 'more' }).close();
    expect(log.cursors()[3]?.name).toBe('more');
    for (const name of ['', 'x'.repeat(65), 5 as never])
      expect(() => log.reader({ name })).toThrow(RangeError);
    expect(() => log.reader({ name: 'late', start: 99 })).toThrow(code('ERR_SHM_CURSORS_FULL'));
  });

  it('is not made by a reader that could not begin', () => {
    using log = open();
    expect(() => log.reader({ name: 'late', start: 99 })).toThrow(RangeError);
    expect(log.cursors()).toEqual([]);
  });

  it.skipIf(process.platform !== 'linux')('survives the death of its reader', async () => {
    using log = open();
    append(log, 5);
    const child = new ChildProcess(inject('childProgram'));
    expect(
      await child.act('read two entries with the cursor "worker" and begin a third', { ...place }),
    ).toEqual([1, 2, 3]);
    expect(() => log.reader({ name: 'worker' })).toThrow(code('ERR_SHM_ROLE_TAKEN'));
    await child.end();
    using reader = log.reader({ name: 'worker' });
    expect(numbers(reader)).toEqual([3, 4, 5]);
  });
});

describe('a slow reader', () => {
  it.each([undefined, 'named'])('becomes lossy when writers have no patience any more (%s)', async (name) => {
    using log = open();
    using writer = open();
    const slow = { whenSlow: 'lossy', slowAfterMs: 1, ...(name && { name }) } as const;
    const lost: number[] = [];
    const reader = log.reader({ reliable: true, ...slow, onLost: (count) => lost.push(count) });
    await pressOn(writer, () => writer.last > 200);
    const seen = numbers(reader);
    expect(seen.at(-1)).toBe(writer.last);
    expect(lost).toEqual([(seen[0] ?? 0) - 1]);
    expect(reader.reliable).toBe(false);
    reader.close();
    if (name === undefined) return;
    // The next one is waited for again, and told what it missed.
    await pressOn(writer, () => writer.last > 400);
    using next = log.reader({ name });
    expect(next.reliable).toBe(true);
    const first = numbers(next)[0] ?? 0;
    expect(next.lost).toBe(first - 1 - (seen.at(-1) ?? 0));
  });

  it.each([undefined, 'named'])('is evicted where that was asked (%s)', async (name) => {
    using log = open();
    using writer = open();
    const slow = { whenSlow: 'evict', slowAfterMs: 1, ...(name && { name }) } as const;
    using reader = log.reader({ reliable: true, ...slow });
    await pressOn(writer, () => writer.last > 200);
    expect(() => numbers(reader)).toThrow(code('ERR_SHM_EVICTED'));
    await expect(reader.entries().next()).rejects.toEqual(code('ERR_SHM_EVICTED'));
    expect(log.cursors()).toEqual([]);
    reader.close();
    using again = log.reader({ reliable: true, ...slow, start: 'next' });
    append(writer, 1);
    expect(numbers(again)).toEqual([writer.last]);
  });

  it('lets an append that waits go on', async () => {
    using log = open();
    log.reader({ reliable: true, whenSlow: 'evict', slowAfterMs: 1 });
    while (log.tryAppend(new Uint8Array(400)) !== undefined);
    expect(await log.append(new Uint8Array(400))).toBeGreaterThan(0);
  });

  it('is waited for as long as it moves, and for ever unless it says otherwise', () => {
    using log = open();
    using reader = log.reader({ reliable: true });
    while (log.tryAppend(new Uint8Array(400)) !== undefined);
    for (let i = 0; i < 5; i++) expect(log.tryAppend(new Uint8Array(400))).toBeUndefined();
    expect(numbers(reader)[0]).toBe(1);
    for (const wrong of [{ slowAfterMs: 0 }, { slowAfterMs: 1.5 }, { slowAfterMs: 2 ** 31 }])
      expect(() => log.reader(wrong)).toThrow(RangeError);
    expect(() => log.reader({ whenSlow: 'sulk' as 'evict' })).toThrow(TypeError);
  });
});
