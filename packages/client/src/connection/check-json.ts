/**
 * Checks the JSON that a server sends, as far as the client relies on it. A defective server causes an
 * error with a code and the path of the field, and no TypeError somewhere else.
 */
import type { Member } from '@chat/protocol';
import { asArray, asBoolean, asNumber, asObject, asString, type Check } from '@chat/protocol/check';
import type { Joined, SessionLimits, Welcome } from '@chat/protocol/frames';

/** The client does not read `gap`: it sees from `start` what is missing. Settings and role are only passed on. */
type CheckedJoined = Omit<Joined, 'gap' | 'settings' | 'role'>;

interface CheckedWelcome
  extends Pick<Welcome, 'session' | 'secret' | 'epoch' | 'member' | 'inbox' | 'resumed'> {
  readonly limits: Pick<SessionLimits, 'maxFrameBytes' | 'maxMessageBytes' | 'maxInFlight' | 'idleTimeoutMs'>;
  readonly rooms: readonly CheckedJoined[];
}

const checkMember = asObject<Member>({ id: asNumber, name: asString });

export const checkMembers: Check<readonly Member[]> = asArray(checkMember);

export const checkJoined: Check<CheckedJoined> = asObject<CheckedJoined>({
  room: asString,
  handle: asNumber,
  start: asNumber,
  head: asNumber,
  members: checkMembers,
  memberCount: asNumber,
});

export const checkWelcome: Check<CheckedWelcome> = asObject<CheckedWelcome>({
  session: asString,
  secret: asString,
  epoch: asString,
  member: checkMember,
  inbox: asObject<Welcome['inbox']>({ handle: asNumber, start: asNumber }),
  limits: asObject<CheckedWelcome['limits']>({
    maxFrameBytes: asNumber,
    maxMessageBytes: asNumber,
    maxInFlight: asNumber,
    idleTimeoutMs: asNumber,
  }),
  resumed: asBoolean,
  rooms: asArray(checkJoined),
});
