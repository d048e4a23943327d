import { currentIdentity, type Identity } from '../../src/platform/liveness.js';
import { type Participant, ParticipantTable } from '../../src/segment/participants.js';

/** A thread of this namespace and boot that no longer exists: no kernel gives out such a number. */
export function deadIdentity(): Identity {
  return { ...currentIdentity(), pid: 4_194_303, tid: 4_194_303, startTicks: 1 };
}

/** Takes part in a segment in the name of a process that is dead. */
export function joinDead(words: Int32Array): Participant {
  return new ParticipantTable(words, deadIdentity()).join();
}
