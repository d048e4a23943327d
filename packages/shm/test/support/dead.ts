import { currentIdentity, type Identity } from '../../src/platform/liveness.js';
import { PARTICIPANT_COUNT_WORD } from '../../src/segment/layout.js';
import { type Participant, ParticipantTable } from '../../src/segment/participants.js';

/** A thread of this namespace that no longer exists: no kernel gives out such a number. */
export function deadIdentity(): Identity {
  return { ...currentIdentity(), pid: 4_194_303, tid: 4_194_303, startTicks: 1 };
}

/** Takes part in a segment in the name of a process that is dead: its byte is not locked. */
export function joinDead(words: Int32Array, self: Identity = deadIdentity()): Participant {
  const lives = { isTaken: () => true, take: () => true };
  const count = words[PARTICIPANT_COUNT_WORD] ?? 0;
  return new ParticipantTable({ words, count, lives, self }).join();
}
