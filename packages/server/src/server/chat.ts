/**
 * The chat itself, without a socket: sessions, names, rooms, the log, and fan-out between them.
 *
 * Listeners and dialects bring peers to `admit`; what members do goes into the log and comes back through
 * `#apply`, the only place where entries take effect.
 */
import { CloseCode, closeCodeInfo, entryBytes, FrameType } from '@chat/protocol';
import type { Peer } from '../connection/peer.js';
import { StrangerLog } from '../connection/stranger-log.js';
import { LineCharset } from '../dialects/line/charset.js';
import type { LineReaderOptions } from '../dialects/line/line-reader.js';
import { AddressLimit, addressKey } from '../limits/addresses/address-limit.js';
import { AddressRanges } from '../limits/addresses/address-ranges.js';
import { AddressRate } from '../limits/addresses/address-rate.js';
import { Bans } from '../limits/bans.js';
import { InputAccounts } from '../limits/input-account.js';
import { endOldestAway } from '../limits/oldest-away.js';
import { SilentLines } from '../limits/silent-lines.js';
import type { Rate } from '../limits/token-bucket.js';
import { type EventLog, inboxMember, type LogEntry } from '../log/event-log.js';
import type { SessionInfo } from '../options/hooks.js';
import { maxMessageBytes, type ResolvedOptions } from '../options/options.js';
import { FanOut } from '../room/fan-out.js';
import { Rooms } from '../room/rooms.js';
import { Admission, type AdmissionRequest, type AdmissionResult } from '../session/admission.js';
import { type Kick, KickedSessions } from '../session/kicked-sessions.js';
import { looksLike, Names } from '../session/names.js';
import type { Session } from '../session/session.js';
import { TimerWheel } from '../time/timer-wheel.js';
import { Counters } from './counters.js';
import { MemoryGuard } from './memory-guard.js';

/** Exactness of deadlines. */
const TICK_MS = 250;
/** When memory is short, history keeps this part of `maxLogBytes`. */
const KEPT_PART = 8;
/** How often old entries are looked for. */
const EXPIRE_EVERY_MS = 10_000;
/** At once, an address may send what comes in so many seconds, and a client so many bytes. */
const ADDRESS_BURST_S = 4;
const BYTES_BURST_S = 2;

/** Told when a session begins, is away, comes back or ends, and when it comes into a room or leaves it. */
export interface ChatEvents {
  /** Somebody came in, under the name that is told. */
  'session-opened': SessionInfo;
  /** A connection broke; the session is away, and may resume within `resumeWindowMs`. */
  'session-away': SessionInfo;
  /** A session that was away goes on over a new connection. */
  'session-resumed': SessionInfo;
  /** A session is gone: it left, was removed, or did not come back in time. */
  'session-ended': SessionInfo;
  /** A session became a member of `room`, for the first time since it was opened or left it. */
  'room-joined': SessionInfo & { readonly room: string };
  /** A session is no member of `room` any more: it left, was removed from it, or is gone. */
  'room-left': SessionInfo & { readonly room: string };
}

export class Chat {
  readonly options: ResolvedOptions;
  readonly log: EventLog;
  readonly names: Names<Session> = new Names();
  readonly rooms: Rooms;
  readonly wheel: TimerWheel;
  readonly fanOut: FanOut;
  readonly counters: Counters = new Counters();
  readonly addresses: AddressLimit;
  /** Sessions that are away, by address: they are kept for the return of their client. */
  readonly awaySessions: AddressLimit;
  /** Sessions by address, away ones included. */
  readonly held: AddressLimit;
  readonly bans: Bans;
  readonly kicked: KickedSessions;
  readonly strangerLog: StrangerLog;
  readonly memory: MemoryGuard;
  /** Who goes first when there is no place for a newcomer. */
  readonly silentLines: SilentLines = new SilentLines(this);
  /** What each client may send and cause, and each address. */
  readonly accounts: InputAccounts;
  readonly maxMessageBytes: number;
  /** How the line dialect is read. */
  readonly lineReading: LineReaderOptions;
  /** Set once the server goes away: nobody is admitted any more. */
  draining = false;
  /** Told when a session has lost its connection, for whatever reason. */
  onPeerGone: (() => void) | undefined;
  readonly #emit: <Name extends keyof ChatEvents>(name: Name, info: ChatEvents[Name]) => void;
  readonly #connecting: AddressRate;
  readonly #roomsMade: AddressLimit;
  readonly #byId = new Map<string, Session>();
  readonly #byMember = new Map<number, Session>();
  readonly #admission: Admission = new Admission(this);
  #applying = false;
  /** Entries that came while another one took effect. */
  #behind: LogEntry[] = [];

