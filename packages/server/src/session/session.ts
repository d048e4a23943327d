/**
 * One member of the chat, from admission until it is gone.
 *
 * A session outlives its connection: when the connection breaks, the session keeps its name, its rooms and its
 * publish numbers for the resume window, and a new peer may take it over. Where it is belongs to its
 * `Memberships`, what it says to its `Publisher`.
 *
 * Longer than most files here: each way out of a state of its life stands beside the others.
 */
import { CloseCode, type Failure, FailureCode, LOBBY } from '@chat/protocol';
import { type Joined, NoticeKind } from '@chat/protocol/frames';
import type { InputAccount } from '../limits/input-account.js';
import { Price } from '../limits/prices.js';
import { claim } from '../log/claims.js';
import { ClaimKind, type Origin } from '../log/entry.js';
import type { SessionKicked, SessionState } from '../log/state/chat-state.js';
import { deviceOf, userOf } from '../log/state/session-number.js';
import { talkKey } from '../log/state/users/read-positions.js';
import { userNameProblem } from '../names/names.js';
import type { SessionInfo } from '../options/hooks.js';
import type { Membership, Room } from '../room/room.js';
import type { JoinOptions } from '../room/starting-point.js';
import type { TimerEntry } from '../time/timer-wheel.js';
import type { SessionContext, SessionPerson, WaitingSpace } from './context.js';
import { type Inbox, inboxHandle } from './directs/inbox.js';
import type { Kick } from './kicked-sessions.js';
import { type Leaving, Memberships } from './memberships.js';
import type { Answer, Peer } from './peer.js';
import { PublishRecord } from './publish-record.js';
import { Publisher } from './publisher.js';
import { claimKick } from './shared/claim-kick.js';
import type { Kept } from './shared/elsewhere.js';
import { ReadMarks } from './user/read-marks.js';

const NO_ROOMS: ReadonlyMap<number, Membership> = new Map();

/** What a resumed session is told: its rooms, and which direct messages are no longer held. */
export interface Resumed {
  readonly joined: Joined[];
  readonly inboxGap: Joined['gap'];
}

/** A room that it is in, and since when. */
export interface Place {
  readonly room: Room;
  readonly joinedSeq: number;
}

/** Where a session is in its life. */
type Life =
  | { readonly name: 'connected'; readonly peer: Peer }
  /** Kept until `lease` is over; counted for the address `from`. */
  | { readonly name: 'away'; readonly lease: TimerEntry; readonly from: string | undefined }
  /** Its connection is gone, and it is not known yet whether it is kept. */
  | { readonly name: 'leaving' }
  | { readonly name: 'ended' };

export class Session implements SessionPerson {
  readonly #context: SessionContext;
  readonly #state: SessionState;
  /** What its client sends and causes. */
  readonly input: InputAccount;
  #life: Life;
  #attempt: number | undefined;
  #claims: unknown;
  // An idle session is small: what it needs to speak is made when it first does.
  #memberships: Memberships | undefined;
  #nameBytes: Uint8Array | undefined;
  #publisher: Publisher | undefined;
  /** What became of its publishes before it was here. */
  #record: PublishRecord | undefined;
  #inbox: Membership | undefined;
  #reads: ReadMarks | undefined;
  /** Where it is connected from, or was. */
  #address: string;
  #dialect: SessionInfo['dialect'];
  #credentials: TimerEntry | undefined;
  #mustAuthenticate = false;
  /** Settles when its search is over; a session has one at a time. */
  searching: Promise<void> | undefined;

  /**
   * A session whose claim has come back from the log, over a connection; or one that was there before the server was
   * started again, or that another process held, with an account of its own (see {@link Session.recover}, {@link Session.take}).
   *
   * @param attempt number of the hello that opened it
   */
  constructor(
    context: SessionContext,
    state: SessionState,
    from: Peer | { readonly input: InputAccount; readonly kept?: Kept | undefined },
    attempt?: number,
  ) {
    this.#context = context;
    this.#state = state;
    this.input = from.input;
    this.#attempt = attempt;
    const peer = 'dialect' in from ? from : undefined;
    this.#life = peer ? { name: 'connected', peer } : { name: 'leaving' };
    if (!('dialect' in from)) {
      const { record = new PublishRecord(context.options.maxInFlight) } = from.kept ?? {};
      this.#record = record.recover(state.lastPublish);
    }
    this.#address = peer?.address ?? '';
    this.#dialect = peer?.dialect ?? (state.isResumable ? 'binary' : 'line');
    // Behind what its user's other sessions have got already.
    this.#inbox = context.inboxes.find(state.memberId)?.enter(this);
  }

