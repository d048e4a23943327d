import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { ShmError } from '../../../src/errors.js';
import { openSegment, type SharedSegment } from '../../../src/segment/shared-segment.js';
import { inspect, unlink } from '../../../src/tools/inspect.js';
import { joinDead } from '../dead.js';
import { memoryOf } from '../memory.js';
import type { Place, Scenario } from '../scenario.js';

interface Held {
  segment: SharedSegment | undefined;
}

const payloadBytes = 8192;

function open({ name, directory }: Place): SharedSegment {
  return openSegment(name, { directory, payloadBytes });
}

/** Opens, unless a stopped process is just removing the segment. */
function openUnlessBusy(place: Place): SharedSegment | undefined {
  try {
    return open(place);
  } catch (error) {
    assert.ok(ShmError.is(error) && error.code === 'ERR_SHM_BUSY', String(error));
    return undefined;
  }
}

function assertUsable(place: Place): void {
  const segment = open(place);
  assert.deepEqual(readdirSync(place.directory), [`${place.name}.cshm`]);
  assert.deepEqual(
    segment.participants().map(({ pid }) => pid),
    [process.pid],
  );
  assert.equal(segment.segment.retired, false);
  segment.close();
}

const create: Scenario<Held, Place> = {
  name: 'segment: create',
  setup: () => ({ segment: undefined }),
  prepare: (place) => place,
  operation: (place) => open(place).segment.incarnation,
  afterKill(_, place) {
    if (readdirSync(place.directory).includes(`${place.name}.cshm`)) {
      assert.equal(inspect(place.name, { directory: place.directory }).payloadBytes, payloadBytes);
      const segment = openSegment(place.name, { directory: place.directory, access: 'read-only' });
      assert.ok(segment.payload.every((byte) => byte === 0));
      segment.close();
    }
    assertUsable(place);
  },
  whileStopped(state, place) {
    state.segment = open(place);
  },
  afterStop(state, _, outcome) {
    // Whoever was first, both have the same.
    assert.equal(outcome.result, state.segment?.segment.incarnation);
    assert.equal(state.segment?.segment.retired, false);
  },
  teardown: (state) => state.segment?.close(),
};

const attach: Scenario<SharedSegment, Place> = {
  name: 'segment: attach and detach',
  setup: open,
  prepare: (place) => place,
  operation: (place) => open(place).close(),
  afterKill(segment, place) {
    assertAlone(segment, place);
  },
  afterStop(segment, place) {
    assertAlone(segment, place);
  },
  teardown: (segment) => segment.close(),
};

function assertAlone(segment: SharedSegment, place: Place): void {
  open(place).close();
  assert.equal(segment.participants().length, 1);
}

const giveUp: Scenario<SharedSegment, Place> = {
  name: 'segment: unlink',
  setup(place) {
    const old = open(place);
    old.payload[0] = 7;
    return old;
  },
  prepare: (place) => place,
  operation: ({ name, directory }) => unlink(name, { directory }),
  afterKill(old, place) {
    const next = open(place);
    assert.equal(next.segment.incarnation !== old.segment.incarnation, old.segment.retired);
    assert.equal(next.payload[0], old.segment.retired ? 0 : 7);
    assert.equal(old.payload[0], 7);
    next.close();
    old.close();
    assertUsable(place);
  },
  whileStopped(_, place) {
    openUnlessBusy(place)?.close();
  },
  afterStop(old, place, outcome) {
    assert.equal(outcome.error, undefined);
    assert.equal(old.segment.retired, true);
    assertUsable(place);
  },
  teardown: (old) => old.close(),
};

