import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { temporaryPath } from '../../../src/segment/path.js';
import { openSegment, type SharedSegment } from '../../../src/segment/shared-segment.js';
import { cleanup } from '../../../src/tools/inspect.js';
import { joinDead } from '../dead.js';
import { memoryOf } from '../memory.js';
import type { Place, Scenario } from '../scenario.js';

const removeAbandoned = true;

/** Everything that the dead can leave, beside a segment in use. */
const tidyUp: Scenario<SharedSegment, Place> = {
  name: 'cleanup: after the dead',
  setup({ directory, name }) {
    const abandoned = openSegment('abandoned', { directory });
    joinDead(memoryOf(abandoned).words);
    abandoned.close();
    const used = openSegment(name, { directory });
    joinDead(memoryOf(used).words);
    const leftover = temporaryPath(used.segment.path);
    writeFileSync(join(directory, basename(leftover)), '');
    return used;
  },
  prepare: (place) => place,
  operation: ({ directory }) => cleanup({ directory, removeAbandoned }).removed,
  afterKill: assertTidy,
  whileStopped(_, { directory }) {
    cleanup({ directory, removeAbandoned });
  },
  afterStop(used, place, outcome) {
    assert.equal(outcome.error, undefined);
    assertTidy(used, place);
  },
  teardown: (used) => used.close(),
};

function assertTidy(used: SharedSegment, { directory, name }: Place): void {
  cleanup({ directory, removeAbandoned });
  assert.deepEqual(readdirSync(directory), [`${name}.cshm`]);
  assert.equal(used.participants().length, 1);
  assert.equal(used.segment.retired, false);
}

export const cleanupScenarios: readonly Scenario[] = [tidyUp];
