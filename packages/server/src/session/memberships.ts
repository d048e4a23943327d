/**
 * The rooms of one session: how it joins and leaves them, and where its cursor stands in each.
 *
 * Coming, going and renaming go into the log first and take effect when they come back from there, so that every
 * member sees them at the same place. What is said about a room to its member, the answer to a join and the
 * stream behind it, is one consistent read.
 */
import { type Failure, FailureCode, roomKey, roomNameProblem } from '@chat/protocol';
import { FrameType, type Joined, NoticeKind } from '@chat/protocol/frames';
import { Price } from '../limits/prices.js';
import type { Draft, Origin } from '../log/entry.js';
import { MAX_HISTORY_BYTES } from '../log/history.js';
import { Recall } from '../room/recall.js';
import { Membership, type Room } from '../room/room.js';
import { type JoinOptions, startingPoint } from '../room/starting-point.js';
import type { SessionContext, SessionPerson } from './context.js';
import type { Answer } from './peer.js';
import { describeRules, joinRefusal } from './room-rules.js';

/** Members that are named in the answer to a join; the rest is paged. */
const JOINED_MEMBERS = 64;
/** What the rest of that answer takes at the most. */
const JOINED_BYTES = 2048;

const NOTHING = new Uint8Array(0);
const FORGOTTEN = Symbol('the room is not there any more');

/** How a member goes: by itself, or because its connection broke for good. */
export type Leaving = typeof NoticeKind.Left | typeof NoticeKind.Gone;

/** A room that was made, or why it was not. */
type Made = Room | { readonly failure: Failure };

/** What being in rooms needs of the server. */
export type MembershipsContext = Pick<
  SessionContext,
  'options' | 'log' | 'steady' | 'rooms' | 'rules' | 'reads' | 'fanOut' | 'sessions' | 'counters' | 'refusals'
>;

export class Memberships {
  readonly #context: MembershipsContext;
  readonly #session: SessionPerson;
  /** By handle of the room. */
  readonly all: Map<number, Membership> = new Map();
  /** Joins on their way through the log, by room key. */
  #joining: Map<string, Promise<unknown>> | undefined;
  /** Leavings on their way through the log. */
  #leaving: Map<Membership, Promise<void>> | undefined;

  constructor(context: MembershipsContext, session: SessionPerson) {
    this.#context = context;
    this.#session = session;
  }