const lastOut: Scenario<Held, Place> = {
  name: 'segment: the last one out removes it',
  setup(place) {
    open(place).close();
    return { segment: undefined };
  },
  prepare: (place) => place,
  operation: (place) => open(place).closeAndRemoveIfLast(),
  afterKill(_, place, killed) {
    if (killed === undefined) assert.deepEqual(readdirSync(place.directory), []);
    assertUsable(place);
  },
  whileStopped(state, place) {
    state.segment = openUnlessBusy(place);
  },
  afterStop(state, place, outcome) {
    assert.equal(outcome.error, undefined);
    // A newcomer that got in is never left in a segment that others cannot find.
    if (state.segment !== undefined) {
      assert.equal(state.segment.segment.retired, false);
      const second = open(place);
      assert.equal(second.segment.incarnation, state.segment.segment.incarnation);
      second.close();
    } else {
      assert.equal(outcome.result, true);
    }
  },
  teardown: (state) => state.segment?.close(),
};

/** A new version of a program, with another size, after the old one was killed. */
const replace: Scenario<Held, Place> = {
  name: 'segment: replace one of another size whose participants are dead',
  setup(place) {
    const old = openSegment(place.name, { directory: place.directory, payloadBytes: 64 });
    joinDead(memoryOf(old).words);
    old.close();
    return { segment: undefined };
  },
  prepare: (place) => place,
  operation: (place) => replaceAbandoned(place).segment.incarnation,
  afterKill(_, place) {
    replaceAbandoned(place).close();
    assertUsable(place);
  },
  whileStopped(state, place) {
    try {
      state.segment = replaceAbandoned(place);
    } catch (error) {
      // The stopped one has the old segment open, or is removing it: both are reasons to leave it alone.
      const codes = ['ERR_SHM_BUSY', 'ERR_SHM_PARAMS'];
      assert.ok(ShmError.is(error) && codes.includes(error.code), String(error));
    }
  },
  afterStop(state, place, outcome) {
    if (state.segment === undefined) assert.equal(outcome.error, undefined);
    else assert.equal(outcome.result, state.segment.segment.incarnation);
    state.segment?.close();
    replaceAbandoned(place).close();
  },
  teardown: (state) => state.segment?.close(),
};

function replaceAbandoned({ name, directory }: Place): SharedSegment {
  return openSegment(name, { directory, payloadBytes, onMismatch: 'replace-abandoned' });
}

/** Somebody sleeps until it is notified. */
const notify: Scenario<{ readonly segment: SharedSegment; readonly woken: Promise<boolean> }, SharedSegment> =
  {
    name: 'segment: notify one who sleeps',
    setup(place) {
      const segment = open(place);
      return { segment, woken: segment.changed() };
    },
    prepare: open,
    operation: (segment) => segment.notify(),
    async afterKill({ segment, woken }, _, killed) {
      if (killed === undefined) assert.equal(segment.notified, 1);
      if (segment.notified === 0) segment.notify();
      assert.equal(await woken, true);
      assert.equal(segment.notified, 1);
    },
    async afterStop({ segment, woken }, _, outcome) {
      assert.equal(outcome.error, undefined);
      assert.equal(await woken, true);
      assert.equal(segment.notified, 1);
    },
    teardown: ({ segment }) => segment.close(),
  };

/** Sleeps, and is woken by itself: every step of a sleeper. */
const changed: Scenario<SharedSegment, SharedSegment> = {
  name: 'segment: wait for a change',
  setup: open,
  prepare: open,
  async operation(segment) {
    const woken = segment.changed();
    await new Promise(setImmediate);
    segment.notify();
    return woken;
  },
  async afterKill(segment) {
    const woken = segment.changed({ since: segment.notified });
    segment.notify();
    assert.equal(await woken, true);
  },
  whileStopped(segment) {
    segment.notify();
  },
  afterStop(_, __, outcome) {
    assert.deepEqual([outcome.error, outcome.result], [undefined, true]);
  },
  teardown: (segment) => segment.close(),
};

export const segmentScenarios: readonly Scenario[] = [
  create,
  attach,
  giveUp,
  lastOut,
  replace,
  notify,
  changed,
];
