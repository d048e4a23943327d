import { describe, expect, it } from 'vitest';
import { SharedKeys } from '../../../src/workers/machine/shared-keys.js';
import type { OnceOutcome } from '../../../src/workers/messages.js';

const ask = (id: number, request = 'a request') => ({
  kind: 'once' as const,
  id,
  owner: 'o',
  key: 'k',
  request,
});

/** Asks of several workers, who is told to run, and what each is told in the end. */
function keysOf() {
  const keys = new SharedKeys();
  const runs: number[] = [];
  const told: [worker: number, outcome: OnceOutcome][] = [];
  const once = (worker: number, message: ReturnType<typeof ask>): void =>
    keys.once(
      worker,
      message,
      () => runs.push(worker),
      (outcome) => told.push([worker, outcome]),
    );
  return { keys, runs, told, once };
}

describe('SharedKeys', () => {
  it('has the first worker carry a request out, and tells all of them its answer', async () => {
    const { keys, runs, told, once } = keysOf();
    once(1, ask(7));
    once(2, ask(3));
    expect(runs).toEqual([1]);
    keys.ran(2, 7, { status: 500 });
    keys.ran(1, 7, { status: 201 });
    await Promise.resolve();
    once(2, ask(4));
    await new Promise((resolve) => setImmediate(resolve));
    expect(told).toEqual([1, 2, 2].map((worker) => [worker, { answer: { status: 201 } }]));
    expect(runs).toEqual([1]);
  });

  it('refuses another request of the same key', () => {
    const { told, once } = keysOf();
    once(1, ask(1));
    once(2, ask(1, 'another request'));
    expect(told).toMatchObject([[2, { error: { code: 'ERR_API_KEY_REUSED' } }]]);
  });

  it('says that a request has failed whose worker has ended, and has it carried out when it comes again', async () => {
    const { keys, runs, told, once } = keysOf();
    once(11, ask(1));
    once(2, ask(1));
    keys.ended(1);
    keys.ended(11);
    await new Promise((resolve) => setImmediate(resolve));
    expect(told.map(([worker, outcome]) => [worker, 'answer' in outcome && outcome.answer.status])).toEqual([
      [11, 500],
      [2, 500],
    ]);
    once(2, ask(2));
    expect(runs).toEqual([11, 2]);
  });
});
