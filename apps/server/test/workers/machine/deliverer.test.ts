import { describe, expect, it } from 'vitest';
import { Deliverer } from '../../../src/workers/machine/deliverer.js';

const cursor = (position: number) => ({ epoch: 'e', position });

function delivererOf() {
  const appointed: [worker: number, positions: Record<string, number>][] = [];
  const deliverer = new Deliverer((worker, cursors) => {
    const positions = [...cursors].map(([name, { position }]) => [name, position]);
    appointed.push([worker, Object.fromEntries(positions)]);
  });
  return { deliverer, appointed };
}

describe('Deliverer', () => {
  it('appoints the worker that is here for longest, and nobody beside it', () => {
    const { deliverer, appointed } = delivererOf();
    for (const worker of [1, 2, 3]) deliverer.ready(worker);
    deliverer.ended(2);
    expect(appointed).toEqual([[1, {}]]);
  });

  it('has the next one go on behind what the one before has delivered, once that has ended', () => {
    const { deliverer, appointed } = delivererOf();
    for (const worker of [1, 2, 3]) deliverer.ready(worker);
    deliverer.moved(1, 'audit', cursor(7));
    // What somebody says whose turn it is not changes nothing.
    deliverer.moved(2, 'audit', cursor(99));
    deliverer.ended(1);
    deliverer.moved(2, 'audit', cursor(9));
    deliverer.ended(2);
    expect(appointed.slice(1)).toEqual([
      [2, { audit: 7 }],
      [3, { audit: 9 }],
    ]);
  });

  it('waits for one where nobody is left', () => {
    const { deliverer, appointed } = delivererOf();
    deliverer.ready(1);
    deliverer.moved(1, 'audit', cursor(7));
    deliverer.ended(1);
    deliverer.ended(1);
    deliverer.ready(2);
    expect(appointed).toEqual([
      [1, {}],
      [2, { audit: 7 }],
    ]);
  });
});
