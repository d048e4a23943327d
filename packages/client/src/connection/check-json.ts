/**
 * Checks the JSON that a server sends, as far as the client relies on it. A defective server causes an
 * error with a code and the path of the field, and no TypeError somewhere else.
 *
 * A shape is an example of what is expected: a value of the same type, with the same fields at least, and elements
 * like the one that an array has. So it needs no code of its own for each type.
 */
import type { Member } from '@chat/protocol';
import { assertType } from '@chat/protocol/check';
import type { Joined, SessionLimits, Welcome } from '@chat/protocol/frames';

/** The client does not read `gap`: it sees from `start` what is missing. The rest is only passed on. */
type CheckedJoined = Omit<Joined, 'gap' | 'settings' | 'role' | 'features' | 'read'>;

interface CheckedWelcome
  extends Pick<Welcome, 'session' | 'secret' | 'epoch' | 'member' | 'inbox' | 'resumed'> {
  readonly limits: Pick<SessionLimits, 'maxFrameBytes' | 'maxMessageBytes' | 'maxInFlight' | 'idleTimeoutMs'>;
  readonly rooms: readonly CheckedJoined[];
}

const MEMBER_SHAPE: Member = { id: 0, name: '' };

export const MEMBERS_SHAPE: readonly Member[] = [MEMBER_SHAPE];

export const JOINED_SHAPE: CheckedJoined = {
  room: '',
  handle: 0,
  start: 0,
  head: 0,
  members: MEMBERS_SHAPE,
  memberCount: 0,
};

export const WELCOME_SHAPE: CheckedWelcome = {
  session: '',
  secret: '',
  epoch: '',
  member: MEMBER_SHAPE,
  inbox: { handle: 0, start: 0 },
  limits: { maxFrameBytes: 0, maxMessageBytes: 0, maxInFlight: 0, idleTimeoutMs: 0 },
  resumed: false,
  rooms: [JOINED_SHAPE],
};

/** @throws ProtocolError `ERR_PROTOCOL_FRAME_MALFORMED` with the path of the first field that is not as in `shape` */
export function checkShape(shape: unknown, value: unknown, path: string): void {
  const isArray = Array.isArray(shape);
  assertType(value, path, isArray ? 'array' : typeof shape);
  if (typeof shape !== 'object') return;
  const given = value as Readonly<Record<string, unknown>>;
  for (const field of Object.keys(isArray ? given : shape!)) {
    const inner = isArray ? `${path}[${field}]` : `${path}.${field}`;
    checkShape(isArray ? shape[0] : (shape as typeof given)[field], given[field], inner);
  }
}
