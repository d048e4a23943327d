/**
 * The chat itself, without a socket: sessions, names, rooms, the log, and fan-out between them.
 *
 * Listeners and dialects bring peers to `admit`; what members do goes into the log and comes back through
 * `#apply`, the only place where entries take effect.
 */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import {
  CloseCode,
  closeCodeInfo,
  encodeFrame,
  entryBytes,
  FrameType,
  type Hello,
  type Joined,
  NoticeKind,
  PROTOCOL_VERSION,
  roomKey,
  userNameProblem,
  type Welcome,
} from '@chat/protocol';
import { Counters } from './counters.js';
import { FanOut } from './fan-out.js';
import type { SessionInfo } from './hooks.js';
import { type EventLog, inboxMember, type LogEntry } from './log/event-log.js';
import { Names } from './names.js';
import { maxMessageBytes, type ResolvedOptions } from './options.js';
import type { Peer } from './peer.js';
import { Rooms } from './rooms.js';
import { Session } from './session.js';
import { TimerWheel } from './timer-wheel.js';

/** Exactness of deadlines. */
const TICK_MS = 250;
/** How often old entries are looked for. */
const EXPIRE_EVERY_MS = 10_000;
/** What a client is told to wait when there is no room for it. */
const OVERLOADED_RETRY_MS = 5000;

/** Who knocks. Parts that a dialect does not have are left out. */
export type Knock = Pick<Hello, 'name' | 'credentials' | 'resume'>;

/** The answer to a knock. */
export type Admission =
  | {
      readonly session: Session;
      readonly welcome: Welcome;
      /** Direct messages that are no longer held; to be told behind the welcome. */
      readonly inboxGap?: Joined['gap'];
    }
  | { readonly code: CloseCode; readonly reason: string; readonly retryAfterMs?: number };

/** Told when a session begins, is lost, comes back or ends. */
export interface ChatEvents {
  'session-opened': SessionInfo;
  'session-lost': SessionInfo;
  'session-resumed': SessionInfo;
  'session-ended': SessionInfo;
}

export class Chat {
  readonly options: ResolvedOptions;
  readonly log: EventLog;
  readonly names: Names<Session> = new Names();
  readonly rooms: Rooms;
  readonly wheel: TimerWheel;
  readonly fanOut: FanOut;
  readonly counters: Counters = new Counters();
  readonly maxMessageBytes: number;
  /** Set once the server goes away: nobody is admitted any more. */
  draining = false;
  /** Told when a session has lost its connection, for whatever reason. */
  onPeerGone: (() => void) | undefined;
  readonly #emit: <Name extends keyof ChatEvents>(name: Name, info: ChatEvents[Name]) => void;
  readonly #byId = new Map<string, Session>();
  readonly #byMember = new Map<number, Session>();
  readonly #banned = new Map<string, number>();
  #members = 0;
  #admitting = 0;

