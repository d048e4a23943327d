/**
 * The direct messages to one member: a room without a name and with one reader. It is made when the first of them
 * arrives, and goes away with the session.
 */
import type { Joined } from '@chat/protocol';
import type { Chat } from './chat.js';
import { inboxKey } from './log/event-log.js';
import { startingPoint } from './memberships.js';
import { Membership, Room } from './room.js';
import type { Session } from './session.js';

/** Inbox handles live above the handles of rooms. */
const INBOX_HANDLE = 0x8000_0000;

/** The room handle under which a member gets its direct messages. */
export function inboxHandle(memberId: number): number {
  return INBOX_HANDLE + memberId;
}

export class Inbox {
  readonly #chat: Chat;
  readonly room: Room;
  /** The cursor of its reader. */
  readonly membership: Membership;

  constructor(chat: Chat, session: Session) {
    const { inboxBytes, retentionEntries, retentionMs } = chat.options;
    const { memberId } = session;
    this.#chat = chat;
    this.room = new Room('', inboxKey(memberId), inboxHandle(memberId), {
      maxBytes: inboxBytes,
      maxEntries: retentionEntries,
      maxAgeMs: retentionMs,
    });
    this.membership = new Membership(session, this.room, 0, this.room.log.end());
    this.room.members.set(memberId, this.membership);
  }

  /** Puts the cursor back to what the client has; answers what of it is no longer held. */
  comeBack(after: number): Joined['gap'] {
    const { log } = this.room;
    const { point, gap } = startingPoint(this.room, { after }, log.lastSeq, this.#chat.log.epoch);
    this.membership.moveTo(point);
    if (gap) this.#chat.counters.gapsTold++;
    this.#chat.fanOut.touch(this.room);
    return gap;
  }

  /** Drops messages that are too old. */
  expire(now: number): void {
    const before = this.room.log.bytes;
    this.room.log.expire(now);
    this.#chat.rooms.account(this.room, before);
  }

  /** Drops everything. */
  clear(): void {
    const before = this.room.log.bytes;
    this.room.log.clear();
    this.#chat.rooms.account(this.room, before);
  }
}
