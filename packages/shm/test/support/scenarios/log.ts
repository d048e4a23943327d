import assert from 'node:assert/strict';
import { type Log, openLog } from '../../../src/log/log.js';
import type { LogReader } from '../../../src/log/reader.js';
import { numbered, numberOf, range } from '../numbered.js';
import type { Place, Scenario } from '../scenario.js';

const open = ({ name, directory }: Place): Log => openLog(name, { directory, capacityBytes: 8192 });

/** More than the log keeps, so that each run makes room and goes round the end. */
const BEFORE = 10;
const LAST = 16;
/** What the parent appends counts down from here. */
const OTHERS = 250;

interface State {
  readonly log: Log;
  readonly reader: LogReader;
  readonly seen: number[];
  others: number;
}

function setup(place: Place): State {
  const log = open(place);
  for (let i = 0; i < BEFORE; i++) log.tryAppend(numbered(0));
  return { log, reader: log.reader(), seen: [], others: 0 };
}

/** Reads on; checks that numbers go on and that every entry is whole. */
function readOn({ reader, seen }: State): void {
  reader.read((bytes, start, end, number) => {
    assert.equal(number, BEFORE + reader.lost + seen.length + 1);
    seen.push(numberOf(bytes.slice(start, end)));
  });
}

/** What the child's entries are of all that was seen, in order. */
function ofChild({ seen }: State): number[] {
  return seen.filter((number) => number <= LAST);
}

async function othersGoOn(state: State, place: Place): Promise<void> {
  const other = open(place);
  for (const log of [state.log, other]) {
    for (let i = 0; i < 8; i++) {
      await log.append(numbered(OTHERS - state.others++));
      readOn(state);
    }
  }
  other.close();
  assert.equal(state.reader.lost, 0);
  const others = state.seen.filter((number) => number > LAST);
  assert.deepEqual(others, range(OTHERS + 1 - state.others, OTHERS).reverse());
}

function append(name: string, batch: number, operation: (log: Log) => void): Scenario<State, Log> {
  return {
    name: `log: ${name}`,
    setup,
    prepare: open,
    operation,
    async afterKill(state, place, killed) {
      const { reader } = state;
      // The reader was asleep all the time: it may have been overtaken, and knows by how much.
      const first: number[] = [];
      reader.read((bytes, start, end) => first.push(numberOf(bytes.slice(start, end))));
      const count = first.length + reader.lost;
      assert.deepEqual(first, range(count + 1 - first.length, count));
      assert.equal(count % batch, 0);
      assert.equal(state.log.last, BEFORE + count);
      if (killed === undefined) assert.equal(count, LAST);
      reader.close();
      await othersGoOn(
        { ...state, reader: state.log.reader({ start: BEFORE + count + 1 }), seen: range(1, count) },
        place,
      );
    },
    whileStopped(state) {
      readOn(state);
      // Blocked if the child has the lock, and only then.
      if (state.log.tryAppend(numbered(OTHERS - state.others)) !== undefined) state.others++;
      readOn(state);
    },
    async afterStop(state, place, outcome) {
      assert.equal(outcome.error, undefined);
      const { lost } = state.reader;
      readOn(state);
      const child = ofChild(state);
      // In order; what is missing was lost while the reader did not read.
      assert.equal(child.at(-1), LAST);
      for (let i = 1; i < child.length; i++) assert.ok((child[i] ?? 0) > (child[i - 1] ?? 0));
      assert.equal(state.seen.length + state.reader.lost, LAST + state.others);
      assert.ok(state.reader.lost >= lost);
      if (state.reader.lost === 0) await othersGoOn(state, place);
    },
    teardown: ({ log }) => log.close(),
  };
}

const reliable: Scenario<State, Log> = {
  name: 'log: read reliably',
  setup(place) {
    const state = setup(place);
    return state;
  },
  prepare: open,
  operation(log) {
    const reader = log.reader({ start: 'oldest', reliable: true });
    let count = 0;
    while (reader.read((bytes, start, end) => assert.equal(numberOf(bytes.slice(start, end)), 0), 3) > 0)
      count++;
    const { lost } = reader;
    reader.close();
    log.close();
    return { count, lost };
  },
  async afterKill(state, place) {
    // The dead reader holds nobody up.
    for (let i = 0; i < 4; i++) await othersGoOn(state, place);
  },
  whileStopped({ log }) {
    // May come to an end because the stopped reader is in the way; must not go round it.
    for (let i = 0; i < 40 && log.tryAppend(numbered(0)) !== undefined; i++);
  },
  afterStop({ log }, _, outcome) {
    assert.equal(outcome.error, undefined);
    assert.equal((outcome.result as { lost: number }).lost, 0);
    assert.ok(log.tryAppend(numbered(0)));
  },
  teardown: ({ log }) => log.close(),
};

export const logScenarios: readonly Scenario[] = [
  append('append', 1, (log) => {
    for (const number of range(1, LAST)) assert.ok(log.tryAppend(numbered(number)));
  }),
  append('append in batches', 4, (log) => {
    for (let first = 1; first <= LAST; first += 4) {
      assert.equal(log.tryAppendAll(range(first, first + 3).map((number) => numbered(number))), 4);
    }
  }),
  reliable,
];
