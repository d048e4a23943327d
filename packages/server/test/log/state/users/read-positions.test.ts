/** How far users have read: forwards only, and bounded in a way that all who read the log agree on. */
import { describe, expect, it } from 'vitest';
import { ReadPositions } from '../../../../src/log/state/users/read-positions.js';

const of = (account: string, place: string, seq: number, changed = seq) => ({ account, place, seq, changed });

describe('ReadPositions', () => {
  it('lets go of the place of an account that was changed longest ago, and tells so', () => {
    const reads = new ReadPositions(2);
    for (const place of ['a', 'b']) reads.note(of('ada', place, 1));
    reads.note(of('ada', 'a', 2));
    const changed: string[] = [];
    reads.onChanged = (...names) => changed.push(names.join(' '));
    reads.note(of('bob', 'b', 1));
    reads.note(of('ada', 'c', 3));
    expect(Array.from(reads, ({ account, place, seq }) => [account, place, seq])).toEqual([
      ['ada', 'a', 2],
      ['bob', 'b', 1],
      ['ada', 'c', 3],
    ]);
    expect(changed).toEqual(['bob b', 'ada c', 'ada b']);
  });

  it('lets go of the oldest of all, whosever it is', () => {
    const reads = new ReadPositions(2, 2);
    for (const account of ['ada', 'bob', 'carol']) reads.note(of(account, 'tea', 1));
    expect(Array.from(reads, ({ account }) => account)).toEqual(['bob', 'carol']);
    reads.forgotten('tea');
    expect([...reads]).toEqual([]);
    expect(reads.find('bob', 'tea')).toBeUndefined();
  });

  it('takes nothing that is not further', () => {
    const reads = new ReadPositions();
    expect([5, 5, 4, 6].map((seq) => reads.note(of('ada', 'tea', seq)))).toEqual([true, false, false, true]);
  });
});
