import { describe, expect, it } from 'vitest';
import { InFlight } from '../../src/sending/in-flight.js';

function holding(...items: string[]): InFlight<string> {
  const inFlight = new InFlight<string>();
  for (const item of items) inFlight.add(item);
  return inFlight;
}

describe('InFlight', () => {
  it('numbers from 1, and gives each back once', () => {
    const inFlight = holding('a', 'b');
    expect([inFlight.span, inFlight.next]).toEqual([2, 3]);
    expect([inFlight.take(1), inFlight.take(1), inFlight.take(2)]).toEqual(['a', undefined, 'b']);
    expect([inFlight.span, inFlight.next]).toEqual([0, 3]);
  });

  it('goes on counting when all are answered', () => {
    const inFlight = holding('a');
    inFlight.take(1);
    inFlight.add('b');
    expect([inFlight.next, inFlight.take(2)]).toEqual([3, 'b']);
  });

  it('takes answers in any order, and keeps the rest in theirs', () => {
    const inFlight = holding('a', 'b', 'c', 'd');
    expect([inFlight.take(3), inFlight.take(1)]).toEqual(['c', 'a']);
    expect([inFlight.all(), inFlight.span, inFlight.next]).toEqual([['b', 'd'], 3, 5]);
    expect([inFlight.take(2), inFlight.take(4), inFlight.span]).toEqual(['b', 'd', 0]);
  });

  it('knows nothing of numbers that were not given', () => {
    const inFlight = holding('a');
    expect([0, -1, 2, Number.NaN].map((number) => inFlight.take(number))).toEqual(Array(4).fill(undefined));
    expect(inFlight.span).toBe(1);
  });
});