  constructor(
    options: ResolvedOptions,
    emit: <Name extends keyof ChatEvents>(name: Name, info: ChatEvents[Name]) => void,
  ) {
    this.options = options;
    this.log = options.log;
    this.#emit = emit;
    this.maxMessageBytes = maxMessageBytes(options);
    this.wheel = new TimerWheel(options.clock, TICK_MS);
    this.fanOut = new FanOut(options.clock, options.coalesceMs);
    this.rooms = new Rooms(
      {
        maxRooms: options.maxRooms,
        emptyRoomTtlMs: options.emptyRoomTtlMs,
        maxLogBytes: options.maxLogBytes,
        retention: {
          maxBytes: options.retentionBytes,
          maxEntries: options.retentionEntries,
          maxAgeMs: options.retentionMs,
        },
      },
      this.wheel,
    );
    const expire = (now: number): number => {
      this.rooms.expire(now);
      for (const session of this.#byMember.values()) session.expireInbox(now);
      return EXPIRE_EVERY_MS;
    };
    this.wheel.schedule({ expire }, EXPIRE_EVERY_MS);
  }

  async open(): Promise<void> {
    await this.log.open((entries) => {
      for (const entry of entries) this.#apply(entry);
    });
  }

  get sessions(): Iterable<Session> {
    return this.#byMember.values();
  }

  get sessionCount(): number {
    return this.#byMember.size;
  }

  /** Decides about somebody who wants in. Never throws: a hook that does is answered with `internal`. */
  async admit(knock: Knock, peer: Peer, signal: AbortSignal | undefined): Promise<Admission> {
    if (this.draining) return { code: CloseCode.GoingAway, reason: 'the server goes away' };
    const resumed = this.#resume(knock, peer);
    if (resumed) return resumed;
    if (this.#byMember.size + this.#admitting >= this.options.maxSessions) {
      const reason = `the server has ${this.options.maxSessions} sessions`;
      return { code: CloseCode.Overloaded, reason, retryAfterMs: OVERLOADED_RETRY_MS };
    }
    this.#admitting++;
    try {
      return await this.#admitNew(knock, peer, signal);
    } catch (error) {
      this.options.logger.error({ err: error, address: peer.address }, 'authentication failed to decide');
      return { code: CloseCode.Internal, reason: 'the server failed' };
    } finally {
      this.#admitting--;
    }
  }

  sessionLost(session: Session): void {
    this.counters.sessionsLost++;
    this.#emit('session-lost', session.info);
  }

  /** Told by a session that left all its rooms. */
  sessionEnded(session: Session): void {
    this.names.release(session.name, session);
    this.#byId.delete(session.id);
    this.#byMember.delete(session.memberId);
    this.#emit('session-ended', session.info);
  }

  /** Shows the member of that name out; answers whether there was one. */
  kick(name: string, reason: string): boolean {
    return this.#remove(name, CloseCode.Kicked, reason);
  }

  /** Shows the member out and refuses its name and address for a while. */
  ban(name: string, durationMs: number, reason: string): boolean {
    const until = this.options.clock.now() + durationMs;
    const address = this.names.find(name)?.peer?.address;
    if (address) this.#banned.set(address, until);
    return this.#remove(name, CloseCode.Banned, reason);
  }

  async close(): Promise<void> {
    this.draining = true;
    this.fanOut.close();
    this.wheel.close();
    await this.log.close();
  }

  #apply(entry: LogEntry): void {
    const member = inboxMember(entry.room);
    const room = member === undefined ? this.rooms.byKey(entry.room) : this.#byMember.get(member)?.inbox;
    if (!room) {
      // The member of an inbox left while the message was on its way: accepted, and read by nobody.
      entry.origin?.appended(entry);
      return;
    }
    const before = room.log.bytes;
    room.log.append(entry);
    room.unsentBytes += entryBytes(entry.name.length, entry.body.length);
    room.unsentEntries++;
    if (room.isFilling || this.rooms.isFull(room, before)) {
      this.fanOut.touch(room);
      this.fanOut.flush();
    }
    this.rooms.account(room, before);
    if (entry.type === FrameType.Notice && room.members.size > this.options.presenceDelayMembers) {
      this.fanOut.touchLater(room, this.options.presenceDelayMs);
    } else {
      this.fanOut.touch(room);
    }
    entry.origin?.appended(entry);
  }

