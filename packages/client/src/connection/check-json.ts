/**
 * Checks the JSON that a server sends, as far as the client relies on it: a defective server is an error with
 * a code, not a TypeError somewhere else.
 */
import { type Joined, type Member, ProtocolError, type Welcome } from '@chat/protocol';

// Each is an example of what is expected: the same fields, of the same types; all elements of a list are like
// the one that stands for them.

const MEMBERS: readonly Member[] = [{ id: 0, name: '' }];
const JOINED: Joined = { room: '', handle: 0, start: 0, head: 0, members: MEMBERS, memberCount: 0 };
const WELCOME = {
  session: '',
  secret: '',
  epoch: '',
  member: MEMBERS[0],
  inbox: { handle: 0, start: 0 },
  limits: { maxFrameBytes: 0, maxMessageBytes: 0, maxInFlight: 0, idleTimeoutMs: 0 },
  resumed: false,
  rooms: [JOINED],
};

/** @throws ProtocolError `ERR_PROTOCOL_FRAME_MALFORMED` */
export function checkWelcome(welcome: Welcome): void {
  checkLike(welcome, WELCOME, 'welcome');
}

/** @throws ProtocolError `ERR_PROTOCOL_FRAME_MALFORMED` */
export function checkJoined(joined: Joined): void {
  checkLike(joined, JOINED, 'joined');
}

/** @throws ProtocolError `ERR_PROTOCOL_FRAME_MALFORMED` */
export function assertMembers(members: unknown): void {
  checkLike(members, MEMBERS, 'members');
}

function checkLike(value: unknown, example: unknown, path: string): void {
  if (kindOf(value) !== kindOf(example)) {
    const message = `${path} must be of type ${kindOf(example)}, got ${kindOf(value)}`;
    throw new ProtocolError('ERR_PROTOCOL_FRAME_MALFORMED', message);
  }
  if (Array.isArray(value)) {
    for (const element of value) checkLike(element, (example as readonly unknown[])[0], path);
  } else if (typeof example === 'object') {
    for (const [field, part] of Object.entries(example as object)) {
      checkLike((value as Record<string, unknown>)[field], part, `${path}.${field}`);
    }
  }
}

function kindOf(value: unknown): string {
  return Array.isArray(value) ? 'array' : value === null ? 'null' : typeof value;
}
