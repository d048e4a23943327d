import { expect, it } from 'vitest';
import { Batched } from '../../src/metrics/batched.js';

it('hands over each value once, in order, when it is asked or full', () => {
  const seen: number[] = [];
  const batched = new Batched((value) => seen.push(value));
  batched.add(1);
  batched.add(2);
  expect(seen).toEqual([]);
  batched.hand();
  batched.hand();
  expect(seen).toEqual([1, 2]);
  const many = Array.from({ length: 1500 }, (_, index) => index);
  for (const value of many) batched.add(value);
  expect(seen.length).toBeLessThan(1502);
  batched.hand();
  expect(seen.slice(2)).toEqual(many);
});
