/**
 * The direct messages to one user: a room without a name, read by each of the user's sessions. It is made when the first
 * of them arrives, and goes away with the user.
 *
 * While all sessions are away they wait, and none of them makes room for another: what is too much is refused.
 */
import { type Failure, FailureCode } from '@chat/protocol';
import type { Joined } from '@chat/protocol/frames';
import type { Retention } from '../../log/byte-log.js';
import { inboxKey } from '../../log/entry.js';
import { userOf } from '../../log/state/session-number.js';
import type { ResolvedOptions } from '../../options/options.js';
import type { FanOut } from '../../room/fan-out.js';
import { type Member, Membership, Room } from '../../room/room.js';
import type { Rooms } from '../../room/rooms.js';
import { startingPoint } from '../../room/starting-point.js';

/** Inbox handles live above the handles of rooms. */
const INBOX_HANDLE = 0x8000_0000;

/** The room handle under which the sessions of a user get their direct messages. */
export function inboxHandle(user: number): number {
  return INBOX_HANDLE + user;
}

/** What an inbox needs of the server. */
export interface InboxContext {
  readonly options: Pick<ResolvedOptions, 'inboxBytes' | 'inboxEntries' | 'inboxMs'>;
  readonly log: { readonly epoch: string };
  readonly rooms: Pick<Rooms, 'share' | 'budget'>;
  readonly fanOut: FanOut;
  readonly counters: { gapsTold: number };
}

export class Inbox {
  readonly #context: InboxContext;
  readonly room: Room;
  readonly #retention: Retention;
  /** Direct messages on their way through the log, which are to wait here. */
  #expectedBytes = 0;
  #expectedEntries = 0;

  /**
   * @param address whose bytes they are
   * @param floor position up to which messages may have been that are not held
   */
  constructor(context: InboxContext, user: number, address: string, floor: number) {
    const { inboxBytes: maxBytes, inboxEntries: maxEntries, inboxMs: maxAgeMs } = context.options;
    this.#context = context;
    this.#retention = { maxBytes, maxEntries, maxAgeMs };
    const key = inboxKey(user);
    const share = context.rooms.share(address, key);
    this.room = new Room('', key, inboxHandle(user), this.#retention, floor, '', share);
  }

  /** A session reads from here on what arrives. */
  enter(session: Member): Membership {
    const membership = new Membership(session, this.room, 0, this.room.log.end());
    this.room.members.set(session.memberId, membership);
    return membership;
  }

  /** Keeps space for a message of `bytes` that is to wait; or says why there is none. */
  expect(bytes: number): Failure | undefined {
    const { maxBytes, maxEntries } = this.#retention;
    // It waits for the first of the sessions that comes back; one that has read less is told of a gap.
    const unread = { bytes: Number.POSITIVE_INFINITY, entries: Number.POSITIVE_INFINITY };
    for (const membership of this.room.members.values()) {
      const { bytes: size, entries } = this.room.log.unread(membership);
      if (entries < unread.entries) Object.assign(unread, { bytes: size, entries });
    }
    if (this.room.members.size === 0) Object.assign(unread, { bytes: 0, entries: 0 });
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

  /** Puts the cursor of a session back to what its client has; answers what of it is no longer held. */
  comeBack(membership: Membership, after: number): Joined['gap'] {
    const { log } = this.room;
    const { point, gap } = startingPoint(this.room, { after }, log.lastSeq, this.#context.log.epoch);
    membership.moveTo(point);
    if (gap) this.#context.counters.gapsTold++;
    this.#context.fanOut.markMemberDirty(membership);
    return gap;
  }

  /** Drops everything. */
  clear(): void {
    this.room.log.clear();
    if (this.room.share) this.#context.rooms.budget.close(this.room.share);
  }
}

/** The inboxes of all users who have one, whichever processes hold their sessions. */
export class Inboxes {
  readonly #context: InboxContext;
  readonly #byUser = new Map<number, Inbox>();

  constructor(context: InboxContext) {
    this.#context = context;
  }

  /** The inbox of the user of a session, `undefined` while nothing ever arrived there. */
  find(session: number): Inbox | undefined {
    return this.#byUser.get(userOf(session));
  }

  /**
   * The same, made if need be.
   *
   * @param address whose bytes they are
   * @param floor position up to which nothing can be said of it
   */
  open(session: number, address: string, floor = 0): Inbox {
    const user = userOf(session);
    let inbox = this.#byUser.get(user);
    if (!inbox) {
      inbox = new Inbox(this.#context, user, address, floor);
      this.#byUser.set(user, inbox);
    }
    return inbox;
  }

  /** A user is gone. */
  ended(user: number): void {
    this.#byUser.get(user)?.clear();
    this.#byUser.delete(user);
  }

  /** All of them, by the id of the user. */
  [Symbol.iterator](): IterableIterator<[number, Inbox]> {
    return this.#byUser.entries();
  }

  /** Drops messages that are too old. To be called now and then. */
  expire(now: number): void {
    for (const { room } of this.#byUser.values()) room.log.expire(now);
  }
}

function full(what: string, max: number): Failure {
  return { code: FailureCode.InboxFull, message: `away, and no more than ${what} wait`, max };
}
