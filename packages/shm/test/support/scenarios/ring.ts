import assert from 'node:assert/strict';
import { ShmError } from '../../../src/errors.js';
import { openRing, type Ring } from '../../../src/ring/ring.js';
import { numbered, numberOf, range } from '../numbered.js';
import type { Place, Scenario } from '../scenario.js';

const open = ({ name, directory }: Place): Ring => openRing(name, { directory, capacityBytes: 8192 });

function readAll(ring: Ring): number[] {
  const numbers: number[] = [];
  ring.read((bytes, start, end) => numbers.push(numberOf(bytes.slice(start, end))));
  return numbers;
}

function refused(use: () => unknown): void {
  assert.throws(use, (error) => ShmError.is(error) && error.code === 'ERR_SHM_ROLE_TAKEN');
}

/** A ring whose next records go round its end: ten messages have been written and read by who is gone. */
function worn(place: Place): Ring {
  const ring = open(place);
  for (let i = 0; i < 10; i++) {
    ring.tryWrite(numbered(i));
    readAll(ring);
  }
  ring.close();
  return open(place);
}

const LAST = 8;

/** Whether messages that were published together may be seen in part. */
function write(name: string, batch: number, operation: (ring: Ring) => void): Scenario<Ring, Ring> {
  const check = (seen: number[]): number => {
    assert.deepEqual(seen, range(1, seen.length));
    assert.equal(seen.length % batch, 0);
    return seen.length;
  };
  return {
    name: `ring: ${name}`,
    setup: worn,
    prepare: open,
    operation,
    afterKill(reader, place, killed) {
      const count = check(readAll(reader));
      if (killed === undefined) assert.equal(count, LAST);
      const successor = open(place);
      for (let number = count + 1; number < count + 20; number++) {
        assert.equal(successor.tryWrite(numbered(number)), true);
        assert.deepEqual(readAll(reader), [number]);
      }
      successor.close();
    },
    whileStopped(reader, place) {
      const rival = open(place);
      if (rival.writer() !== undefined) refused(() => rival.tryWrite(numbered(0)));
      rival.close();
      // What is there can be looked at, and stays for the check at the end.
      const seen: number[] = [];
      for (let message = reader.take(); message !== undefined; message = reader.take())
        seen.push(numberOf(message));
      check(seen);
      held.set(reader, seen);
    },
    afterStop(reader, _, outcome) {
      assert.equal(outcome.error, undefined);
      assert.equal(check([...(held.get(reader) ?? []), ...readAll(reader)]), LAST);
    },
    teardown: (reader) => reader.close(),
  };
}

/** What readers have seen while a writer was stopped. */
const held = new WeakMap<Ring, number[]>();

function read(name: string, batch: number, operation: (ring: Ring) => number[]): Scenario<Ring, Ring> {
  return {
    name: `ring: ${name}`,
    setup(place) {
      const writer = worn(place);
      for (const number of range(1, LAST)) writer.tryWrite(numbered(number));
      return writer;
    },
    prepare: open,
    operation,
    afterKill(writer, place, killed) {
      const successor = open(place);
      const seen = readAll(successor);
      const first = LAST + 1 - seen.length;
      assert.deepEqual(seen, range(first, LAST));
      assert.equal((first - 1) % batch, 0);
      if (killed === undefined) assert.deepEqual(seen, []);
      assert.equal(writer.tryWrite(numbered(LAST + 1)), true);
      assert.deepEqual(readAll(successor), [LAST + 1]);
      successor.close();
    },
    whileStopped(writer, place) {
      const rival = open(place);
      if (rival.reader() !== undefined) refused(() => rival.read(() => {}));
      rival.close();
      // Must not touch what the stopped reader has before it.
      let number = LAST;
      while (number < LAST + 50 && writer.tryWrite(numbered(number + 1))) number++;
    },
    afterStop(_, __, outcome) {
      assert.equal(outcome.error, undefined);
      assert.deepEqual((outcome.result as number[]).slice(0, LAST), range(1, LAST));
    },
    teardown: (writer) => writer.close(),
  };
}

export const ringScenarios: readonly Scenario[] = [
  write('write', 1, (ring) => {
    for (const number of range(1, LAST)) assert.ok(ring.tryWrite(numbered(number)));
  }),
  write('stage and publish', 4, (ring) => {
    for (const number of range(1, LAST)) {
      assert.ok(ring.tryStage(numbered(number)));
      if (number % 4 === 0) ring.publish();
    }
  }),
  write('claim, abort and commit', 1, (ring) => {
    for (const number of range(1, LAST)) {
      ring.tryClaim(700)?.fill(0xff);
      ring.abort();
      ring.tryClaim(numbered(number).length)?.set(numbered(number));
      ring.commit();
    }
  }),
  read('read in batches', 4, (ring) => {
    const numbers: number[] = [];
    while (ring.read((bytes, start, end) => numbers.push(numberOf(bytes.slice(start, end))), 4) > 0);
    return numbers;
  }),
  read('take and release', 1, (ring) => {
    const numbers: number[] = [];
    for (let message = ring.take(); message !== undefined; message = ring.take()) {
      numbers.push(numberOf(message));
      ring.release();
    }
    return numbers;
  }),
];
