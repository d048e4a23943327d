/**
 * One member of the chat, from admission until it leaves or is lost for good.
 *
 * A session outlives its connection: when the connection breaks, the session keeps its name, its rooms and its
 * publish numbers for the resume window, and a new peer may take it over. Coming, going and renaming go into
 * the log first and take effect when they come back from there; what a session says is its `Publisher`'s.
 */
import {
  CloseCode,
  type Failure,
  FailureCode,
  FrameType,
  type Joined,
  LOBBY,
  NoticeKind,
  roomNameProblem,
  userNameProblem,
} from '@chat/protocol';
import type { Chat } from './chat.js';
import type { SessionInfo } from './hooks.js';
import type { StartingPoint } from './log/byte-log.js';
import { inboxKey, type Origin } from './log/event-log.js';
import type { Answer, Peer } from './peer.js';
import { Publisher } from './publisher.js';
import { Membership, Room } from './room.js';
import type { TimerEntry } from './timer-wheel.js';

/** Members that are named in the answer to a join; the rest is paged. */
const JOINED_MEMBERS = 64;
/** What the rest of that answer takes at the most. */
const JOINED_BYTES = 1024;
/** Inbox handles live above the handles of rooms. */
const INBOX_HANDLE = 0x8000_0000;

const NOTHING = new Uint8Array(0);
const NO_ROOMS: ReadonlyMap<number, Membership> = new Map();

/** What a resumed session is told: its rooms, and which direct messages are no longer held. */
export interface Resumed {
  readonly joined: Joined[];
  readonly inboxGap: Joined['gap'];
}

/** A position from which a member wants to go on. */
export interface JoinOptions {
  readonly history?: number;
  readonly after?: number;
  readonly epoch?: string;
}

export class Session {
  readonly #chat: Chat;
  /** Public name of the session, for resuming. */
  readonly id: string;
  /** Shared with the client only. */
  readonly secret: string;
  readonly memberId: number;
  readonly claims: unknown;
  #name: string;
  // An idle session is small: what it needs to speak is made when it first does.
  #rooms: Map<number, Membership> | undefined;
  /** Joins on their way through the log, by room key. */
  #joining: Map<string, Promise<Answer<'join'>>> | undefined;
  #nameBytes: Uint8Array | undefined;
  #publisher: Publisher | undefined;
  #peer: Peer | undefined;
  #inbox: Room | undefined;
  #lease: TimerEntry | undefined;
  #closed = false;

  constructor(
    chat: Chat,
    id: string,
    secret: string,
    memberId: number,
    name: string,
    claims: unknown,
    peer: Peer,
  ) {
    this.#chat = chat;
    this.id = id;
    this.secret = secret;
    this.memberId = memberId;
    this.claims = claims;
    this.#name = name;
    this.#peer = peer;
  }

  /** The rooms that the session is in, by handle. */
  get rooms(): ReadonlyMap<number, Membership> {
    return this.#rooms ?? NO_ROOMS;
  }

  get name(): string {
    return this.#name;
  }

  /** The name in UTF-8. Not to be written to. */
  get nameBytes(): Uint8Array {
    this.#nameBytes ??= Buffer.from(this.#name);
    return this.#nameBytes;
  }

  /** Whether it has left for good. */
  get ended(): boolean {
    return this.#closed;
  }

  /** What the session says, and how much of it. Made when it first speaks. */
  get publisher(): Publisher {
    this.#publisher ??= new Publisher(this.#chat, this);
    return this.#publisher;
  }

  /** The connection, `undefined` while the session is lost. */
  get peer(): Peer | undefined {
    return this.#peer;
  }

  get lastPublishId(): number {
    return this.#publisher?.last ?? 0;
  }

  get inboxHandle(): number {
    return INBOX_HANDLE + this.memberId;
  }

  /** The inbox, made when the first direct message arrives. */
  get inbox(): Room {
    if (!this.#inbox) {
      const { options } = this.#chat;
      const inbox = new Room('', inboxKey(this.memberId), this.inboxHandle, {
        maxBytes: options.inboxBytes,
        maxEntries: options.retentionEntries,
        maxAgeMs: options.retentionMs,
      });
      inbox.members.set(this.memberId, new Membership(this, inbox, 0, inbox.log.end()));
      this.#inbox = inbox;
    }
    return this.#inbox;
  }

