import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readRecords } from '../../src/log/block.js';
import type { StoredWish } from '../../src/log/event-log.js';
import { findDriver } from '../../src/sqlite/driver.js';
import { BlockEdits } from '../../src/sqlite/rows/block-edits.js';
import { type PackedPage, StoreReader } from '../../src/sqlite/store-reader.js';
import { StoreWriter } from '../../src/sqlite/store-writer.js';
import { draft } from '../support/event-log-contract.js';
import { blockOf } from '../support/sqlite/blocks.js';
import { dataFolder } from '../support/sqlite/folder.js';

const driver = findDriver();

/** A folder in which each word is a block, and each letter an entry of the room with that letter. */
function stored(words: string, damage = ''): StoreReader {
  const directory = dataFolder();
  const writer = new StoreWriter({ directory, durability: 'process' });
  let seq = 1;
  for (const word of words.split(' ')) {
    writer.write([blockOf(seq, ...[...word].map((room, i) => draft(room, `text ${seq + i}`)))]);
    seq += word.length;
  }
  writer.close();
  const database = driver.open(join(directory, 'chat.sqlite'));
  database.exec(damage);
  database.close();
  return new StoreReader({ directory });
}

function seen(page: PackedPage) {
  const { previous, end, damaged } = page;
  const seqs = readRecords(page.bytes, page.positions).map(({ seq }) => seq);
  return { seqs, previous, end, gaps: damaged.map(({ from, to }) => [from, to]) };
}

const wish = (more: Partial<StoredWish>): StoredWish => ({ limit: 100, maxBytes: 1_000_000, ...more });

