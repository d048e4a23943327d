/** The welcome of a session: who it is, how it comes back, what it may do. */
import { encodeFrame, FrameType, type Joined, PROTOCOL_VERSION, type Welcome } from '@chat/protocol/frames';
import { deviceOf, userOf } from '../log/state/session-number.js';
import type { SessionContext } from '../session/context.js';
import type { Session } from '../session/session.js';

/** What a welcome says of the server. */
export type WelcomeContext = Pick<SessionContext, 'options' | 'log' | 'maxMessageBytes'>;

/**
 * @param secret shared with the client only: the log has its hash
 * @param inboxStart position after which direct messages are streamed
 * @param joined the rooms that a resumed session is in; `undefined` for a new one
 */
export function welcomeOf(
  context: WelcomeContext,
  session: Session,
  secret: string,
  inboxStart: number,
  joined: readonly Joined[] | undefined,
): Welcome {
  const { options, log, maxMessageBytes } = context;
  return {
    version: PROTOCOL_VERSION,
    session: session.id,
    secret,
    epoch: log.epoch,
    member: { id: userOf(session.memberId), name: session.name },
    ...(deviceOf(session.memberId) === 0 ? {} : { device: deviceOf(session.memberId) }),
    inbox: { handle: session.inboxHandle, start: inboxStart },
    limits: {
      maxFrameBytes: options.maxFrameBytes,
      maxMessageBytes,
      maxSignalBytes: options.maxSignalBytes,
      maxInFlight: options.maxInFlight,
      maxRoomsPerSession: Number.isFinite(options.maxRoomsPerSession)
        ? options.maxRoomsPerSession
        : Number.MAX_SAFE_INTEGER,
      idleTimeoutMs: options.idleTimeoutMs,
      resumeWindowMs: options.resumeWindowMs,
    },
    resumed: joined !== undefined,
    lastPublishId: session.lastPublishId,
    rooms: joined ?? [],
    agent: options.agent,
  };
}

/** Whether it can be told in one frame. */
export function fitsIntoFrame({ options }: WelcomeContext, welcome: Welcome): boolean {
  return encodeFrame({ type: FrameType.Welcome, welcome }).length <= options.maxFrameBytes;
}