  /** Public name of the session, for resuming. */
  get id(): string {
    return this.#state.id;
  }

  get memberId(): number {
    return this.#state.memberId;
  }

  /** Hash of the secret that it shares with its client. */
  get secretHash(): string {
    return this.#state.secretHash;
  }

  /** Hash of a secret by which a hello is known to be of the same client, though that may never have got the other one. */
  get clientHash(): string | undefined {
    return this.#state.clientHash;
  }

  /** The name that `authenticate` gave it, whatever it is called since. */
  get account(): string | undefined {
    return this.#state.account;
  }

  /** The rooms that the session is in, by handle. */
  get rooms(): ReadonlyMap<number, Membership> {
    return this.#memberships?.all ?? NO_ROOMS;
  }

  get name(): string {
    return this.#state.name;
  }

  /** The name in UTF-8. Not to be written to. */
  get nameBytes(): Uint8Array {
    this.#nameBytes ??= Buffer.from(this.name);
    return this.#nameBytes;
  }

  /** Whether it has left for good. */
  get ended(): boolean {
    return this.#life.name === 'ended';
  }

  /** What the session says, and how much of it. Made when it first speaks. */
  get publisher(): Publisher {
    this.#record ??= new PublishRecord(this.#context.options.maxInFlight);
    this.#publisher ??= new Publisher(this.#context, this, this.#record);
    return this.#publisher;
  }

  /** What became of its latest publishes; `undefined` while it has published nothing. */
  get record(): PublishRecord | undefined {
    return this.#record;
  }

  /** The connection, `undefined` while the session is away. */
  get peer(): Peer | undefined {
    return this.#life.name === 'connected' ? this.#life.peer : undefined;
  }

  get lastPublishId(): number {
    return this.#publisher?.last ?? this.#state.lastPublish;
  }

  get inboxHandle(): number {
    return inboxHandle(userOf(this.memberId));
  }

  /**
   * The inbox of its user, made when the first direct message arrives.
   *
   * @param floor see `Inbox`
   */
  openInbox(floor?: number): Inbox {
    const inbox = this.#context.inboxes.open(this.memberId, this.#address, floor);
    this.#inbox ??= inbox.enter(this);
    return inbox;
  }

  get waiting(): WaitingSpace {
    return this.openInbox();
  }

  /** Its cursor in the inbox, `undefined` while nothing ever arrived there. */
  get inbox(): Membership | undefined {
    return this.#inbox;
  }

  get info(): SessionInfo {
    return {
      memberId: userOf(this.memberId),
      device: deviceOf(this.memberId),
      name: this.name,
      address: this.#address,
      dialect: this.#dialect,
      claims: this.#claims,
    };
  }

  /** Number of the latest hello of its client. */
  get attempt(): number | undefined {
    return this.#attempt;
  }

  /** Whether its credentials have run out: who comes back has to show new ones. */
  get mustAuthenticate(): boolean {
    return this.#mustAuthenticate;
  }

