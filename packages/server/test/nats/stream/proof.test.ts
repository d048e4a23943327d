import { expect, it } from 'vitest';
import { StreamProof } from '../../../src/nats/stream/proof.js';

/** What the message at `seq` holds; `of` tells streams apart. */
const message = (seq: number, of: string): Uint8Array => Buffer.from(`${seq}${of}`.padEnd(20, 'x'));

/** One who has read up to `seq`. */
function reader(
  upTo: number,
  of = '',
  proof: StreamProof = new StreamProof('epoch', { seq: 0 }),
): StreamProof {
  const read = Number(proof.stamp.split('.')[0]);
  for (let seq = read + 1; seq <= upTo; seq++) {
    if (proof.take(seq, message(seq, of), undefined) !== undefined) throw new Error(`fails at ${seq}`);
  }
  return proof;
}

it.each([20, 19, 3, 0])('believes one who has read the same up to %i', (read) => {
  expect(reader(20).take(21, message(21, ''), reader(read).stamp)).toBeUndefined();
});

it('does not believe one who has read something else, from the first difference on', () => {
  const theirs = reader(20, 'other', reader(9));
  const stamp = (upTo: number): string => reader(upTo, 'other', reader(9)).stamp;
  expect(reader(20).take(21, message(21, ''), stamp(9))).toBeUndefined();
  for (const read of [10, 11, 20]) {
    const problem = `was shortened: block 21 is from a server that has read something else up to ${read}`;
    expect(reader(20).take(21, message(21, ''), stamp(read))).toBe(problem);
  }
  expect(theirs.take(21, message(21, 'other'), stamp(20))).toBeUndefined();
});

it('knows a stream that was shortened by one who had read further', () => {
  for (const read of [5, 9]) {
    const problem = `was shortened: block 5 is from a server that had read up to ${read}`;
    expect(reader(4).take(5, message(5, ''), reader(read).stamp)).toBe(problem);
  }
});

it('knows another epoch from its first block on', () => {
  const another = new StreamProof('another', { seq: 0 });
  expect(another.take(1, message(1, ''), reader(0).stamp)).toContain('something else up to 0');
});

it('goes on from what was written down of an earlier reader', () => {
  const known = { seq: 12, sum: reader(12).sum };
  const proof = reader(20, '', new StreamProof('epoch', known));
  expect(proof.take(21, message(21, ''), reader(15).stamp)).toBeUndefined();
  expect(proof.take(22, message(22, ''), reader(15, 'other').stamp)).toContain('something else');
  // From before it began nothing can be said.
  expect(proof.take(22, message(22, ''), reader(11, 'other').stamp)).toBeUndefined();
});

it('says nothing of one who is too far behind, or says nothing itself', () => {
  const far = reader(70_000);
  expect(far.take(70_001, message(70_001, ''), reader(2000, 'other').stamp)).toBeUndefined();
  expect(far.take(70_002, message(70_002, ''), reader(6000, 'other').stamp)).toContain('something else');
  expect(far.take(70_002, message(70_002, ''), undefined)).toBeUndefined();
});