  #resume(knock: Knock, peer: Peer): Admission | undefined {
    const wanted = knock.resume;
    if (!wanted || wanted.epoch !== this.log.epoch) return undefined;
    const session = this.#byId.get(wanted.session);
    if (!session || !sameSecret(session.secret, wanted.secret)) return undefined;
    const positions = new Map(wanted.rooms.map(({ room, after }) => [roomKey(room), after]));
    const { joined, inboxGap } = session.resume(peer, positions, wanted.inbox);
    let welcome = this.#welcome(session, wanted.inbox, joined);
    if (!this.#fits(welcome)) {
      // The members of many large rooms are too much for one frame; the client asks for them page by page.
      welcome = { ...welcome, rooms: joined.map((room) => ({ ...room, members: [] })) };
    }
    if (!this.#fits(welcome)) {
      // In more rooms than a frame can name. It begins anew, and joins each of them from where it was.
      session.end(NoticeKind.Lost);
      return undefined;
    }
    this.counters.sessionsResumed++;
    this.#emit('session-resumed', session.info);
    return { session, welcome, inboxGap };
  }

  async #admitNew(knock: Knock, peer: Peer, signal: AbortSignal | undefined): Promise<Admission> {
    const until = this.#banned.get(peer.address);
    if (until !== undefined) {
      const retryAfterMs = until - this.options.clock.now();
      if (retryAfterMs > 0) return { code: CloseCode.Banned, reason: 'banned', retryAfterMs };
      this.#banned.delete(peer.address);
    }
    let { name } = knock;
    let claims: unknown;
    const { authenticate } = this.options.hooks;
    if (authenticate) {
      const visitor = { memberId: 0, name, address: peer.address, dialect: peer.dialect, claims: undefined };
      const result = await unlessAborted(
        authenticate(knock.credentials, visitor, signal ?? new AbortController().signal),
        signal,
      );
      if (result === TOO_LATE)
        return { code: CloseCode.HandshakeTimeout, reason: 'the handshake took too long' };
      if (!result.ok) return { code: CloseCode.Unauthorized, reason: result.reason ?? 'not authorized' };
      name = result.name ?? name;
      claims = result.claims;
    }
    // A hook takes its time: whoever would come in now would not be told that the server goes away.
    if (this.draining) return { code: CloseCode.GoingAway, reason: 'the server goes away' };
    const problem = userNameProblem(name);
    if (problem) return { code: CloseCode.NameInvalid, reason: problem };
    if (this.names.find(name)) {
      return { code: CloseCode.NameTaken, reason: 'this name, or one that looks like it, is taken' };
    }
    const id = randomBytes(9).toString('base64url');
    const secret = randomBytes(18).toString('base64url');
    const session = new Session(this, id, secret, ++this.#members, name, claims, peer);
    this.names.tryClaim(name, session);
    this.#byId.set(id, session);
    this.#byMember.set(session.memberId, session);
    this.counters.sessionsOpened++;
    this.#emit('session-opened', session.info);
    return { session, welcome: this.#welcome(session, 0, undefined) };
  }

  #welcome(session: Session, inboxStart: number, joined: readonly Joined[] | undefined): Welcome {
    const { options } = this;
    return {
      version: PROTOCOL_VERSION,
      session: session.id,
      secret: session.secret,
      epoch: this.log.epoch,
      member: { id: session.memberId, name: session.name },
      inbox: { handle: session.inboxHandle, start: inboxStart },
      limits: {
        maxFrameBytes: options.maxFrameBytes,
        maxMessageBytes: this.maxMessageBytes,
        maxInFlight: options.maxInFlight,
        maxRoomsPerSession: Number.isFinite(options.maxRoomsPerSession)
          ? options.maxRoomsPerSession
          : Number.MAX_SAFE_INTEGER,
        idleTimeoutMs: options.idleTimeoutMs,
        resumeWindowMs: options.resumeWindowMs,
      },
      resumed: joined !== undefined,
      lastPublishId: session.lastPublishId,
      rooms: joined ?? [],
      agent: options.agent,
    };
  }

  #fits(welcome: Welcome): boolean {
    return encodeFrame({ type: FrameType.Welcome, welcome }).length <= this.options.maxFrameBytes;
  }

  #remove(name: string, code: CloseCode, reason: string): boolean {
    const session = this.names.find(name);
    if (!session) return false;
    session.expel(code, reason || closeCodeInfo(code).name);
    return true;
  }
}

const TOO_LATE = Symbol('nobody waits any more');

/** What a hook decides; `TOO_LATE` once nobody waits for it any more, whether or not it ever settles. */
async function unlessAborted<T>(
  decision: T | Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T | typeof TOO_LATE> {
  if (!signal) return decision;
  const aborted = new Promise<typeof TOO_LATE>((resolve) => {
    if (signal.aborted) resolve(TOO_LATE);
    else signal.addEventListener('abort', () => resolve(TOO_LATE), { once: true });
  });
  return Promise.race([decision, aborted]);
}

function sameSecret(left: string, right: unknown): boolean {
  if (typeof right !== 'string' || left.length !== right.length) return false;
  return timingSafeEqual(Buffer.from(left), Buffer.from(right));
}
