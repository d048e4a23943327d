import assert from 'node:assert/strict';
import { load, store } from '../../../src/platform/atomics.js';
import { SegmentKind, WORD_BYTES } from '../../../src/segment/layout.js';
import { claimRole, releaseRole } from '../../../src/segment/participants.js';
import { Segment } from '../../../src/segment/segment.js';
import type { SegmentSpec } from '../../../src/segment/spec.js';
import { joinDead } from '../dead.js';
import type { Place, Scenario } from '../scenario.js';

const spec: SegmentSpec = { kind: SegmentKind.Raw, params: [], payloadBytes: () => 4096 };
const maxParticipants = 4;

function open({ name, directory }: Place): Segment {
  return Segment.open(spec, name, { directory, maxParticipants });
}

function roleWord(segment: Segment): number {
  return segment.payloadOffset / WORD_BYTES;
}

/** All slots but the given number can be had, at the same time. */
function assertFree(segment: Segment, taken: number): void {
  const joined = Array.from({ length: maxParticipants - taken }, () => segment.participants.join());
  assert.equal(new Set(joined.map(({ slot }) => slot)).size, joined.length);
  for (const participant of joined) participant.leave();
}

const joinAndLeave: Scenario<Segment, Segment> = {
  name: 'participants: join and leave',
  setup: open,
  prepare: open,
  operation(segment) {
    segment.participants.join().leave();
  },
  afterKill: (segment) => assertFree(segment, 1),
  whileStopped(segment) {
    // The slot that the child is at may be missing, that of its handle is.
    const joined = [segment.participants.join()];
    for (const participant of joined) participant.leave();
    assert.equal(segment.participants.list().filter(({ liveness }) => liveness === 'dead').length, 0);
  },
  afterStop: (segment) => assertFree(segment, 2),
  teardown: (segment) => segment.close(),
};

const takeRole: Scenario<Segment, Segment> = {
  name: 'participants: take a role from the dead',
  setup(place) {
    const segment = open(place);
    store(segment.words, roleWord(segment), joinDead(segment.words).token);
    return segment;
  },
  prepare: open,
  operation(segment) {
    claimRole(segment.words, roleWord(segment), segment.participant, segment.participants, 'writer');
    releaseRole(segment.words, roleWord(segment), segment.participant);
  },
  afterKill(segment) {
    claimRole(segment.words, roleWord(segment), segment.participant, segment.participants, 'writer');
    assert.equal(load(segment.words, roleWord(segment)), segment.participant.token);
    assertFree(segment, 1);
  },
  whileStopped(segment) {
    const holder = load(segment.words, roleWord(segment));
    const isChild = holder !== 0 && segment.participants.livenessOf(holder) === 'stopped';
    const claim = (): number =>
      claimRole(segment.words, roleWord(segment), segment.participant, segment.participants, 'writer');
    if (isChild) assert.throws(claim, { code: 'ERR_SHM_ROLE_TAKEN' });
    else claim();
  },
  afterStop(segment, _, outcome) {
    const holder = load(segment.words, roleWord(segment));
    // Never both at a time: the child is refused while the parent has it, and only then.
    if (holder !== segment.participant.token) assert.equal(outcome.error, undefined);
    else assert.ok([undefined, 'ERR_SHM_ROLE_TAKEN'].includes(outcome.error), outcome.error);
  },
  teardown: (segment) => segment.close(),
};

export const participantScenarios: readonly Scenario[] = [joinAndLeave, takeRole];
