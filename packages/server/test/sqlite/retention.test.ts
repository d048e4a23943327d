import { statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { StoreRetention } from '../../src/sqlite/retention.js';
import { StoreReader } from '../../src/sqlite/store-reader.js';
import { StoreWriter } from '../../src/sqlite/store-writer.js';
import { draft } from '../support/event-log-contract.js';
import { blockOf } from '../support/sqlite/blocks.js';
import { dataFolder } from '../support/sqlite/folder.js';
import { readRoom } from '../support/sqlite/read-room.js';

/** Ten blocks of two entries each, of the rooms a and b, a second apart from 1,000 ms on; kept as `retention` says at `now`. */
function kept(retention: StoreRetention, now = 11_000) {
  const directory = dataFolder();
  const writer = new StoreWriter({ directory, durability: 'process', reserveBytes: 0, retention });
  for (let i = 0; i < 10; i++) {
    const more = { at: 1000 * (i + 1) };
    writer.write([blockOf(2 * i + 1, draft('a', 'text', more), draft('b', 'text', more))]);
  }
  while (writer.keepHouse(now).worked);
  const reader = new StoreReader({ directory });
  onTestFinished(() => {
    reader.close();
    writer.close();
  });
  return { a: readRoom(reader, 'a'), b: readRoom(reader, 'b'), writer, reader, directory };
}

describe('retention', () => {
  const all = Array.from({ length: 10 }, (_, i) => 2 * i + 1);

  it('keeps everything unless it is told otherwise', () => {
    expect(kept({}).a).toMatchObject({ seqs: all, previous: 0 });
  });

  it('bounds what all rooms have together, by whole blocks', () => {
    expect(kept({ maxEntries: 7 }).a).toMatchObject({ seqs: [15, 17, 19], previous: 13, gaps: [] });
    expect(kept({ maxAgeMs: 3000 }).a.seqs).toEqual([15, 17, 19]);
    const { a, b } = kept({ maxBytes: 200 });
    expect(a.seqs).toEqual([17, 19]);
    expect(b.seqs).toEqual([18, 20]);
  });

  it('bounds what each room has, and leaves the others in the same blocks', () => {
    const { a, b } = kept({ byRoom: { a: { maxEntries: 2 } } });
    expect(a).toMatchObject({ seqs: [17, 19], previous: 15, gaps: [] });
    expect(b).toMatchObject({ seqs: all.map((seq) => seq + 1), previous: 0, gaps: [] });
    expect(kept({ rooms: { maxAgeMs: 1500 }, byRoom: { b: {} } }).a.seqs).toEqual([19]);
    expect(kept({ rooms: { maxBytes: 21 } }).b.seqs).toEqual([16, 18, 20]);
  });

  it('knows the age of what is dated ahead, since the clock was set back, by what came behind it', () => {
    const directory = dataFolder();
    const retention = { maxAgeMs: 3000 };
    const writer = new StoreWriter({ directory, durability: 'process', reserveBytes: 0, retention });
    const YEAR = 31_536_000_000;
    const write = (seq: number, at: number) => writer.write([blockOf(seq, draft('a', 'text', { at }))]);
    const seqsAt = (now: number): number[] => {
      while (writer.keepHouse(now).worked);
      const reader = new StoreReader({ directory });
      const { seqs } = readRoom(reader, 'a');
      reader.close();
      return seqs;
    };
    for (let seq = 1; seq <= 3; seq++) write(seq, YEAR + seq * 1000);
    // The clock is set back by a year: nothing is older than that yet.
    expect(seqsAt(4000)).toEqual([1, 2, 3]);
    for (let seq = 4; seq <= 6; seq++) write(seq, seq * 1000);
    expect(seqsAt(6000)).toEqual([1, 2, 3, 4, 5, 6]);
    // Seconds later they are as old as what was said right behind them.
    expect(seqsAt(7500)).toEqual([5, 6]);
    write(7, YEAR);
    expect(seqsAt(8500)).toEqual([6, 7]);
    write(8, 9000);
    expect(seqsAt(11_000)).toEqual([7, 8]);
    expect(seqsAt(13_000)).toEqual([]);
    writer.close();
  });

  it('knows that of one room as well', () => {
    const directory = dataFolder();
    const retention = { rooms: { maxAgeMs: 3000 }, byRoom: { b: {} } };
    const writer = new StoreWriter({ directory, durability: 'process', reserveBytes: 0, retention });
    writer.write([blockOf(1, draft('a', 'ahead', { at: 1e12 }), draft('b', 'ahead', { at: 1e12 }))]);
    writer.write([blockOf(3, draft('a', 'behind', { at: 1000 }))]);
    while (writer.keepHouse(4500).worked);
    const reader = new StoreReader({ directory });
    expect([readRoom(reader, 'a').seqs, readRoom(reader, 'b').seqs]).toEqual([[], [2]]);
    reader.close();
    writer.close();
  });

  it('goes on where entries come, and counts a stream from where it was cut', () => {
    const { writer, reader } = kept({ rooms: { maxEntries: 2 } });
    for (let seq = 21; seq < 31; seq++) writer.write([blockOf(seq, draft('a', 'text', { at: 11_000 }))]);
    while (writer.keepHouse(11_000).worked);
    expect(readRoom(reader, 'a')).toMatchObject({ seqs: [29, 30], previous: 28, gaps: [] });
    expect(readRoom(reader, 'b')).toMatchObject({ seqs: [18, 20] });
  });

  it('may remove everything, and still gives no position out twice', () => {
    const { a, writer, reader } = kept({ maxAgeMs: 1 });
    expect(a).toMatchObject({ seqs: [], previous: 19, end: true });
    writer.write([blockOf(21, draft('a', 'text', { at: 11_000 }))]);
    expect(readRoom(reader, 'a')).toMatchObject({ seqs: [21], previous: 19, gaps: [] });
  });

  it('gives space back', () => {
    const directory = dataFolder();
    const retention = { maxBytes: 1_000_000 };
    const writer = new StoreWriter({ directory, durability: 'process', reserveBytes: 0, retention });
    const body = Buffer.alloc(60_000, 'x');
    for (let seq = 1; seq <= 100; seq++) writer.write([blockOf(seq, draft('a', '', { body }))]);
    writer.close();
    const path = join(directory, 'chat.sqlite');
    expect(statSync(path).size).toBeGreaterThan(6_000_000);
    const again = new StoreWriter({ directory, durability: 'process', reserveBytes: 0, retention });
    while (again.keepHouse(0).worked);
    again.close();
    expect(statSync(path).size).toBeLessThan(1_500_000);
  });
});