describe('StoreReader', () => {
  //  1 2 3 4 | 5 6 7 | 8 | 9 10 11
  const WORDS = 'abab bba c abc';

  it('joins entries up that lie further apart than a block could tell', () => {
    const directory = dataFolder();
    const writer = new StoreWriter({ directory, durability: 'process' });
    const seqs = [1, 2 ** 33, 2 ** 47];
    for (const seq of seqs) writer.write([blockOf(seq, draft('a', `${seq}`))]);
    writer.close();
    const reader = new StoreReader({ directory });
    expect(seen(reader.read('a', wish({}))).seqs).toEqual(seqs);
    expect(seen(reader.read('a', wish({ after: 0 }))).seqs).toEqual(seqs);
    expect([...reader.scan(0).positions]).toEqual(seqs);
    reader.close();
  });

  it('answers the entries of one room as they were stored', () => {
    const reader = stored(WORDS);
    const { bytes, positions } = reader.read('c', wish({}));
    expect(
      readRecords(bytes, positions).map(({ seq, room, body, at }) => [
        seq,
        room,
        String(Buffer.from(body)),
        at,
      ]),
    ).toEqual([
      [8, 'c', 'text 8', 1_700_000_000_000],
      [11, 'c', 'text 11', 1_700_000_000_000],
    ]);
    reader.close();
  });

  it('reads back from a position, page by page', () => {
    const reader = stored(WORDS);
    const read = (more: Partial<StoredWish>) => seen(reader.read('a', wish(more)));
    expect(read({})).toEqual({ seqs: [1, 3, 7, 9], previous: 0, end: true, gaps: [] });
    expect(read({ limit: 2 })).toEqual({ seqs: [7, 9], previous: 3, end: false, gaps: [] });
    expect(read({ limit: 2, before: 7 })).toEqual({ seqs: [1, 3], previous: 0, end: true, gaps: [] });
    expect(read({ limit: 1, before: 4 })).toEqual({ seqs: [3], previous: 1, end: false, gaps: [] });
    expect(read({ before: 1 })).toEqual({ seqs: [], previous: 0, end: true, gaps: [] });
    expect(seen(reader.read('nobody', wish({})))).toEqual({ seqs: [], previous: 0, end: true, gaps: [] });
    reader.close();
  });

  it('reads on from a position, page by page', () => {
    const reader = stored(WORDS);
    const read = (more: Partial<StoredWish>) => seen(reader.read('b', wish(more)));
    expect(read({ after: 0 })).toEqual({ seqs: [2, 4, 5, 6, 10], previous: 0, end: true, gaps: [] });
    expect(read({ after: 2, limit: 2 })).toEqual({ seqs: [4, 5], previous: 2, end: false, gaps: [] });
    expect(read({ after: 3, limit: 1 })).toEqual({ seqs: [4], previous: 2, end: false, gaps: [] });
    expect(read({ after: 9, limit: 1 })).toEqual({ seqs: [10], previous: 6, end: true, gaps: [] });
    expect(read({ after: 10 })).toEqual({ seqs: [], previous: 10, end: true, gaps: [] });
    reader.close();
  });

  it('answers no more bytes than wished, and one entry always', () => {
    const reader = stored(WORDS);
    const record = reader.read('c', wish({ limit: 1 })).bytes.length;
    expect(seen(reader.read('a', wish({ maxBytes: 1 })))).toMatchObject({ seqs: [9], previous: 7 });
    expect(seen(reader.read('a', wish({ maxBytes: record * 2 })))).toMatchObject({ seqs: [7, 9] });
    expect(seen(reader.read('a', wish({ maxBytes: 1, after: 1 })))).toMatchObject({ seqs: [3], previous: 1 });
    reader.close();
  });

  it('tells a damaged block as a gap, in both directions', () => {
    const reader = stored(
      WORDS,
      "UPDATE block SET bytes = CAST(replace(bytes, 't', 'T') AS BLOB) WHERE first = 5",
    );
    const b = { seqs: [2, 4, 10], previous: 0, end: true, gaps: [[5, 6]] };
    expect(seen(reader.read('b', wish({})))).toEqual(b);
    expect(seen(reader.read('b', wish({ after: 0 })))).toEqual(b);
    expect(seen(reader.read('b', wish({ before: 6 })))).toMatchObject({ seqs: [2, 4], gaps: [[5, 5]] });
    expect(seen(reader.read('b', wish({ after: 5 })))).toMatchObject({
      seqs: [10],
      gaps: [[6, 6]],
      previous: 5,
    });
    expect(seen(reader.read('c', wish({})))).toMatchObject({ seqs: [8, 11], gaps: [] });
    reader.close();
  });

  it.each([
    ['part of a stream', 'DELETE FROM part WHERE first = 7'],
    ['part whose block is another', 'UPDATE part SET block = 1 WHERE first = 7'],
    ['block', 'DELETE FROM block WHERE first = 5'],
  ])('tells a %s that is missing or wrong as a gap', (_, damage) => {
    const reader = stored(WORDS, damage);
    const page = seen(reader.read('a', wish({})));
    expect(page).toMatchObject({ seqs: [1, 3, 9], previous: 0, end: true });
    expect(page.gaps.at(-1)!.at(-1)).toBe(7);
    expect(seen(reader.read('a', wish({ after: 1 })))).toMatchObject({ seqs: [3, 9], gaps: page.gaps });
    reader.close();
  });

  it('says when what lies before was removed', () => {
    const reader = stored(WORDS, 'DELETE FROM part WHERE block = 1; UPDATE stream SET cut = 4');
    expect(seen(reader.read('a', wish({})))).toEqual({
      seqs: [7, 9],
      previous: 3,
      end: true,
      gaps: [],
    });
    expect(seen(reader.read('a', wish({ limit: 2 })))).toMatchObject({ previous: 3, end: true });
    expect(seen(reader.read('a', wish({ after: 1 })))).toEqual({
      seqs: [7, 9],
      previous: 3,
      end: true,
      gaps: [],
    });
    expect(seen(reader.read('a', wish({ after: 3 })))).toMatchObject({ seqs: [7, 9], previous: 3 });
    expect(seen(reader.read('a', wish({ after: 5 })))).toMatchObject({ seqs: [7, 9], previous: 3 });
    reader.close();
  });

  it('says the same whichever way and in whatever steps it is read', () => {
    const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(
        fc.array(word, { minLength: 1, maxLength: 60 }),
        fc.integer({ min: 1, max: 5 }),
        (words, limit) => {
          const reader = stored(words.join(' '));
          const all = [...words.join('')].flatMap((room, i) => (room === 'a' ? [i + 1] : []));
          const down: number[] = [];
          for (let before: number | undefined, end = false; !end; before = down[0]) {
            const page = seen(reader.read('a', wish({ limit, ...(before ? { before } : {}) })));
            down.unshift(...page.seqs);
            expect(page.previous).toBe(all[all.length - down.length - 1] ?? 0);
            end = page.end;
          }
          const up: number[] = [];
          for (let end = false; !end; ) {
            const page = seen(reader.read('a', wish({ limit, after: up.at(-1) ?? 0 })));
            expect(page.previous).toBe(up.at(-1) ?? 0);
            up.push(...page.seqs);
            end = page.end;
          }
          reader.close();
          expect(down).toEqual(all);
          expect(up).toEqual(all);
        },
      ),
      { numRuns: 25 },
    );
  });

  it('reads all in the order of the log, or what one member said', () => {
    const directory = dataFolder();
    const writer = new StoreWriter({ directory, durability: 'process' });
    const eve = Buffer.from('eve');
    for (let i = 0; i < 100; i++) {
      writer.write([blockOf(2 * i + 1, draft('a', 'x'), draft('b', 'y', i % 50 === 0 ? { name: eve } : {}))]);
    }
    const reader = new StoreReader({ directory });
    const all = (name?: Uint8Array): number[] => {
      const seqs: number[] = [];
      for (let next: number | undefined = 0; next !== undefined; ) {
        const page = reader.scan(next, name);
        seqs.push(...readRecords(page.bytes, page.positions).map(({ seq }) => seq));
        next = page.next;
      }
      return seqs;
    };
    expect(all()).toEqual(Array.from({ length: 200 }, (_, i) => i + 1));
    expect(all(eve)).toEqual([2, 102]);
    reader.close();
    writer.close();
  });

  it('tells what is missing from what never was there: signals have positions, and are not stored', () => {
    const directory = dataFolder();
    const writer = new StoreWriter({ directory, durability: 'process' });
    for (const first of [10, 20, 30]) writer.write([blockOf(first, draft('a', 'x'))]);
    const missing = (after: number) => {
      const reader = new StoreReader({ directory });
      const { missing, next } = reader.scan(after);
      reader.close();
      expect(next).toBeUndefined();
      return missing;
    };
    expect([0, 15, 30, 40].map(missing)).toEqual([[], [], [], []]);
    const dropped = (count: number): void => {
      const database = driver.open(join(directory, 'chat.sqlite'));
      const edits = new BlockEdits(database);
      for (let i = 0; i < count; i++) edits.drop(edits.blocks.readAfter(-1)!);
      database.close();
    };
    dropped(1);
    expect([0, 9, 10, 15].map(missing)).toEqual([[{ from: 1, to: 10 }], [{ from: 10, to: 10 }], [], []]);
    dropped(2);
    expect([0, 15, 30, 40].map(missing)).toEqual([[{ from: 1, to: 30 }], [{ from: 16, to: 30 }], [], []]);
    writer.close();
  });
});
