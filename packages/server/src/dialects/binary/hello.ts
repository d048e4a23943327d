/**
 * The first frame of a stranger: JSON whose fields are checked before any of them is used.
 */
import { ProtocolError, ProtocolErrorCode } from '@chat/protocol';
import type { Hello } from '@chat/protocol/frames';

/** Short enough to be kept with each session, long enough not to be guessed. */
const MIN_CLIENT_SECRET_LENGTH = 16;
const MAX_CLIENT_SECRET_LENGTH = 64;

/** @throws ProtocolError `ERR_PROTOCOL_FRAME_MALFORMED` when a field has the wrong type */
export function checkHello(hello: Hello): void {
  const { name, maxFrameBytes, agent, resume, clientSecret, attempt } = hello as {
    [Key in keyof Hello]: unknown;
  };
  const fine =
    typeof name === 'string' &&
    Number.isInteger(maxFrameBytes) &&
    (agent === undefined || typeof agent === 'string') &&
    (clientSecret === undefined || isClientSecret(clientSecret)) &&
    (attempt === undefined || isPosition(attempt)) &&
    (resume === undefined || isResume(resume as Record<string, unknown>));
  if (!fine) throw new ProtocolError(ProtocolErrorCode.FrameMalformed, 'the hello has a wrong shape');
}

function isClientSecret(value: unknown): boolean {
  return (
    typeof value === 'string' &&
    value.length >= MIN_CLIENT_SECRET_LENGTH &&
    value.length <= MAX_CLIENT_SECRET_LENGTH
  );
}

function isResume(resume: Record<string, unknown> | null): boolean {
  return (
    typeof resume === 'object' &&
    resume !== null &&
    typeof resume.session === 'string' &&
    typeof resume.secret === 'string' &&
    typeof resume.epoch === 'string' &&
    isPosition(resume.inbox) &&
    Array.isArray(resume.rooms) &&
    resume.rooms.every(
      (position: unknown) =>
        typeof position === 'object' &&
        position !== null &&
        typeof (position as { room?: unknown }).room === 'string' &&
        isPosition((position as { after?: unknown }).after),
    )
  );
}

/** A seq has 48 bits on the wire. */
function isPosition(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) < 2 ** 48;
}
