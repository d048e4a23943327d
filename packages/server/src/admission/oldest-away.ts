/**
 * Who makes room when an address has too many sessions: the oldest of its own that is away. (Of a full server, see
 * `silent-lines.ts`.)
 */
import { NoticeKind } from '@chat/protocol/frames';
import { addressKey } from '../limits/addresses/address-blocks.js';
import type { Session } from '../session/session.js';

/** Ends the oldest session of those that are away, of `address`; false when none is. */
export function endOldestAway(sessions: Iterable<Session>, address: string): boolean {
  const key = addressKey(address);
  for (const session of sessions) {
    if (session.peer || addressKey(session.info.address) !== key) continue;
    session.end(NoticeKind.Gone);
    return true;
  }
  return false;
}