  /**
   * Joins a room, or goes on in it from another position.
   *
   * @param onJoined told the answer before anything that follows from it: no entry of the room can overtake it
   */
  async join(
    roomName: string,
    wish: JoinOptions,
    onJoined?: (joined: Joined) => void,
  ): Promise<Answer<'join'>> {
    const problem = roomNameProblem(roomName);
    if (problem) return failed(FailureCode.RoomInvalid, problem);
    const { maxRoomsPerSession, hooks } = this.#context.options;
    const { peer } = this.#session;
    // Whoever asked does not hear of it any more: a client asks again over its next connection, or not at all.
    const isGone = (): boolean => this.#session.ended || this.#session.peer !== peer;
    const answer = hooks.authorize ? await hooks.authorize(this.#session.info, 'join', roomName) : true;
    if (!answer) {
      return failed(FailureCode.Forbidden, `not allowed to join ${roomName}`);
    }
    const refusal = joinRefusal(this.#context, this.#session, roomName, answer === 'allow');
    if (refusal) return { failure: refusal };
    // At once where the heap has it all: what is asked meanwhile finds things as they are now.
    const reaching = this.#reachingBack(roomName, wish);
    const options = reaching instanceof Promise ? await reaching : reaching;
    // One that an earlier connection asked for is waited for, and then undone.
    for (let underway = this.#underway(roomName); underway; underway = this.#underway(roomName))
      await underway;
    if (isGone()) return failed(FailureCode.Internal, 'the connection has ended');
    const known = this.#context.rooms.find(roomName);
    const current = known && this.all.get(known.handle);
    if (current) {
      const joined = this.#goBack(current, options);
      onJoined?.(joined);
      return joined;
    }
    this.#joining ??= new Map();
    const joining = this.#joining;
    // Before the room is made: who may not join it must not fill the server with rooms.
    if (this.all.size + joining.size >= maxRoomsPerSession) {
      this.#tell('maxRoomsPerSession', `a session wanted to be in more than ${maxRoomsPerSession} rooms`);
      return tooMany(FailureCode.TooManyRooms, `already in ${maxRoomsPerSession} rooms`, maxRoomsPerSession);
    }
    if (this.#context.rooms.looksLikeAnother(roomName)) {
      return failed(FailureCode.RoomInvalid, `${roomName} looks like the name of another room`);
    }
    // From here on it counts as one of its rooms, and whoever wants to join it again waits.
    const key = roomKey(roomName);
    let settled!: () => void;
    joining.set(
      key,
      new Promise<void>((resolve) => {
        settled = resolve;
      }),
    );
    try {
      for (let there = known; ; there = undefined) {
        const making = there ?? this.#makeRoom(roomName);
        const room = making instanceof Promise ? await making : making;
        if ('failure' in room) return room;
        const answer = await this.#enter(room, options, isGone, onJoined);
        // The log forgot the room while the member was on its way.
        if (answer !== FORGOTTEN) return answer;
      }
    } finally {
      joining.delete(key);
      if (joining.size === 0) this.#joining = undefined;
      settled();
    }
  }

  /** Becomes a member of a room, once the log says so. */
  #enter(
    room: Room,
    options: JoinOptions,
    isGone: () => boolean,
    onJoined: ((joined: Joined) => void) | undefined,
  ): Answer<'join'> | Promise<Answer<'join'> | typeof FORGOTTEN> {
    const { maxMembersPerRoom } = this.#context.options;
    if (isGone()) return failed(FailureCode.Internal, 'the connection has ended');
    // Those who are on their way through the log count: several may be at a time.
    if (room.everybody.size + room.joining >= maxMembersPerRoom) {
      const message = `${room.name} has ${maxMembersPerRoom} members`;
      this.#tell('maxMembersPerRoom', `a room has ${maxMembersPerRoom} members: nobody else can join it`);
      return tooMany(FailureCode.RoomFull, message, maxMembersPerRoom);
    }
    let resolve!: (answer: Answer<'join'> | typeof FORGOTTEN) => void;
    const answer = new Promise<Answer<'join'> | typeof FORGOTTEN>((settle) => {
      resolve = settle;
    });
    room.joining++;
    this.#notice(room, NoticeKind.Joined, {
      refused: (failure) => {
        room.joining--;
        this.#context.rooms.release(room);
        resolve({ failure });
      },
      appended: (entry, outcome) => {
        room.joining--;
        const isFirst = outcome.kind === 'joined';
        if (!isFirst && outcome.kind !== 'also-joined') {
          this.#context.rooms.release(room);
          if (outcome.kind === 'void' && outcome.reason === 'no-such-room') resolve(FORGOTTEN);
          else resolve(failed(FailureCode.Internal, `${room.name} cannot be joined now`));
          return;
        }
        if (isGone()) {
          // It went while the log thought about it: whoever saw it come has to see it go.
          this.#tellSurely(room, NoticeKind.Left);
          this.#context.rooms.release(room);
          resolve(failed(FailureCode.Internal, 'the connection has ended'));
          return;
        }
        // The notice of its own coming is no history; where another session of its user is here, there is none.
        const head = isFirst ? room.log.previousSeq : room.log.lastSeq;
        const membership = new Membership(this.#session, room, entry.seq, room.log.end());
        this.all.set(room.handle, membership);
        room.members.set(this.#session.memberId, membership);
        const joined = this.#begin(membership, options, head);
        onJoined?.(joined);
        resolve(joined);
        this.#context.sessions.roomJoined(this.#session, room.name);
      },
    });
    return answer;
  }

  /** Is in a room as it was before the server was started again. */
  recover(room: Room, joinedSeq: number): void {
    const membership = new Membership(this.#session, room, joinedSeq, room.log.end());
    this.all.set(room.handle, membership);
    room.members.set(this.#session.memberId, membership);
  }

  /** The membership in the room of that name. */
  find(roomName: string): Membership | undefined {
    const room = this.#context.rooms.find(roomName);
    return room && this.all.get(room.handle);
  }

  /** Resolved when nothing of a room that it is being taken from is under way any more. */
  async left(roomName: string): Promise<void> {
    const room = this.#context.rooms.find(roomName);
    for (const [membership, done] of this.#leaving ?? []) if (membership.room === room) await done;
  }

  /** The session is not held here any more: nothing is sent to it from here. */
  retire(): void {
    for (const [handle, membership] of this.all) {
      const { room } = membership;
      if (room.members.get(this.#session.memberId) === membership)
        room.members.delete(this.#session.memberId);
      membership.retire();
      this.all.delete(handle);
    }
  }

  /**
   * Leaves because its user wants to; nothing of the room is sent to the member once `onLeft` is called. Where the log
   * cannot take it now the member stays in the room, and the answer says why.
   */
  leave(membership: Membership, onLeft: () => void): Promise<Failure | undefined> {
    return new Promise((resolve) => {
      const left = this.#beginLeaving(membership, () => {
        onLeft();
        resolve(undefined);
      });
      const refused = (failure: Failure): void => {
        if (this.#session.ended || membership.isRetired) {
          // Its client does not know any more that it is here, and will not try again.
          this.#tellSurely(membership.room, NoticeKind.Left, left);
        } else {
          this.#leaving?.delete(membership);
          this.all.set(membership.room.handle, membership);
        }
        resolve(failure);
      };
      this.#notice(membership.room, NoticeKind.Left, { appended: left, refused });
    });
  }

  /** Goes, whether or not the log can take it now: others see it here until then. */
  go(membership: Membership, kind: Leaving): void {
    this.#tellSurely(membership.room, kind, this.#beginLeaving(membership));
  }

  /** Is shown out: the last of the room that the member is sent is the notice of its own leaving. */
  evict(membership: Membership): void {
    const { room } = membership;
    const shownOut = this.#beginLeaving(membership);
    const left = (): void => {
      if (!membership.isRetired) this.#session.peer?.evict(membership);
      shownOut();
    };
    this.#tellSurely(room, NoticeKind.Left, left);
  }

  /** Tells every room that `oldName` has another name now. */
  renamed(oldName: Uint8Array): void {
    for (const { room } of this.all.values()) {
      const notice = this.#draft(room, NoticeKind.Renamed, undefined, oldName, this.#session.nameBytes);
      this.#context.steady.append(notice);
    }
  }

  /** Puts the cursors back to what the client has, by room key; describes the rooms as they are streamed from now on. */
  comeBack(positions: ReadonlyMap<string, number>): Joined[] {
    // What its client is not told of here it is not in any more, and gets nothing of.
    for (const membership of this.#leaving?.keys() ?? []) membership.retire();
    return [...this.all.values()].map((membership) => {
      const after = positions.get(membership.room.key);
      // Without a position its client does not know that it is here, and leaves, or joins again.
      return this.#goOn(membership, after === undefined ? {} : { after });
    });
  }

  /** Goes on from where a member of the room has asked to, unless the stream has not come that far. */
  #goBack(membership: Membership, options: JoinOptions): Joined {
    const { log } = membership.room;
    const position = log.positionOf(membership);
    const isWish = options.after !== undefined || (options.history ?? 0) > 0;
    const { point, gap } = startingPoint(membership.room, options, log.lastSeq, this.#context.log.epoch);
    if (isWish && point.start < position) return this.#goOn(membership, options);
    return this.#joined(membership, position, log.lastSeq, gap && { ...gap, to: position });
  }

  /** Puts the cursor to where the client wants to go on, and describes the room as it is streamed then. */
  #goOn(membership: Membership, options: JoinOptions): Joined {
    return this.#begin(membership, options, membership.room.log.lastSeq);
  }

  /** A wish for more of the past than the heap holds, as the position where that begins in the store. */
  #reachingBack(roomName: string, wish: JoinOptions): JoinOptions | Promise<JoinOptions> {
    const room = this.#context.rooms.find(roomName);
    const { store } = this.#context.log;
    const missing = (wish.history ?? 0) - (room?.log.entries ?? 0);
    if (!room || !store || wish.after !== undefined || missing <= 0) return wish;
    const before = room.log.oldest().start + 1;
    return store.read(room.key, { before, limit: missing, maxBytes: MAX_HISTORY_BYTES }).then(
      ({ entries, previous }) => (entries.length === 0 ? wish : { after: previous }),
      // Who asks for it page by page is told why it cannot be read.
      () => wish,
    );
  }

  /** Begins the stream; where the heap does not reach back so far, in the store. */
  #begin(membership: Membership, options: JoinOptions, head: number): Joined {
    const { log, fanOut } = this.#context;
    const { point, gap } = startingPoint(membership.room, options, head, log.epoch);
    const isOfThisLife = options.epoch === undefined || options.epoch === log.epoch;
    const isRecalled = gap !== undefined && log.store !== undefined && isOfThisLife;
    if (isRecalled) {
      new Recall(this.#context, this.#session, membership, gap.from);
    } else {
      membership.moveTo(point);
      fanOut.markMemberDirty(membership);
    }
    this.#chargeStream(membership);
    return isRecalled
      ? this.#joined(membership, gap.from, head, undefined)
      : this.#joined(membership, point.start, head, gap);
  }

  #underway(roomName: string): Promise<unknown> | undefined {
    return this.#joining?.get(roomKey(roomName));
  }

  /** It may not speak in the room any more. What is returned takes it out, once the log says that it has left. */
  #beginLeaving(membership: Membership, after?: () => void): () => void {
    const { room } = membership;
    this.all.delete(room.handle);
    let done!: () => void;
    this.#leaving ??= new Map();
    this.#leaving.set(
      membership,
      new Promise((resolve) => {
        done = resolve;
      }),
    );
    return () => {
      this.#leaving?.delete(membership);
      // Not one that has come back while the log thought about it.
      const { memberId } = this.#session;
      if (room.members.get(memberId) === membership) room.members.delete(memberId);
      this.#context.rooms.release(room);
      after?.();
      done();
      this.#context.sessions.roomLeft(this.#session, room.name);
    };
  }

  /** Makes a room, or says which limit forbids it; at once where the log answers at once. */
  #makeRoom(roomName: string): Made | Promise<Made> {
    const { rooms, options } = this.#context;
    let made: Made | undefined;
    let settle = (answer: Made): void => {
      made = answer;
    };
    const refusal = rooms.make(
      roomName,
      this.#session.info.address,
      (room) => settle('code' in room ? { failure: room } : room),
      this.#session.memberId,
    );
    if (refusal !== undefined) {
      const max = options[refusal];
      const isByAddress = refusal === 'maxRoomsPerAddress';
      const told = isByAddress
        ? `an address has made ${max} rooms, and may not make more`
        : `the server has ${max} rooms: nobody can make another one`;
      this.#tell(refusal, told);
      const message = isByAddress ? `your address has made ${max} rooms` : `the server has ${max} rooms`;
      return tooMany(FailureCode.TooManyRooms, message, max);
    }
    if (made) return made;
    return new Promise((resolve) => {
      settle = resolve;
    });
  }

  /** Tells the operator which limit refused a join. */
  #tell(option: string, message: string): void {
    this.#context.refusals.refused(option, this.#session.info.address, message);
  }

