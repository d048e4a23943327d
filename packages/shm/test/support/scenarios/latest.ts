import assert from 'node:assert/strict';
import { ShmError } from '../../../src/errors.js';
import { type Latest, openLatest } from '../../../src/latest/latest.js';
import type { Place, Scenario } from '../scenario.js';

const maxValueBytes = 1000;
const FIRST = 1;
const LAST = 6;

/** A value that shows when it is torn: its length and all of its bytes follow from one number. */
function value(number: number): Uint8Array {
  return new Uint8Array(maxValueBytes - number).fill(number);
}

function readNumber(latest: Latest): number {
  const seen = latest.read();
  assert.ok(seen !== undefined);
  const number = seen[0] ?? 0;
  assert.deepEqual(seen, value(number));
  return number;
}

function write(cells: number): Scenario<Latest, Latest> {
  const open = ({ name, directory }: Place): Latest => openLatest(name, { directory, maxValueBytes, cells });
  return {
    name: `latest: write, ${cells} cells`,
    setup(place) {
      const first = open(place);
      first.write(value(FIRST));
      first.close();
      return open(place);
    },
    prepare: open,
    operation(latest) {
      for (let number = FIRST + 1; number <= LAST; number++) latest.write(value(number));
    },
    afterKill(reader, place) {
      const number = readNumber(reader);
      assert.ok(number >= FIRST && number <= LAST);
      const successor = open(place);
      for (let next = number + 1; next < number + 10; next++) {
        successor.write(value(next));
        assert.equal(readNumber(reader), next);
      }
      successor.close();
    },
    whileStopped(reader, place) {
      const number = readNumber(reader);
      assert.ok(number >= FIRST && number <= LAST);
      const rival = open(place);
      try {
        rival.write(value(FIRST));
      } catch (error) {
        assert.ok(ShmError.is(error) && error.code === 'ERR_SHM_ROLE_TAKEN', String(error));
      } finally {
        rival.close();
      }
      readNumber(reader);
    },
    afterStop(reader, _, outcome) {
      assert.equal(outcome.error, undefined);
      assert.equal(readNumber(reader), LAST);
    },
    teardown: (reader) => reader.close(),
  };
}

export const latestScenarios: readonly Scenario[] = [write(2), write(4)];
