/**
 * A room: its log, and a cursor for each member. An inbox is a room with one reader and no name.
 */
import type { Member as ListedMember } from '@chat/protocol';
import { ByteLog, Chunk, type Cursor, type Retention, type StartingPoint } from '../log/byte-log.js';
import type { LogShare } from '../log/log-budget.js';
import { userOf } from '../log/state/session-number.js';
import { Pace } from './pace.js';

/** A member as its rooms see it: a name, and a connection that takes entries, unless it is away. */
export interface Member {
  readonly memberId: number;
  readonly name: string;
  /** The connection, `undefined` while the member is away. */
  readonly peer: EntryReceiver | undefined;
  /** It fell behind what the log holds. */
  lagged(membership: Membership): void;
}

/** A connection to which entries are delivered. */
export interface EntryReceiver {
  /** Sends the entries between the membership's cursor and the end, as far as the socket takes them. */
  deliver(membership: Membership): void;
  /** Sends the answers of this turn. */
  flush(): void;
  /** Passes on an encoded signal frame, unless bytes are unsent. */
  signal(frame: Uint8Array): void;
}

const RETIRED = new Chunk(0, 0, 0);

/** The sessions that are in a room, as the state has them. */
export interface Crowd {
  /** Position at which each came in, by number, in the order of joining. */
  readonly members: ReadonlyMap<number, number>;
  /** How many of them are of a user of whom another one is here. */
  readonly further: number;
}

const NOBODY: Crowd = { members: new Map(), further: 0 };

/** One member in one room; is itself the cursor of that member. */
export class Membership implements Cursor {
  readonly member: Member;
  readonly room: Room;
  /** Position of the notice that made the session a member; orders the list of members. */
  readonly joinedSeq: number;
  chunk: Chunk;
  offset: number;
  /** Present while something older than the heap is brought for it; see `Recall`. */
  recall: { delivered(): void } | undefined = undefined;

  constructor(member: Member, room: Room, joinedSeq: number, point: StartingPoint) {
    this.member = member;
    this.room = room;
    this.joinedSeq = joinedSeq;
    this.chunk = point.chunk;
    this.offset = point.offset;
  }

  moveTo(point: Cursor): void {
    this.recall = undefined;
    this.chunk = point.chunk;
    this.offset = point.offset;
  }

  /** Puts the cursor where nothing comes any more. */
  retire(): void {
    this.recall = undefined;
    this.chunk = RETIRED;
    this.offset = 0;
  }

  get isRetired(): boolean {
    return this.chunk === RETIRED;
  }

  /** Whether entries that this member has not been sent are gone. */
  get lagged(): boolean {
    const { chunk, offset } = this;
    if (!chunk.dropped) return false;
    if (offset < chunk.used) return true;
    // It has read what was dropped here, but perhaps not what was dropped behind it.
    let { next } = chunk;
    while (next?.dropped && next.used === 0) next = next.next;
    return next?.dropped === true;
  }
}

/** Whether there is something that the member has not been sent. */
export function isBehind({ chunk, offset, recall }: Membership): boolean {
  return offset < chunk.used || chunk.next !== undefined || recall !== undefined;
}

/** A part of the members of a room. */
export interface MembersPage {
  readonly members: ListedMember[];
  /** Where the next page begins; absent when there is none. */
  readonly cursor?: number;
}

/** Delivers early once this part of the retention is undelivered. */
const UNSENT_PER_BOUND = 4;

export class Room {
  /** As the first member wrote it. */
  readonly name: string;
  readonly key: string;
  /** Number in frames; never used again in this epoch. */
  readonly handle: number;
  readonly log: ByteLog;
  /** Those whose session this process holds, by member id. */
  readonly members: Map<number, Membership> = new Map();
  readonly #state: Crowd;
  /** Address of the member that made it. */
  readonly maker: string;
  /** Whose bytes its history is. */
  readonly share: LogShare | undefined;
  #pace: Pace | undefined;
  /** Those on their way through the log, who are not members yet. */
  joining = 0;
  /** Whether fan-out knows already that there is something new. */
  dirty = false;
  /** Whether fan-out will come by in any case, later. */
  waiting = false;
  /** What was appended since fan-out came by. */
  unsentBytes = 0;
  unsentEntries = 0;
  readonly #maxUnsentBytes: number;
  readonly #maxUnsentEntries: number;

  /**
   * @param floor see {@link ByteLog}
   * @param maker address of the member that makes it
   * @param share whose bytes its history is
   * @param state who is in it, whichever process holds the sessions
   */
  constructor(
    name: string,
    key: string,
    handle: number,
    retention: Retention,
    floor = 0,
    maker = '',
    share?: LogShare,
    state: Crowd = NOBODY,
  ) {
    this.name = name;
    this.key = key;
    this.handle = handle;
    this.maker = maker;
    this.share = share;
    this.#state = state;
    this.log = new ByteLog(handle, retention, floor, share);
    this.#maxUnsentBytes = retention.maxBytes / UNSENT_PER_BOUND;
    this.#maxUnsentEntries = retention.maxEntries / UNSENT_PER_BOUND;
  }

  /** All sessions that are in it, in the order of joining, with the position at which each came in. */
  get everybody(): ReadonlyMap<number, number> {
    return this.#state.members;
  }

  /** How many users are in it, each counted once. */
  get memberCount(): number {
    return this.#state.members.size - this.#state.further;
  }

  /** When members have said something, for a slow mode; made when there is one. */
  get pace(): Pace {
    this.#pace ??= new Pace();
    return this.#pace;
  }

  /** Whether nobody is in it, nor on the way. */
  get isEmpty(): boolean {
    return this.everybody.size === 0 && this.joining === 0;
  }

  /**
   * Whether fan-out must not wait for the end of the turn: what one turn brings in can exceed what the log holds,
   * and readers who were given no chance to read would count as slow.
   */
  get isFilling(): boolean {
    return this.unsentBytes > this.#maxUnsentBytes || this.unsentEntries > this.#maxUnsentEntries;
  }

  /**
   * Up to `limit` users who joined after the cursor, in the order of joining, as far as their JSON stays within
   * `maxBytes`. One with several sessions here is listed where the first of them came in.
   *
   * @param nameOf the name of a member; one that has none is passed over
   */
  listMembers(
    nameOf: (memberId: number) => string | undefined,
    limit: number,
    maxBytes: number,
    after = 0,
  ): MembersPage {
    const members: ListedMember[] = [];
    let last = after;
    let bytes = 0;
    const listed = this.#state.further > 0 ? new Set<number>() : undefined;
    for (const [number, joinedSeq] of this.everybody) {
      const id = userOf(number);
      if (listed?.has(id)) continue;
      listed?.add(id);
      if (joinedSeq <= after) continue;
      const name = nameOf(number);
      if (name === undefined) continue;
      const member = { id, name };
      bytes += Buffer.byteLength(JSON.stringify(member)) + 1;
      if (members.length === limit || bytes > maxBytes) return { members, cursor: last };
      members.push(member);
      last = joinedSeq;
    }
    return { members };
  }
}
