/** Tells the other sessions of a user how far it has read; each process those that it holds. */
import type { Outcome } from '../../log/state/outcome.js';
import { userOf } from '../../log/state/session-number.js';
import { isTalk } from '../../log/state/users/read-positions.js';
import type { SessionContext } from '../context.js';

export function tellRead(
  { sessions, rooms }: Pick<SessionContext, 'sessions' | 'rooms'>,
  { session, reads }: Extract<Outcome, { kind: 'read' }>,
): void {
  for (const { memberId } of sessions.ofUser(userOf(session.memberId))) {
    const other = memberId === session.memberId ? undefined : sessions.byMember(memberId);
    if (!other?.peer?.toldRead) continue;
    for (const [place, read] of reads) {
      const room = rooms.byKey(place);
      if (isTalk(place)) other.peer.toldRead({ user: place.slice(1), read });
      else if (room && other.rooms.has(room.handle)) other.peer.toldRead({ room: room.name, read });
    }
  }
}