  /** Drops direct messages that are too old. */
  expireInbox(now: number): void {
    if (!this.#inbox) return;
    const before = this.#inbox.log.bytes;
    this.#inbox.log.expire(now);
    this.#chat.rooms.account(this.#inbox, before);
  }

  /** The cursor in the inbox, `undefined` while nothing ever arrived there. */
  get inboxMembership(): Membership | undefined {
    return this.#inbox?.members.get(this.memberId);
  }

  get info(): SessionInfo {
    return {
      memberId: this.memberId,
      name: this.#name,
      address: this.#peer?.address ?? '',
      dialect: this.#peer?.dialect ?? 'binary',
      claims: this.claims,
    };
  }

  /** For how long nothing more should be read from this session; 0 while it is within its burst. */
  debtMs(): number {
    return this.#publisher?.debtMs() ?? 0;
  }

  async join(roomName: string, options: JoinOptions): Promise<Answer<'join'>> {
    const problem = roomNameProblem(roomName);
    if (problem) return failed(FailureCode.RoomInvalid, problem);
    const { maxRoomsPerSession, hooks } = this.#chat.options;
    if (hooks.authorize && !(await hooks.authorize(this.info, 'join', roomName))) {
      return failed(FailureCode.Forbidden, `not allowed to join ${roomName}`);
    }
    if (this.#closed) return failed(FailureCode.Internal, 'the session has ended');
    const known = this.#chat.rooms.find(roomName);
    const current = known && this.rooms.get(known.handle);
    if (current) return this.#joined(current, known.log.positionOf(current), known.log.lastSeq, undefined);
    this.#joining ??= new Map();
    const joining = this.#joining;
    const underway = known && joining.get(known.key);
    if (underway) return underway;
    const max = maxRoomsPerSession;
    // Before the room is made: who may not join it must not fill the server with rooms.
    if (this.rooms.size + joining.size >= max) {
      return { failure: { code: FailureCode.TooManyRooms, message: `already in ${max} rooms`, max } };
    }
    const room = known ?? this.#chat.rooms.open(roomName);
    if (!room) {
      const max = this.#chat.options.maxRooms;
      return { failure: { code: FailureCode.TooManyRooms, message: `the server has ${max} rooms`, max } };
    }
    const full = this.#chat.options.maxMembersPerRoom;
    if (room.members.size >= full) {
      return {
        failure: { code: FailureCode.RoomFull, message: `${roomName} has ${full} members`, max: full },
      };
    }
    let resolve!: (answer: Answer<'join'>) => void;
    const answer = new Promise<Answer<'join'>>((settle) => {
      resolve = settle;
    });
    joining.set(room.key, answer);
    this.#notice(room, NoticeKind.Joined, NOTHING, {
      appended: (entry) => {
        joining.delete(room.key);
        if (this.#closed) {
          // It ended while the log thought about it: whoever saw it come has to see it go.
          this.#notice(room, NoticeKind.Left, NOTHING, undefined);
          resolve(failed(FailureCode.Internal, 'the session has ended'));
          return;
        }
        const head = room.log.previousSeq;
        const { point, gap } = this.#startingPoint(room, options, head);
        const membership = new Membership(this, room, entry.seq, point);
        this.#rooms ??= new Map();
        this.#rooms.set(room.handle, membership);
        room.members.set(this.memberId, membership);
        this.#chat.fanOut.touchMember(membership);
        resolve(this.#joined(membership, point.start, head, gap));
      },
    });
    return answer;
  }

  /** Leaves a room; false when the session was not in it. */
  leave(roomName: string): boolean {
    const room = this.#chat.rooms.find(roomName);
    const membership = room && this.rooms.get(room.handle);
    if (!membership) return false;
    // What was said before the leave still belongs to the one who leaves.
    this.#peer?.deliver(membership);
    this.#leaveRoom(membership, NoticeKind.Left);
    return true;
  }

  rename(name: string): Answer<'rename'> {
    const problem = userNameProblem(name);
    if (problem) return failed(FailureCode.NameInvalid, problem);
    if (name === this.#name) return { name };
    const old = this.nameBytes;
    if (!this.#chat.names.tryRename(this.#name, name, this)) {
      return failed(FailureCode.NameTaken, `somebody is called ${name}, or so much like it`);
    }
    this.#name = name;
    this.#nameBytes = undefined;
    for (const { room } of this.rooms.values()) {
      this.#notice(room, NoticeKind.Renamed, this.nameBytes, undefined, old);
    }
    return { name };
  }

  /** A member fell behind what the log holds. */
  lagged(membership: Membership): void {
    if (this.#chat.options.slowConsumer === 'skip') {
      const from = membership.room.log.positionOf(membership);
      const end = membership.room.log.end();
      membership.moveTo(end);
      this.#peer?.gap(membership.room.handle, from, end.start);
      this.#chat.counters.readersSkipped++;
    } else {
      this.#chat.counters.readersClosed++;
      this.#peer?.close(
        CloseCode.SlowConsumer,
        `fell behind the history of ${membership.room.name || 'the inbox'}`,
      );
    }
  }

  /**
   * Puts a new connection in the place of the old one. Cursors go back to what the client has, by room key;
   * the answer describes the rooms as they are streamed from now on, and what of the inbox is gone.
   */
  resume(peer: Peer, positions: ReadonlyMap<string, number>, inboxAfter: number): Resumed {
    const old = this.#peer;
    this.#peer = peer;
    old?.close(CloseCode.SessionReplaced, 'the session goes on over another connection');
    this.#dropLease();
    this.#publisher?.forgive();
    const joined: Joined[] = [];
    let inboxGap: Joined['gap'];
    for (const membership of this.rooms.values()) {
      const { room } = membership;
      const after = positions.get(room.key);
      const { point, gap } = this.#startingPoint(
        room,
        after === undefined ? {} : { after },
        room.log.lastSeq,
      );
      membership.moveTo(point);
      joined.push(this.#joined(membership, point.start, room.log.lastSeq, gap));
      this.#chat.fanOut.touch(room);
    }
    if (this.#inbox) {
      const { point, gap } = this.#startingPoint(this.#inbox, { after: inboxAfter }, this.#inbox.log.lastSeq);
      this.inboxMembership!.moveTo(point);
      inboxGap = gap;
      this.#chat.fanOut.touch(this.#inbox);
    }
    return { joined, inboxGap };
  }

  /**
   * The connection of `peer` is gone. After a goodbye the session ends; else it is kept for the resume window
   * if its dialect can resume. A connection that was replaced says nothing about the session any more.
   */
  disconnected(peer: Peer, goodbye: boolean, resumable: boolean): void {
    if (this.#peer !== peer) return;
    this.#peer = undefined;
    this.#chat.onPeerGone?.();
    if (goodbye || !resumable || this.#chat.options.resumeWindowMs === 0) {
      this.end(goodbye ? NoticeKind.Left : NoticeKind.Lost);
      return;
    }
    this.#chat.sessionLost(this);
    this.#lease = this.#chat.wheel.schedule(
      {
        expire: () => {
          this.end(NoticeKind.Lost);
          return undefined;
        },
      },
      this.#chat.options.resumeWindowMs,
    );
  }

  /** Shows the member out for good: no resume. */
  expel(code: CloseCode, reason: string): void {
    const peer = this.#peer;
    this.#peer = undefined;
    if (peer) {
      peer.close(code, reason);
      this.#chat.onPeerGone?.();
    }
    this.end(NoticeKind.Left);
  }

  /** Leaves all rooms and frees the name. Idempotent. */
  end(kind: typeof NoticeKind.Left | typeof NoticeKind.Lost): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#dropLease();
    for (const membership of [...this.rooms.values()]) this.#leaveRoom(membership, kind);
    if (this.#inbox) {
      const before = this.#inbox.log.bytes;
      this.#inbox.log.clear();
      this.#chat.rooms.account(this.#inbox, before);
    }
    this.#chat.sessionEnded(this);
  }

