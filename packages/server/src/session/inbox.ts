/**
 * The direct messages to one member: a room without a name and with one reader. It is made when the first of them
 * arrives, and goes away with the session.
 */
import type { Joined } from '@chat/protocol/frames';
import { inboxKey } from '../log/entry.js';
import { Membership, Room } from '../room/room.js';
import { startingPoint } from '../room/starting-point.js';
import type { SessionContext, SessionPerson } from './context.js';

/** Inbox handles live above the handles of rooms. */
const INBOX_HANDLE = 0x8000_0000;

/** The room handle under which a member gets its direct messages. */
export function inboxHandle(memberId: number): number {
  return INBOX_HANDLE + memberId;
}

/** What an inbox needs of the server. */
export type InboxContext = Pick<SessionContext, 'options' | 'log' | 'rooms' | 'fanOut' | 'counters'>;

export class Inbox {
  readonly #context: InboxContext;
  readonly room: Room;
  /** The cursor of its reader. */
  readonly membership: Membership;

  constructor(context: InboxContext, session: SessionPerson) {
    const { inboxBytes, retentionEntries, retentionMs } = context.options;
    const { memberId } = session;
    this.#context = context;
    const share = context.rooms.share(session.info.address, inboxKey(memberId));
    const retention = { maxBytes: inboxBytes, maxEntries: retentionEntries, maxAgeMs: retentionMs };
    this.room = new Room('', inboxKey(memberId), inboxHandle(memberId), retention, 0, '', share);
    this.membership = new Membership(session, this.room, 0, this.room.log.end());
    this.room.members.set(memberId, this.membership);
  }

  /** Puts the cursor back to what the client has; answers what of it is no longer held. */
  comeBack(after: number): Joined['gap'] {
    const { log } = this.room;
    const { point, gap } = startingPoint(this.room, { after }, log.lastSeq, this.#context.log.epoch);
    this.membership.moveTo(point);
    if (gap) this.#context.counters.gapsTold++;
    this.#context.fanOut.markMemberDirty(this.membership);
    return gap;
  }

  /** Drops messages that are too old. */
  expire(now: number): void {
    this.room.log.expire(now);
  }

  /** Drops everything. */
  clear(): void {
    this.room.log.clear();
    if (this.room.share) this.#context.rooms.budget.close(this.room.share);
  }
}
