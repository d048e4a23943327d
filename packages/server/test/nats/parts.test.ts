import { describe, expect, it } from 'vitest';
import { type Part, PartReader, partsOf } from '../../src/nats/parts.js';

const block = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => i % 251);
const read = (parts: readonly Part[], reader = new PartReader()): (Uint8Array | undefined)[] =>
  parts.map(({ place, bytes }) => reader.take(place, bytes));

describe('parts of a block', () => {
  it('are one where the block fits, and none is larger than a message', () => {
    expect(partsOf(block(1000), 1000, 'a', 1)).toEqual([{ place: undefined, bytes: block(1000) }]);
    const parts = partsOf(block(1001), 1000, 'a', 1);
    expect(parts.length).toBe(2);
    expect(Math.max(...parts.map(({ bytes }) => bytes.length))).toBeLessThan(1000);
  });

  it('are the block again at the last of them, also where those of another sender come in between', () => {
    const [one, other] = [partsOf(block(3000), 1000, 'a', 7), partsOf(block(3100), 1000, 'b', 7)];
    const blocks = read(one.flatMap((part, i) => [part, other[i]!]));
    expect(blocks.slice(0, -2)).toEqual(blocks.slice(0, -2).map(() => undefined));
    expect(Buffer.from(blocks.at(-2)!).equals(block(3000))).toBe(true);
    expect(Buffer.from(blocks.at(-1)!).equals(block(3100))).toBe(true);
  });

  it('are nothing where one is missing, and the next try is the block', () => {
    const reader = new PartReader();
    const [first, , ...rest] = partsOf(block(4000), 1000, 'a', 1);
    expect(read([first!, ...rest], reader).every((answer) => answer === undefined)).toBe(true);
    const again = read(partsOf(block(4000), 1000, 'a', 2), reader);
    expect(Buffer.from(again.at(-1)!).equals(block(4000))).toBe(true);
  });

  it('are the block once where each comes twice, and nothing where they are of two tries', () => {
    const [one, next] = [partsOf(block(3000), 1000, 'a', 1), partsOf(block(2999), 1000, 'a', 2)];
    const blocks = read(one.flatMap((part) => [part, part])).filter((answer) => answer !== undefined);
    expect(blocks.map((bytes) => Buffer.from(bytes).equals(block(3000)))).toEqual([true]);
    expect(read([...one.slice(0, 2), ...next.slice(2)]).every((answer) => answer === undefined)).toBe(true);
  });
});
