import { expect, it } from 'vitest';
import { Pace } from '../../src/room/pace.js';

it('lets each speak once in that time, and says how long the rest is', () => {
  const pace = new Pace();
  expect([pace.waitMs('ada', 0, 100), pace.waitMs('bob', 10, 100), pace.waitMs('ada', 30, 100)]).toEqual([
    0, 0, 70,
  ]);
  // A refusal does not begin the time anew.
  expect([pace.waitMs('ada', 99, 100), pace.waitMs('ada', 100, 100)]).toEqual([1, 0]);
  pace.note('bob', 200);
  expect(pace.waitMs('bob', 250, 100)).toBe(50);
});

it('keeps the time of all who may not speak yet, however many there are', () => {
  const pace = new Pace();
  for (let i = 0; i < 3000; i++) pace.waitMs(`p${i}`, i, 1500);
  expect([pace.waitMs('p2000', 3000, 1500), pace.waitMs('p1499', 3000, 1500)]).toEqual([500, 0]);
});
