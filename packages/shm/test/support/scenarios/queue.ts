import assert from 'node:assert/strict';
import { openQueue, type WorkQueue } from '../../../src/queue/queue.js';
import { numbered, numberOf, range } from '../numbered.js';
import type { Place, Scenario } from '../scenario.js';

const LAST = 4;
const open = ({ name, directory }: Place): WorkQueue => openQueue(name, { directory, capacityBytes: 8192 });

/** Takes everything that there is, what the dead have left at last, and is done with it. */
function drain(queue: WorkQueue): number[] {
  const numbers: number[] = [];
  for (let job = queue.tryTake(); job !== undefined; job = queue.tryTake()) {
    job.done();
    numbers.push(numberOf(job.bytes));
  }
  return numbers.sort((a, b) => a - b);
}

const put: Scenario<WorkQueue, WorkQueue> = {
  name: 'queue: put',
  setup: open,
  prepare: open,
  operation(queue) {
    for (const number of range(1, LAST)) assert.ok(queue.tryPut(numbered(number)));
  },
  afterKill(queue, _, killed) {
    const seen = drain(queue);
    assert.deepEqual(seen, range(1, killed === undefined ? LAST : seen.length));
  },
  afterStop(queue, _, outcome) {
    assert.equal(outcome.error, undefined);
    assert.deepEqual(drain(queue), range(1, LAST));
  },
  teardown: (queue) => queue.close(),
};

const take: Scenario<WorkQueue, WorkQueue> = {
  name: 'queue: take, give back, done',
  setup(place) {
    const queue = open(place);
    for (const number of range(1, LAST)) queue.tryPut(numbered(number));
    return queue;
  },
  prepare: open,
  operation(queue) {
    const first = queue.tryTake();
    queue.tryTake()?.done();
    first?.giveBack();
    // Not done: else it could not be told from one that got lost when it was given back.
    assert.equal(queue.tryTake()?.again, true);
  },
  afterKill(queue, _, killed) {
    // What was not done comes to somebody else: all but 2, if it came so far.
    const seen = drain(queue);
    const done = range(1, LAST).filter((number) => !seen.includes(number));
    assert.deepEqual(seen, [...new Set(seen)]);
    const allowed = killed === undefined ? [[2]] : [[], [2]];
    assert.ok(
      allowed.some((one) => one.join() === done.join()),
      `done: ${done.join()}`,
    );
  },
  afterStop(_, __, outcome) {
    assert.equal(outcome.error, undefined);
  },
  teardown: (queue) => queue.close(),
};

export const queueScenarios: readonly Scenario[] = [put, take];
