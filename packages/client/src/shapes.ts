/**
 * Checks the JSON that a server sends, as far as the client relies on it: a defective server is an error with a
 * code, not a TypeError somewhere else.
 */
import { type Joined, ProtocolError, ProtocolErrorCode, type Welcome } from '@chat/protocol';

type Shape = { readonly [field: string]: 'string' | 'number' | 'boolean' | 'array' | Shape };

const MEMBER: Shape = { id: 'number', name: 'string' };
const JOINED: Shape = {
  room: 'string',
  handle: 'number',
  start: 'number',
  head: 'number',
  members: 'array',
  memberCount: 'number',
};
const WELCOME: Shape = {
  session: 'string',
  secret: 'string',
  epoch: 'string',
  member: MEMBER,
  inbox: { handle: 'number', start: 'number' },
  limits: {
    maxFrameBytes: 'number',
    maxMessageBytes: 'number',
    maxInFlight: 'number',
    idleTimeoutMs: 'number',
  },
  resumed: 'boolean',
  rooms: 'array',
};

/** @throws ProtocolError `ERR_PROTOCOL_FRAME_MALFORMED` */
export function assertWelcome(welcome: Welcome): void {
  assertShape(welcome, WELCOME, 'welcome');
  for (const joined of welcome.rooms) assertJoined(joined);
}

/** @throws ProtocolError `ERR_PROTOCOL_FRAME_MALFORMED` */
export function assertJoined(joined: Joined): void {
  assertShape(joined, JOINED, 'joined');
  assertMembers(joined.members);
}

/** @throws ProtocolError `ERR_PROTOCOL_FRAME_MALFORMED` */
export function assertMembers(members: unknown): void {
  if (!Array.isArray(members)) throw malformed('members');
  for (const member of members) assertShape(member, MEMBER, 'member');
}

function assertShape(value: unknown, shape: Shape, path: string): void {
  if (typeof value !== 'object' || value === null) throw malformed(path);
  for (const [field, kind] of Object.entries(shape)) {
    const found = (value as Record<string, unknown>)[field];
    if (typeof kind === 'object') assertShape(found, kind, `${path}.${field}`);
    else if (kind === 'array' ? !Array.isArray(found) : typeof found !== kind)
      throw malformed(`${path}.${field}`);
  }
}

function malformed(path: string): ProtocolError {
  return new ProtocolError(ProtocolErrorCode.FrameMalformed, `${path} has not the shape that it must have`);
}
