import assert from 'node:assert/strict';
import { type Log, openLog } from '../../../src/log/log.js';
import type { LogReader } from '../../../src/log/reader.js';
import { sleepSync } from '../../../src/platform/atomics.js';
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

/** A consumer with a name takes it, reads, and is done with what it read. */
const named: Scenario<Log, Log> = {
  name: 'log: read with a named cursor',
  setup(place) {
    const log = open(place);
    for (const number of range(1, CURSOR_ENTRIES)) log.tryAppend(numbered(number));
    return log;
  },
  prepare: open,
  async operation(log) {
    const reader = log.reader({ name: 'worker', start: 'oldest' });
    let left = CURSOR_ENTRIES;
    for await (const _ of reader) {
      if (--left > 0) continue;
      reader.release();
      break;
    }
    reader.close();
  },
  afterKill(log, _, killed) {
    const [cursor] = log.cursors();
    const reader = log.reader({ name: 'worker', start: 'oldest' });
    const seen: number[] = [];
    reader.read((bytes, start, end, number) => {
      assert.equal(numberOf(bytes.slice(start, end)), number);
      seen.push(number);
    });
    // Where it was done, its successor goes on: not before, and with nothing left out.
    const first = cursor?.next || 1;
    assert.deepEqual(seen, range(first, CURSOR_ENTRIES));
    assert.equal(reader.lost, 0);
    if (killed === undefined) assert.deepEqual(seen, []);
    reader.close();
    assert.equal(log.cursors().length, 1);
    assert.equal(log.removeCursor('worker'), true);
  },
  whileStopped(log) {
    // Entered or not, it is not overtaken once it is there.
    const isThere = log.cursors().length > 0;
    // One that is refused waits for the lock, and the next one would as well.
    for (let i = 0; i < 40 && log.tryAppend(numbered(0)) !== undefined; i++);
    assert.equal(isThere && log.cursors()[0]?.reliable === false, false);
  },
  afterStop(log, _, outcome) {
    assert.equal(outcome.error, undefined);
    assert.equal(log.cursors().length, 1);
  },
  teardown: (log) => log.close(),
};

/** A writer that gives up a reader without patience. */
const giveUp: Scenario<{ readonly log: Log; readonly reader: LogReader }, Log> = {
  name: 'log: give a slow reader up',
  setup(place) {
    const log = open(place);
    const reader = log.reader({ name: 'slow', start: 1, whenSlow: 'lossy', slowAfterMs: 1 });
    while (log.tryAppend(numbered(0)) !== undefined);
    return { log, reader };
  },
  prepare: open,
  operation(log) {
    // The first finds the reader in the way, the second finds it still there.
    assert.equal(log.tryAppend(numbered(1)), undefined);
    sleepSync(50);
    assert.ok(log.tryAppend(numbered(1)));
  },
  async afterKill({ log, reader }) {
    while (log.tryAppend(numbered(1)) === undefined) await new Promise(setImmediate);
    const seen: number[] = [];
    reader.read((_bytes, _start, _end, number) => seen.push(number));
    assert.equal(seen.at(-1), log.last);
    assert.equal(seen[0], reader.lost + 1);
    assert.ok(reader.lost > 0);
  },
  teardown: ({ log }) => log.close(),
};

const CURSOR_ENTRIES = 3;

export const logScenarios: readonly Scenario[] = [
  named,
  giveUp,
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