  /** Takes what `authenticate` said: at the beginning, and each time that new credentials were shown. */
  authenticated(claims: unknown, expiresInMs: number | undefined): void {
    this.#claims = claims;
    this.#mustAuthenticate = false;
    this.#dropCredentials();
    if (expiresInMs === undefined || expiresInMs === Number.POSITIVE_INFINITY) return;
    this.#credentials = this.#context.wheel.schedule(expiresInMs, () =>
      this.reauthenticate('the credentials have run out'),
    );
  }

  /** Closes the connection in a way that makes its client come back, with new credentials. */
  reauthenticate(reason: string): void {
    this.#mustAuthenticate = true;
    this.#dropCredentials();
    this.peer?.close(CloseCode.CredentialsExpired, reason);
  }

  /** Ends the session at once, since what let it in is good no more. Its client may come back with something better. */
  revoke(reason: string): void {
    const { peer } = this;
    if (peer) {
      this.#life = { name: 'leaving' };
      peer.close(CloseCode.Unauthorized, reason);
      this.#context.sessions.onPeerGone?.();
    }
    this.end(NoticeKind.Left);
  }

  /** See `Memberships`. */
  join(roomName: string, options: JoinOptions, onJoined?: (joined: Joined) => void): Promise<Answer<'join'>> {
    this.#memberships ??= new Memberships(this.#context, this);
    return this.#memberships.join(roomName, options, onJoined);
  }

  /** Leaves a room; `left` is false when the session was not in it. */
  async leave(roomName: string): Promise<Answer<'leave'>> {
    const membership = this.#memberships?.find(roomName);
    if (!membership) {
      await this.#memberships?.left(roomName);
      return { left: false };
    }
    // What was said before the leave still belongs to the one who leaves.
    this.peer?.deliver(membership);
    const failure = await this.#memberships!.leave(membership, () => this.#tellUnread(membership));
    return failure ? { failure } : { left: true };
  }

  /** Shows the member out of a room, which it is told as the last of it; false when it was not in it. */
  evict(roomName: string): boolean {
    const membership = this.#memberships?.find(roomName);
    if (membership) this.#memberships?.evict(membership);
    return membership !== undefined;
  }

  /** Its user has read what there is up to `seq`: in a room, or of the direct messages with somebody. */
  read({
    room,
    user,
    seq,
  }: {
    readonly room?: string;
    readonly user?: string;
    readonly seq: number;
  }): Answer<'read'> {
    if ((room === undefined) === (user === undefined))
      return failed(FailureCode.BadRequest, 'bad request: either a room or a user');
    const problem = user === undefined ? undefined : userNameProblem(user);
    if (problem) return failed(FailureCode.NameInvalid, problem);
    const { account } = this;
    const membership = room === undefined ? undefined : this.#memberships?.find(room);
    if (room !== undefined && !membership) return failed(FailureCode.NotMember, `not a member of ${room}`);
    // A guest is one session, and knows by itself.
    if (account === undefined) return {};
    this.#reads ??= new ReadMarks(this.#context, this.memberId, account);
    this.#reads.note(membership?.room.key ?? talkKey(user!), seq);
    return {};
  }

  async rename(name: string): Promise<Answer<'rename'>> {
    const problem = userNameProblem(name);
    if (problem) return failed(FailureCode.NameInvalid, problem);
    if (name === this.name) return { name };
    const { authorize, isReserved } = this.#context.options.hooks;
    if (isReserved?.(name)) return failed(FailureCode.NameTaken, `the name ${name} belongs to somebody`);
    // A name that belongs to credentials is not its bearer's to change, unless the program says so.
    const isAllowed = authorize ? await authorize(this.info, 'rename', name) : this.account === undefined;
    if (!isAllowed) return failed(FailureCode.Forbidden, `not allowed to be called ${name}`);
    if (this.ended) return failed(FailureCode.Internal, 'the session has ended');
    if (this.#context.bans.remainingMs(name, '', this.#context.options.clock.monotonic()) > 0) {
      return failed(FailureCode.Forbidden, `the name ${name} is banned`);
    }
    return this.#claimName(name);
  }

  #claimName(name: string): Promise<Answer<'rename'>> {
    const old = this.nameBytes;
    const { log, options } = this.#context;
    return new Promise((resolve) => {
      const origin: Origin = {
        appended: (_entry, outcome) => {
          if (outcome.kind !== 'session-renamed') {
            const message = `somebody is called ${name}, or so much like it`;
            resolve(failed(FailureCode.NameTaken, message));
            return;
          }
          this.#nameBytes = undefined;
          this.input.charge(this.rooms.size * Price.roomTold);
          this.#memberships?.renamed(old);
          resolve({ name });
        },
        refused: (failure) => resolve({ failure }),
      };
      const subject = { sender: this.memberId, name: Buffer.from(name), at: options.clock.now(), origin };
      log.append(claim(ClaimKind.SessionRenamed, subject, undefined));
    });
  }

  /** A member fell behind what the log holds. */
  lagged(membership: Membership): void {
    if (this.#context.options.slowConsumer === 'skip') {
      const from = membership.room.log.positionOf(membership);
      const end = membership.room.log.end();
      membership.moveTo(end);
      this.peer?.gap(membership.room.handle, from, end.start);
      this.#context.counters.readersSkipped++;
    } else {
      this.#context.counters.readersClosed++;
      this.peer?.close(
        CloseCode.SlowConsumer,
        `fell behind the history of ${membership.room.name || 'the inbox'}`,
      );
    }
  }

  /**
   * Puts a new connection in the place of the old one. Cursors go back to what the client has, by room key;
   * the answer describes the rooms as they are streamed from now on, and what of the inbox is gone.
   */
  resume(
    peer: Peer,
    positions: ReadonlyMap<string, number>,
    inboxAfter: number,
    attempt: number | undefined,
  ): Resumed {
    const old = this.peer;
    this.#dropLease();
    this.#life = { name: 'connected', peer };
    this.#context.addresses.sessions.leave(this.#address);
    this.#context.addresses.sessions.enter(peer.address);
    this.#address = peer.address;
    this.#dialect = peer.dialect;
    this.#attempt = attempt ?? this.#attempt;
    old?.close(CloseCode.SessionReplaced, 'the session goes on over another connection');
    this.input.moveTo(peer.input);
    peer.input = this.input;
    this.input.charge(this.rooms.size * Price.roomDescribed);
    const joined = this.#memberships?.comeBack(positions) ?? [];
    const inbox = this.#context.inboxes.find(this.memberId);
    return { joined, inboxGap: this.#inbox && inbox?.comeBack(this.#inbox, inboxAfter) };
  }

  /**
   * The connection of `peer` is gone. After a goodbye the session ends; else it is kept for the resume window
   * if its dialect can resume. A connection that was replaced says nothing about the session any more.
   *
   * @param kind what others are told, should it not come back: one whom the server sent away has left
   */
  disconnected(
    peer: Peer,
    goodbye: boolean,
    resumable: boolean,
    kind: Leaving = goodbye ? NoticeKind.Left : NoticeKind.Gone,
  ): void {
    if (this.peer !== peer) return;
    this.#reads?.flush();
    this.#life = { name: 'leaving' };
    this.#context.sessions.onPeerGone?.();
    const { address } = peer;
    const mayReturn = !goodbye && resumable && this.#context.options.resumeWindowMs > 0;
    // Whoever tears connection after connection must not fill the server with what is kept for his return.
    const isHeld = mayReturn && this.#context.addresses.away.tryEnter(address);
    if (mayReturn && !isHeld) {
      const message = 'one address has too many sessions that are away: another one is not kept';
      this.#context.refusals.refused('maxConnectionsPerAddress', address, message);
    }
    if (!isHeld) {
      this.end(kind);
      return;
    }
    this.#keep(kind, address);
    this.#context.sessions.away(this);
  }

  /**
   * Is a member of these rooms again, after the server was started again. It is away, or gone if its dialect cannot
   * resume; whoever comes back has to show credentials anew.
   */
  recover(places: readonly Place[]): void {
    this.take(places);
    this.#mustAuthenticate = this.#context.options.hooks.authenticate !== undefined;
    if (this.#state.isResumable && this.#context.options.resumeWindowMs > 0) {
      this.#keep(NoticeKind.Gone, undefined);
    } else {
      this.end(NoticeKind.Gone);
    }
  }

  /** Is a member of these rooms, as it was where it comes from. */
  take(places: readonly Place[]): void {
    if (places.length === 0) return;
    this.#memberships = new Memberships(this.#context, this);
    for (const { room, joinedSeq } of places) this.#memberships.recover(room, joinedSeq);
  }

  /**
   * Is not held here any more, and does not end: it goes on at another process, or may.
   *
   * @returns what is to be kept of it
   */
  letGo(code: CloseCode, reason: string, retryAfterMs?: number): Omit<Kept, 'publishedAt'> {
    this.#drop(code, reason, retryAfterMs);
    return this.#record ? { record: this.#record } : {};
  }

  /** Was ended by an entry of the log, which told of it: says so to its client. */
  expelled({ code, reason }: Kick): void {
    const places = [...this.rooms.values()];
    this.#drop(code, reason);
    for (const { room } of places) this.#context.sessions.roomLeft(this, room.name);
    this.#context.sessions.ended(this);
  }

  #drop(code: CloseCode, reason: string, retryAfterMs?: number): void {
    const { peer } = this;
    this.#reads?.flush();
    this.#dropLease();
    this.#dropCredentials();
    this.#life = { name: 'ended' };
    if (peer) {
      peer.close(code, reason, retryAfterMs);
      this.#context.sessions.onPeerGone?.();
    }
    this.#memberships?.retire();
    this.#leaveInbox();
  }

  #leaveInbox(): void {
    this.#inbox?.room.members.delete(this.memberId);
    this.#inbox?.retire();
  }

  /** Is kept for the resume window; then others are told `kind`. */
  #keep(kind: Leaving, from: string | undefined): void {
    const lease = this.#context.wheel.schedule(this.#context.options.resumeWindowMs, () => this.end(kind));
    this.#life = { name: 'away', lease, from };
  }

  /** Shows the member out for good: a client that tries to resume is told why it cannot. */
  kick(kick: Kick): void {
    if (this.#context.log.process !== undefined) {
      claimKick(this.#context, this.memberId, kick);
      return;
    }
    const { peer } = this;
    const { kicked, options } = this.#context;
    const { resumeWindowMs: window, clock } = options;
    // Known at once, though the log takes its time.
    if (!this.ended) kicked.add(this.#state, kick, clock.monotonic() + window, clock.monotonic());
    if (peer) {
      this.#life = { name: 'leaving' };
      peer.close(kick.code, kick.reason);
      this.#context.sessions.onPeerGone?.();
    }
    this.#end(NoticeKind.Left, window > 0 ? { ...kick, until: clock.now() + window } : undefined);
  }

  /** Leaves all rooms and frees the name. Idempotent. */
  end(kind: Leaving): void {
    this.#end(kind, undefined);
  }

  #end(kind: Leaving, kick: SessionKicked | undefined): void {
    if (this.ended) return;
    this.#reads?.flush();
    this.#dropLease();
    this.#life = { name: 'ended' };
    this.#dropCredentials();
    for (const membership of [...this.rooms.values()]) this.#memberships?.go(membership, kind);
    this.#leaveInbox();
    this.#context.sessions.ended(this);
    this.#claimEnd(kick);
  }

  /** Tells the log that the name is free, and why its client must not go on. */
  #claimEnd(kick: SessionKicked | undefined): void {
    const name = Buffer.from(this.name);
    const subject = { sender: this.memberId, name, at: this.#context.options.clock.now() };
    const end = kick
      ? claim(ClaimKind.SessionKicked, subject, kick)
      : claim(ClaimKind.SessionEnded, subject, undefined);
    this.#context.steady.append(end);
  }

  /** Where the members of the line dialect talk. */
  get lobby(): Membership | undefined {
    return this.#memberships?.find(LOBBY);
  }

  /** Tells one that has just left which entries before its leaving it will not get, since it was behind. */
  #tellUnread(membership: Membership): void {
    const { handle, log } = membership.room;
    const isUpToDate = !membership.recall && log.lagBytes(membership) <= log.newest().length;
    if (membership.isRetired || isUpToDate) return;
    this.peer?.gap(handle, log.positionOf(membership), log.previousSeq);
  }

  #dropCredentials(): void {
    if (this.#credentials) this.#context.wheel.cancel(this.#credentials);
    this.#credentials = undefined;
  }

  #dropLease(): void {
    if (this.#life.name !== 'away') return;
    const { lease, from } = this.#life;
    this.#context.wheel.cancel(lease);
    if (from !== undefined) this.#context.addresses.away.leave(from);
  }
}

function failed(code: FailureCode, message: string): { failure: Failure } {
  return { failure: { code, message } };
}
