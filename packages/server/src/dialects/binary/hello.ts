/**
 * The first frame of a connection: JSON whose fields are checked before any of them is used.
 */
import { ProtocolError, ProtocolErrorCode } from '@chat/protocol';
import {
  asAnything,
  asArray,
  asInteger,
  asObject,
  asOptional,
  asPosition,
  asString,
  type Check,
} from '@chat/protocol/check';
import type { Hello, RoomPosition } from '@chat/protocol/frames';

/** Short enough to be kept with each session, long enough not to be guessed. */
const MIN_CLIENT_SECRET_LENGTH = 16;
const MAX_CLIENT_SECRET_LENGTH = 64;

function asClientSecret(value: unknown, path: string): string {
  const { length } = asString(value, path);
  if (length >= MIN_CLIENT_SECRET_LENGTH && length <= MAX_CLIENT_SECRET_LENGTH) return value as string;
  const allowed = `${MIN_CLIENT_SECRET_LENGTH} to ${MAX_CLIENT_SECRET_LENGTH}`;
  throw new ProtocolError(
    ProtocolErrorCode.FrameMalformed,
    `${path} must have ${allowed} characters, got ${length}`,
  );
}

const asHello: Check<Hello> = asObject<Hello>({
  name: asString,
  maxFrameBytes: asInteger,
  credentials: asAnything,
  agent: asOptional(asString),
  clientSecret: asOptional(asClientSecret),
  attempt: asOptional(asPosition),
  features: asOptional(asArray(asString)),
  resume: asOptional(
    asObject<NonNullable<Hello['resume']>>({
      session: asString,
      secret: asString,
      epoch: asString,
      rooms: asArray(asObject<RoomPosition>({ room: asString, after: asPosition })),
      inbox: asPosition,
    }),
  ),
});

/** @throws ProtocolError `ERR_PROTOCOL_FRAME_MALFORMED` when a field has the wrong type, with its path */
export function checkHello(hello: Hello): void {
  asHello(hello, 'hello');
}
