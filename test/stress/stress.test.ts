/**
 * A short run of `npm run stress`: a small crowd, a server that is killed a few times, a disk that fails.
 * How fast the machine is decides how much is said, and nothing else.
 */
import { expect, it } from 'vitest';
import { runStress } from './stress.js';

it('keeps its promises through kills, cuts and a disk that fails', async () => {
  const { violations, figures } = await runStress({
    seed: 2,
    minutes: 2,
    maxKills: 3,
    clients: 16,
    durability: 'process',
    hasFaults: true,
    print: () => {},
  });
  expect(violations).toEqual([]);
  expect(figures.kills).toBe(3);
  expect(figures.acknowledged).toBeGreaterThan(0);
});