  /** Where the members of the line dialect talk. */
  get lobby(): Membership | undefined {
    const room = this.#chat.rooms.find(LOBBY);
    return room && this.rooms.get(room.handle);
  }

  #notice(
    room: Room,
    kind: NoticeKind,
    body: Uint8Array,
    origin: Origin | undefined,
    name: Uint8Array = this.nameBytes,
  ): void {
    this.#chat.log.append({
      room: room.key,
      type: FrameType.Notice,
      codec: 0,
      kind,
      sender: this.memberId,
      name,
      body,
      at: this.#chat.options.clock.now(),
      publishId: 0,
      origin,
    });
  }

  #leaveRoom(membership: Membership, kind: typeof NoticeKind.Left | typeof NoticeKind.Lost): void {
    const { room } = membership;
    this.#rooms?.delete(room.handle);
    this.#notice(room, kind, NOTHING, {
      appended: () => {
        // Not one that has come back while the log thought about it.
        if (room.members.get(this.memberId) === membership) room.members.delete(this.memberId);
        this.#chat.rooms.release(room);
      },
    });
  }

  #startingPoint(
    room: Room,
    options: JoinOptions,
    head: number,
  ): { point: StartingPoint; gap: Joined['gap'] } {
    const { after, history = 0, epoch = this.#chat.log.epoch } = options;
    if (after === undefined) {
      const point =
        history > 0 ? room.log.before(history, head) : (room.log.after(head) ?? room.log.oldest());
      return { point, gap: undefined };
    }
    // A position of another life of the log means nothing here, but for this: all that is held is new.
    const point = epoch === this.#chat.log.epoch ? room.log.after(after) : undefined;
    if (point) return { point, gap: undefined };
    const oldest = room.log.oldest();
    return { point: oldest, gap: { from: after, to: oldest.start } };
  }

  #joined(membership: Membership, start: number, head: number, gap: Joined['gap']): Joined {
    const { room } = membership;
    const { members } = room.listMembers(JOINED_MEMBERS, this.#chat.options.maxFrameBytes - JOINED_BYTES);
    return {
      room: room.name,
      handle: room.handle,
      start,
      head,
      members,
      memberCount: room.members.size,
      ...(gap ? { gap } : {}),
    };
  }

  #dropLease(): void {
    if (this.#lease) this.#chat.wheel.cancel(this.#lease);
    this.#lease = undefined;
  }
}

function failed(code: FailureCode, message: string): { failure: Failure } {
  return { failure: { code, message } };
}
