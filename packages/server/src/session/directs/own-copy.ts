/**
 * What a user has told somebody appears on its other sessions as well: a notice in its own inbox, behind the message. One that
 * comes to nothing has none.
 */
import { encodeSent, entryBytes, FrameType, NoticeKind } from '@chat/protocol/frames';
import { inboxKey, type LogEntry } from '../../log/entry.js';
import { userOf } from '../../log/state/session-number.js';
import type { SessionContext, SessionPerson } from '../context.js';

const NOTHING = new Uint8Array(0);

/** @param message that was told to the user called `to` */
export function copyToOwnSessions(
  { sessions, steady, options }: Pick<SessionContext, 'sessions' | 'steady' | 'options'>,
  session: SessionPerson,
  { room, codec, body, at, sender }: LogEntry,
  to: string,
): void {
  const own = inboxKey(userOf(sender));
  if (room === own || sessions.ofUser(userOf(sender)).length < 2) return;
  const sent = encodeSent({ codec, to: Buffer.from(to), body });
  const isSmall = entryBytes(session.nameBytes.length, sent.length) <= options.maxFrameBytes;
  steady.append({
    room: own,
    type: FrameType.Notice,
    codec: 0,
    kind: NoticeKind.Sent,
    sender,
    // Its readers know it: it gives way where a message is as large as it may be.
    name: isSmall ? session.nameBytes : NOTHING,
    body: sent,
    at,
    publishId: 0,
    origin: undefined,
  });
}