  constructor(
    options: ResolvedOptions,
    emit: <Name extends keyof ChatEvents>(name: Name, info: ChatEvents[Name]) => void,
  ) {
    this.options = options;
    this.log = options.log;
    this.#emit = emit;
    this.maxMessageBytes = maxMessageBytes(options);
    this.lineReading = {
      maxLineBytes: options.maxLineBytes,
      lineIdleMs: options.lineIdleMs,
      clock: options.clock,
      charset: new LineCharset(options.lineCharset),
    };
    const exempt = [
      new AddressRanges(options.exemptAddresses, 'exemptAddresses'),
      new AddressRanges(options.trustedProxies, 'trustedProxies'),
    ];
    this.addresses = new AddressLimit(() => options.maxConnectionsPerAddress, exempt);
    this.awaySessions = new AddressLimit(
      () => options.maxConnectionsPerAddress,
      exempt,
      // Half of the places is left to newcomers, whatever tears its connections without a limit.
      () => Math.max(options.maxConnectionsPerAddress, Math.floor(options.maxSessions / 2)),
    );
    this.held = new AddressLimit(() => options.maxSessionsPerAddress, exempt);
    this.#roomsMade = new AddressLimit(() => options.maxRoomsPerAddress, exempt);
    this.#connecting = new AddressRate(
      rateOf(
        () => options.maxConnectionsPerSecondPerAddress,
        () => Math.max(options.maxConnectionsPerAddress, options.maxConnectionsPerSecondPerAddress),
      ),
    );
    this.accounts = new InputAccounts(
      options.clock,
      {
        messages: rateOf(
          () => options.maxMessagesPerSecond,
          () => options.maxMessageBurst,
        ),
        bytes: rateOf(
          () => options.maxInputBytesPerSecond,
          () => options.maxInputBytesPerSecond * BYTES_BURST_S,
        ),
      },
      {
        messages: rateOf(
          () => options.maxMessagesPerSecondPerAddress,
          () => options.maxMessagesPerSecondPerAddress * ADDRESS_BURST_S,
        ),
        bytes: rateOf(
          () => options.maxInputBytesPerSecondPerAddress,
          () => options.maxInputBytesPerSecondPerAddress * ADDRESS_BURST_S,
        ),
      },
      () => options.maxRateViolations,
      this.addresses,
    );
    this.bans = new Bans(this.addresses);
    this.kicked = new KickedSessions(options.resumeWindowMs);
    this.wheel = new TimerWheel(options.clock, TICK_MS);
    this.strangerLog = new StrangerLog(options.logger, this.wheel);
    this.fanOut = new FanOut(options.clock, options.coalesceMs);
    this.rooms = new Rooms(
      {
        maxRooms: options.maxRooms,
        emptyRoomTtlMs: options.emptyRoomTtlMs,
        get maxLogBytes() {
          return options.maxLogBytes;
        },
        retention: {
          maxBytes: options.retentionBytes,
          maxEntries: options.retentionEntries,
          maxAgeMs: options.retentionMs,
        },
      },
      this.wheel,
      this.#roomsMade,
    );
    this.memory = new MemoryGuard(
      () => options.maxMemoryBytes,
      this.wheel,
      (isShort, use) => {
        if (isShort)
          options.logger.warn(
            { option: 'maxMemoryBytes', ...use },
            'short of memory: newcomers are sent away',
          );
        else options.logger.info(use, 'there is memory for newcomers again');
      },
      undefined,
      (wantedBytes) => this.#giveUpHistory(wantedBytes),
    );
    const expire = (now: number): number => {
      this.rooms.expire(now);
      this.bans.expire(now);
      this.kicked.expire(now);
      this.#connecting.expire(now);
      this.accounts.expire(now);
      for (const session of this.#byMember.values()) session.inbox?.expire(now);
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

  /** Counts a connection from an address; false, and not counted, when there are too many or they come too fast. */
  tryEnter(address: string): boolean {
    if (this.addresses.isExempt(address)) return true;
    const { maxConnectionsPerAddress, maxConnectionsPerSecondPerAddress, clock } = this.options;
    if (!this.#connecting.tryCharge(address, clock.monotonic())) {
      const message = `more than ${maxConnectionsPerSecondPerAddress} new connections a second from one address`;
      this.strangerLog.refused('maxConnectionsPerSecondPerAddress', address, message + SHARED_ADDRESS);
      return false;
    }
    if (this.addresses.tryEnter(address)) return true;
    const message = `more than ${maxConnectionsPerAddress} connections of one address`;
    this.strangerLog.refused('maxConnectionsPerAddress', address, message + SHARED_ADDRESS);
    return false;
  }

  /** Whether the address may have one session more, after one of its own that is away has gone if it must. */
  mayHoldMore(address: string): boolean {
    if (this.held.hasRoom(address)) return true;
    if (endOldestAway(this.sessions, address) && this.held.hasRoom(address)) return true;
    const message = `more than ${this.options.maxSessionsPerAddress} sessions of one address`;
    this.strangerLog.refused('maxSessionsPerAddress', address, message + SHARED_ADDRESS);
    return false;
  }

  /** For how long an address, or a name, is still banned; the operator is told that it came. 0: it is not. */
  bannedMs(name: string | undefined, address: string): number {
    const bannedMs = this.bans.remainingMs(name, address, this.options.clock.monotonic());
    if (bannedMs > 0) this.strangerLog.refused('bans', address, 'banned, and came again; unban() ends it');
    return bannedMs;
  }

  /** Decides about somebody who wants in. Never throws. */
  admit(request: AdmissionRequest, peer: Peer, signal: AbortSignal | undefined): Promise<AdmissionResult> {
    return this.#admission.decide(request, peer, signal);
  }

  sessionById(id: string): Session | undefined {
    return this.#byId.get(id);
  }

  /** Told once somebody was let in under a name that is free. */
  sessionOpened(session: Session): void {
    this.names.tryClaim(session.name, session);
    this.#byId.set(session.id, session);
    this.#byMember.set(session.memberId, session);
    this.held.enter(session.info.address);
    this.counters.sessionsOpened++;
    this.#emit('session-opened', session.info);
  }

  sessionResumed(session: Session): void {
    this.counters.sessionsResumed++;
    this.#emit('session-resumed', session.info);
  }

  sessionAway(session: Session): void {
    this.counters.sessionsAway++;
    this.#emit('session-away', session.info);
  }

  roomJoined(session: Session, room: string): void {
    this.#emit('room-joined', { ...session.info, room });
  }

  roomLeft(session: Session, room: string): void {
    this.#emit('room-left', { ...session.info, room });
  }

  /** Told by a session that left all its rooms. */
  sessionEnded(session: Session): void {
    this.names.release(session.name, session);
    this.#byId.delete(session.id);
    this.#byMember.delete(session.memberId);
    this.held.leave(session.info.address);
    this.#emit('session-ended', session.info);
  }

  /** Shows the member of that name out; answers whether there was one. */
  kick(name: string, reason: string): boolean {
    return this.#remove(name, { code: CloseCode.Kicked, reason });
  }

  /** Shows the member out and refuses its name and its address for a while; answers whether there was one. */
  ban(name: string, durationMs: number, reason: string): boolean {
    const until = this.options.clock.monotonic() + durationMs;
    this.bans.addName(name, until);
    const address = this.names.find(name)?.info.address;
    if (address) this.bans.addAddress(address, until);
    return this.#remove(name, { code: CloseCode.Banned, reason, banned: [name, address ?? ''] });
  }

  /** Refuses an address for a while, and shows out all who came from there; answers whether it can be banned. */
  banAddress(address: string, durationMs: number, reason: string): boolean {
    if (!this.bans.addAddress(address, this.options.clock.monotonic() + durationMs)) return false;
    const key = addressKey(address);
    for (const session of [...this.sessions]) {
      if (addressKey(session.info.address) !== key) continue;
      session.kick({ code: CloseCode.Banned, reason, banned: [address] });
    }
    return true;
  }

  /** Ends the bans of a name or an address, and what they did to sessions; false when there was none. */
  unban(nameOrAddress: string): boolean {
    const key = addressKey(nameOrAddress);
    this.kicked.pardon(
      (banned) => looksLike(banned, nameOrAddress) || (key !== undefined && addressKey(banned) === key),
    );
    return this.bans.remove(nameOrAddress);
  }

  /** Asks `authorize` again about the rooms that members are in; answers how many were shown out of one. */
  async reauthorize(name: string | undefined): Promise<number> {
    const { authorize } = this.options.hooks;
    const found = name === undefined ? undefined : this.names.find(name);
    const sessions = name === undefined ? [...this.sessions] : found ? [found] : [];
    let evicted = 0;
    const failures: unknown[] = [];
    for (const session of sessions) {
      for (const { room } of [...session.rooms.values()]) {
        try {
          if (!authorize || (await authorize(session.info, 'join', room.name))) continue;
          if (session.evict(room.name)) evicted++;
        } catch (error) {
          // What cannot be decided about one says nothing about the others.
          failures.push(error);
        }
      }
    }
    if (failures.length > 0) throw new AggregateError(failures, 'authorize failed to decide');
    return evicted;
  }

  async close(): Promise<void> {
    this.draining = true;
    this.fanOut.close();
    this.wheel.close();
    await this.log.close();
  }

  /**
   * Entries take effect one after the other. One that another brings about, as when a reader that is too slow is
   * closed, waits until that one is through: each is told to its origin while it is the newest of its room.
   */
  #apply(entry: LogEntry): void {
    if (this.#applying) {
      // Borrowed for the call.
      this.#behind.push({ ...entry, body: Uint8Array.from(entry.body) });
      return;
    }
    this.#applying = true;
    try {
      this.#takeEffect(entry);
      for (let next = this.#behind.shift(); next; next = this.#behind.shift()) this.#takeEffect(next);
    } finally {
      this.#applying = false;
    }
  }

  #takeEffect(entry: LogEntry): void {
    const member = inboxMember(entry.room);
    const room =
      member === undefined ? this.rooms.byKey(entry.room) : this.#byMember.get(member)?.openInbox().room;
    if (!room) {
      // The member of an inbox left while the message was on its way, or the last of a room: accepted, and read by nobody.
      if (member === undefined) this.rooms.missed(entry.seq);
      entry.origin?.appended(entry);
      return;
    }
    room.log.append(entry, this.#sinceOf(entry));
    room.unsentBytes += entryBytes(entry.name.length, entry.body.length);
    room.unsentEntries++;
    const isFull = this.rooms.isFull;
    if (room.isFilling || isFull) {
      // The entry takes effect before it is read: a member that leaves is not to be sent its own notice.
      entry.origin?.appended(entry);
      this.fanOut.markDirty(room);
      if (isFull) {
        this.fanOut.flushAll();
        this.rooms.shrink(room);
      } else this.fanOut.flush();
      return;
    }
    if (entry.type === FrameType.Notice && room.members.size > this.options.presenceDelayMembers) {
      this.fanOut.markDirtyLater(room, this.options.presenceDelayMs);
    } else {
      this.fanOut.markDirty(room);
    }
    entry.origin?.appended(entry);
  }

  /** Memory is short: the largest histories go first, but not all of them. Answers the bytes that were freed. */
  #giveUpHistory(wantedBytes: number): number {
    const { budget } = this.rooms;
    const { maxLogBytes, maxMemoryBytes } = this.options;
    const target = Math.max(
      budget.bytes - wantedBytes,
      Math.min(maxLogBytes, maxMemoryBytes / 4) / KEPT_PART,
    );
    if (target >= budget.bytes) return 0;
    // Readers that read have everything then.
    this.fanOut.flushAll();
    const freed = budget.shrinkTo(target);
    if (freed > 0)
      this.options.logger.warn({ freed, left: budget.bytes }, 'short of memory: history is given up');
    return freed;
  }

  /** Monotonic time at which the entry began to be old. */
  #sinceOf({ origin, at }: LogEntry): number {
    const { now } = this.wheel;
    // Of this process and this moment; others may come from elsewhere, or from long ago.
    return origin ? now : now - Math.max(0, this.options.clock.now() - at);
  }

  #remove(name: string, kick: Kick): boolean {
    const session = this.names.find(name);
    if (!session) return false;
    session.kick({ ...kick, reason: kick.reason || closeCodeInfo(kick.code).name });
    return true;
  }
}

/** What an operator should think of first. */
const SHARED_ADDRESS =
  ' are refused; if many people share it (a proxy, Docker, a school), see trustedProxies and exemptAddresses';

/** A rate that is asked for each time, since limits may change. */
function rateOf(perSecond: () => number, burst: () => number): Rate {
  return {
    get perSecond() {
      return perSecond();
    },
    get burst() {
      return burst();
    },
  };
}