  /** What follows from where its cursor stands is paid for in advance. */
  #chargeStream(membership: Membership): void {
    const kibibytes = Math.floor(membership.room.log.lagBytes(membership) / 1024);
    if (kibibytes > 0) this.#session.input.charge(kibibytes * Price.kibibyteStreamed);
  }

  #joined(membership: Membership, start: number, head: number, gap: Joined['gap']): Joined {
    const { room } = membership;
    const { account } = this.#session;
    const read = account === undefined ? undefined : this.#context.reads.find(account, room.key);
    if (gap) this.#context.counters.gapsTold++;
    const maxBytes = this.#context.options.maxFrameBytes - JOINED_BYTES;
    const { members } = this.#context.rooms.listMembers(room, JOINED_MEMBERS, maxBytes);
    return {
      room: room.name,
      handle: room.handle,
      start,
      head,
      members,
      memberCount: room.memberCount,
      ...(gap ? { gap } : {}),
      ...describeRules(this.#context.rules, this.#session, room.key),
      ...(read ? { read: read.seq } : {}),
    };
  }

  /** Tells those in the room, as soon as the log takes it. */
  #tellSurely(room: Room, kind: NoticeKind, told?: () => void): void {
    // A refusal is not told: it is appended again.
    const origin = told && { appended: told, refused: told };
    this.#context.steady.append(this.#draft(room, kind, origin));
  }

  #notice(room: Room, kind: NoticeKind, origin: Origin): void {
    this.#context.log.append(this.#draft(room, kind, origin));
  }

  #draft(
    room: Room,
    kind: NoticeKind,
    origin: Origin | undefined,
    name: Uint8Array = this.#session.nameBytes,
    body: Uint8Array = NOTHING,
  ): Draft {
    return {
      room: room.key,
      type: FrameType.Notice,
      codec: 0,
      kind,
      sender: this.#session.memberId,
      name,
      body,
      at: this.#context.options.clock.now(),
      publishId: 0,
      origin,
    };
  }
}

function failed(code: FailureCode, message: string): { failure: Failure } {
  return { failure: { code, message } };
}

function tooMany(code: FailureCode, message: string, max: number): { failure: Failure } {
  return { failure: { code, message, max } };
}
