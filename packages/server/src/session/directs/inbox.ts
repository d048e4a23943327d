/**
 * The direct messages to one member: a room without a name and with one reader. It is made when the first of them
 * arrives, and goes away with the session.
 *
 * While the member is away they wait, and none of them makes room for another: what is too much is refused.
 */
import { type Failure, FailureCode } from '@chat/protocol';
import type { Joined } from '@chat/protocol/frames';
import type { Retention } from '../../log/byte-log.js';
import { inboxKey } from '../../log/entry.js';
import { Membership, Room } from '../../room/room.js';
import { startingPoint } from '../../room/starting-point.js';
import type { SessionContext, SessionPerson } from '../context.js';

/** Inbox handles live above the handles of rooms. */
const INBOX_HANDLE = 0x8000_0000;

/** The room handle under which a member gets its direct messages. */
export function inboxHandle(memberId: number): number {
  return INBOX_HANDLE + memberId;
}

/** What an inbox needs of the server. */
export type InboxContext = Pick<SessionContext, 'options' | 'log' | 'rooms' | 'fanOut' | 'counters'>;

/** The room in which direct messages to a member are kept. */
export function inboxRoom(context: InboxContext, memberId: number, address: string, floor = 0): Room {
  const share = context.rooms.share(address, inboxKey(memberId));
  const retention = inboxRetention(context);
  return new Room('', inboxKey(memberId), inboxHandle(memberId), retention, floor, '', share);
}

function inboxRetention({ options }: InboxContext): Retention {
  return { maxBytes: options.inboxBytes, maxEntries: options.inboxEntries, maxAgeMs: options.inboxMs };
}

export class Inbox {
  readonly #context: InboxContext;
  readonly room: Room;
  /** The cursor of its reader. */
  readonly membership: Membership;
  readonly #retention: Retention;
  /** Direct messages on their way through the log, which are to wait here. */
  #expectedBytes = 0;
  #expectedEntries = 0;

  /**
   * @param floor position up to which messages may have been that are not held
   * @param room where messages came before, as long as another process held the session
   */
  constructor(context: InboxContext, session: SessionPerson, floor = 0, room?: Room) {
    const { memberId } = session;
    this.#context = context;
    this.#retention = inboxRetention(context);
    this.room = room ?? inboxRoom(context, memberId, session.info.address, floor);
    this.membership = new Membership(session, this.room, 0, this.room.log.end());
    this.room.members.set(memberId, this.membership);
  }

  /** Keeps space for a message of `bytes` that is to wait; or says why there is none. */
  expect(bytes: number): Failure | undefined {
    const { maxBytes, maxEntries } = this.#retention;
    const unread = this.room.log.unread(this.membership);
    if (unread.entries + this.#expectedEntries + 1 > maxEntries)
      return full(`${maxEntries} messages`, maxEntries);
    if (unread.bytes + this.#expectedBytes + bytes > maxBytes) return full(`${maxBytes} bytes`, maxBytes);
    this.#expectedBytes += bytes;
    this.#expectedEntries++;
    return undefined;
  }

  /** A message that was expected is here, or does not come. */
  arrived(bytes: number): void {
    this.#expectedBytes -= bytes;
    this.#expectedEntries--;
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

function full(what: string, max: number): Failure {
  return { code: FailureCode.InboxFull, message: `away, and no more than ${what} wait`, max };
}
