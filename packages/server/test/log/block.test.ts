import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  areRecords,
  BLOCK_BYTES,
  BlockWriter,
  filterBlock,
  findRecords,
  markVoid,
  RECORD_HEADER_BYTES,
  readBlock,
} from '../../src/log/block.js';
import { CLAIM } from '../../src/log/entry.js';
import { draft } from '../support/event-log-contract.js';

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

function written(...drafts: ReturnType<typeof draft>[]) {
  const writer = new BlockWriter();
  drafts.forEach((one, i) => void writer.add(one, 10 + i));
  return writer.take()!;
}

describe('BlockWriter', () => {
  it('lays a record out as the picture says', () => {
    const { bytes, first, last, at } = written(
      draft('né', 'hi', { kind: 3, codec: 2, sender: 5, publishId: 6, at: 0x010203040506 }),
    );
    expect(Buffer.from(bytes).toString('hex')).toBe(
      [
        '00000026',
        '00000000',
        '11',
        '02',
        '0003',
        '00000005',
        '00000006',
        '010203040506',
        '0003',
        '0003',
      ].join('') + Buffer.from('néadahi').toString('hex'),
    );
    expect({ first, last, at }).toEqual({ first: 10, last: 10, at: 0x010203040506 });
    expect(RECORD_HEADER_BYTES).toBe(30);
  });

  it('gives back what it took, whatever that was', () => {
    const some = fc.record({
      room: fc.string({ unit: 'grapheme', maxLength: 70 }),
      type: fc.constantFrom(0x11 as const, 0x12 as const),
      codec: fc.nat(255),
      kind: fc.constantFrom(0 as const, 1 as const),
      sender: fc.nat(2 ** 31 - 1),
      name: fc.uint8Array({ maxLength: 64 }),
      body: fc.uint8Array({ maxLength: 300 }),
      at: fc.nat(2 ** 48 - 1),
      publishId: fc.nat(2 ** 32 - 1),
    });
    fc.assert(
      fc.property(fc.array(some, { minLength: 1, maxLength: 50 }), fc.nat(2 ** 40), (drafts, first) => {
        const writer = new BlockWriter();
        drafts.forEach((one, i) => {
          writer.add({ ...one, origin: undefined }, first + i);
        });
        const block = writer.take()!;
        const entries = readBlock(block.bytes, block.first).map(({ origin: _, isVoid: _void, ...entry }) => ({
          ...entry,
          name: Uint8Array.from(entry.name),
          body: Uint8Array.from(entry.body),
        }));
        expect(entries).toEqual(drafts.map((one, i) => ({ ...one, seq: first + i })));
        expect(block.last).toBe(first + drafts.length - 1);
        expect(block.at).toBe(Math.max(...drafts.map(({ at }) => at)));
        expect(writer.take()).toBeUndefined();
      }),
    );
  });

  it('tells where a body lies in the block', () => {
    const writer = new BlockWriter();
    writer.add(draft('lobby', 'one'), 1);
    const at = writer.add(draft('lobby', 'two'), 2);
    expect(text(writer.take()!.bytes.subarray(at, at + 3))).toBe('two');
  });

  it('has space until the block is full, and always for one entry', () => {
    const writer = new BlockWriter();
    const large = draft('lobby', 'x'.repeat(BLOCK_BYTES * 2));
    expect(writer.hasSpaceFor(large)).toBe(true);
    writer.add(large, 1);
    expect(writer.hasSpaceFor(draft('lobby', ''))).toBe(false);
    expect(writer.take()!.bytes.length).toBeGreaterThan(BLOCK_BYTES * 2);
    writer.add(draft('lobby', 'x'), 2);
    expect(writer.hasSpaceFor(draft('lobby', 'x'.repeat(BLOCK_BYTES - 200)))).toBe(true);
    expect(writer.hasSpaceFor(draft('lobby', 'x'.repeat(BLOCK_BYTES)))).toBe(false);
  });
});

describe('markVoid', () => {
  it('marks one record, and wipes what it said', () => {
    const { bytes, first } = written(
      draft('é', 'one'),
      draft('é', 'two'),
      draft('é', 'three', { type: CLAIM }),
    );
    const entries = readBlock(bytes, first);
    markVoid(bytes, entries[1]!);
    markVoid(bytes, entries[2]!);
    expect(readBlock(bytes, first).map(({ isVoid, type, body }) => [isVoid, type, text(body)])).toEqual([
      [false, 0x11, 'one'],
      [true, 0x11, '\0\0\0'],
      [true, CLAIM, 'three'],
    ]);
    expect(findRecords(bytes, first, 'é').map(({ seq }) => seq)).toEqual([10]);
  });
});

describe('filterBlock', () => {
  it('leaves the others at their positions', () => {
    const { bytes, first } = written(draft('a', 'one'), draft('b', 'two'), draft('a', 'three'));
    const kept = readBlock(
      filterBlock(bytes, first, ({ room }) => room === 'a'),
      first,
    );
    expect(kept.map(({ seq, body }) => [seq, text(body)])).toEqual([
      [10, 'one'],
      [12, 'three'],
    ]);
  });
});

describe('readBlock', () => {
  it('tells the room of each entry, whatever the one before it had', () => {
    const rooms = ['aa', 'aa', 'ab', 'bb', 'aa', 'a', '', 'aa', 'é', 'è'];
    const { bytes, first } = written(...rooms.map((room) => draft(room, 'x')));
    expect(readBlock(bytes, first).map(({ room }) => room)).toEqual(rooms);
  });

  it('refuses what is not whole records', () => {
    const { bytes } = written(draft('a', 'one'), draft('b', 'two'));
    for (let length = 1; length < bytes.length; length++) {
      if (length === bytes.length / 2) continue;
      expect(() => readBlock(bytes.subarray(0, length), 10), `${length}`).toThrow(RangeError);
      expect(areRecords(bytes.subarray(0, length)), `${length}`).toBe(false);
    }
    const short = Uint8Array.from(bytes);
    short[29] = 0xff;
    expect(() => readBlock(short, 10)).toThrow(RangeError);
    expect(areRecords(short)).toBe(false);
    expect(areRecords(bytes)).toBe(true);
  });
});
