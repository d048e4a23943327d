/**
 * The server as its user sees it: listeners in front, the chat behind, and a life from `listen` to `close`.
 *
 * Longer than most files here: a good half is what users read about its types and methods.
 */
import type { EventEmitter } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { CloseCode, type Codec } from '@chat/protocol';
import { type ModerationBody, NoticeKind, type ResponseBodies, type Role } from '@chat/protocol/frames';
import { Acceptor } from '../connection/acceptor.js';
import type { TlsCertificates } from '../connection/tls.js';
import { BinaryDialect } from '../dialects/binary/binary-dialect.js';
import { HttpDialect } from '../dialects/http/http-dialect.js';
import { LineDialect } from '../dialects/line/line-dialect.js';
import { ServerError, ServerErrorCode } from '../errors.js';
import { OPERATOR } from '../moderation/operator.js';
import type { SessionInfo } from '../options/hooks.js';
import type { AdjustableLimits, LimitOptions } from '../options/limits.js';
import { assertNames } from '../options/option-names.js';
import {
  adjustOptions,
  type ChatServerOptions,
  limitsOf,
  type ResolvedOptions,
  resolveOptions,
} from '../options/options.js';
import type { SessionEvents } from '../session/sessions.js';
import { createCore, type ServerCore } from './core.js';
import { DRAIN_NAMES, type DrainOptions, type DrainResult, drainSessions } from './drain.js';
import { Listeners, type ListenOptions, type ServerEvents } from './listeners.js';
import { Attachments, type AttachOptions } from './listening/attachments.js';
import {
  assertListenAddress,
  type ListenAddress,
  Listening,
  type ListeningAddress,
  type TcpAddress,
  type UnixAddress,
} from './listening/listening.js';
import {
  type MemberInfo,
  maxLagBytesOf,
  membersOf,
  type ServerStats,
  statsOf,
  type UserInfo,
  usersOf,
} from './overview.js';
import type { RoomEntry } from './program/entry.js';
import type { FeedEntry, FeedOptions } from './program/feed.js';
import { type ForgetWish, forget } from './program/forget.js';
import type { RoomHistory, RoomHistoryOptions } from './program/history.js';
import { type ModerateOptions, moderate, type SetRoleOptions, setRole } from './program/moderate.js';
import type { RoomsPage, RoomsQuery } from './program/program.js';
import type { Published, PublishedDirect, PublishOptions } from './program/publisher.js';
import type { SubscribeOptions } from './program/subscription.js';
import { assertRuntime } from './runtime.js';

/**
 * Creates a server. It does nothing until `listen`.
 *
 * @throws ServerError `ERR_SERVER_BAD_OPTION` when an option does not exist, or options do not fit together;
 *   `ERR_SERVER_UNSUPPORTED_RUNTIME` in Bun
 *
 * @example
 * ```ts
 * import assert from 'node:assert';
 * import { createChatServer } from '@chat/server';
 *
 * const server = createChatServer({ maxSessions: 100 });
 * const { port } = await server.listen({ port: 0, host: '127.0.0.1' });
 * assert(port > 0);
 * await server.close();
 * ```
 */
export function createChatServer(options: ChatServerOptions = {}): ChatServer {
  assertRuntime(process.versions);
  return new ChatServer(resolveOptions(options));
}

/** A chat server. Made by {@link createChatServer}. */
export class ChatServer {
  readonly #core: ServerCore;
  readonly #options: ResolvedOptions;
  readonly #http: HttpDialect;
  readonly #acceptor: Acceptor;
  readonly #events: Listeners;
  readonly #listening: Listening;
  readonly #attachments: Attachments;
  #opened: Promise<void> | undefined;
  #draining: Promise<DrainResult> | undefined;
  #closing: Promise<void> | undefined;

  /** @internal */
  constructor(options: ResolvedOptions) {
    this.#options = options;
    this.#events = new Listeners(options.logger);
    this.#core = createCore(options, (name, info) => this.#emit(name, info));
    this.#http = new HttpDialect(this.#core, options.http);
    this.#acceptor = new Acceptor(this.#core, {
      binary: new BinaryDialect(this.#core),
      line: new LineDialect(this.#core),
      http: this.#http,
    });
    this.#listening = new Listening(this.#core, this.#acceptor);
    this.#attachments = new Attachments(this.#acceptor, this.#http, options.clock);
  }

  /** Where the server listens, in the order of the calls to `listen`. */
  get addresses(): readonly ListeningAddress[] {
    return this.#listening.addresses;
  }

  /** The first of {@link ChatServer.addresses}. */
  get address(): ListeningAddress | undefined {
    return this.addresses[0];
  }

  /** Names this life of the log: positions are comparable within it. */
  get epoch(): string {
    return this.#core.log.epoch;
  }

  /** Position of the newest entry of the log: 0 before the first one. What is appended later has a higher one. */
  get position(): number {
    return this.#core.state.position;
  }

  /**
   * Starts to listen; may be called several times, for several addresses.
   *
   * @returns the real address, also where port 0 was asked for
   * @throws ServerError `ERR_SERVER_LISTEN` with the system's error as `cause`, `ERR_SERVER_CLOSED`,
   *   `ERR_SERVER_BAD_OPTION` when an option does not exist, or certificate and key cannot be used
   */
  listen(address?: ListenAddress & { readonly path?: never }): Promise<TcpAddress>;
  listen(address: ListenAddress & { readonly path: string }): Promise<UnixAddress>;
  listen(address?: ListenAddress): Promise<ListeningAddress>;
  async listen(address: ListenAddress = {}): Promise<ListeningAddress> {
    assertListenAddress(address);
    if (this.#closing || this.#draining)
      throw new ServerError(ServerErrorCode.Closed, 'the server was closed');
    await this.#open();
    return this.#listening.listen(address);
  }

  /**
   * Puts the chat into an application that has an HTTP server: WebSockets at one path of it are members of this chat,
   * with the limits, the checks of pages and the trusted proxies of the own port. Everything else stays with the
   * application, other WebSockets as well. The server need not `listen`; `drain` and `close` end these connections too.
   *
   * @param server an `http.Server` or `https.Server`, as that of Express or `fastify.server`
   * @returns takes no new connection of that server any more
   * @throws ServerError `ERR_SERVER_BAD_OPTION`, `ERR_SERVER_CLOSED`
   *
   * @example
   * ```ts
   * import assert from 'node:assert';
   * import { once } from 'node:events';
   * import { createServer } from 'node:http';
   * import { createChatServer } from '@chat/server';
   *
   * const application = createServer((_request, response) => void response.end('my page'));
   * const chat = createChatServer();
   * chat.attach(application, { path: '/chat' }); // clients: connect('ws://localhost:3000/chat', …)
   *
   * application.listen(0, '127.0.0.1');
   * await once(application, 'listening');
   * const { port } = application.address() as { port: number };
   * const headers = { Connection: 'close' };
   * assert.equal(await (await fetch(`http://127.0.0.1:${port}/`, { headers })).text(), 'my page');
   *
   * await chat.close();
   * application.close();
   * ```
   */
  attach(server: EventEmitter, options: AttachOptions = {}): () => void {
    if (this.#closing) throw new ServerError(ServerErrorCode.Closed, 'the server was closed');
    return this.#attachments.attach(server, options, (request, socket, head) =>
      this.handleUpgrade(request, socket, head),
    );
  }

  /**
   * Takes one upgrade that an application has decided to be of this chat: the arguments of the event `upgrade` of its
   * HTTP server. What is no WebSocket, or may not come in, is refused on the socket.
   */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    void this.#attachments.handleUpgrade(request, socket, head, this.#use());
  }

  /**
   * Exchanges the certificates of every listener that has one; names that are not given keep theirs. Open connections
   * stay as they are.
   *
   * @throws ServerError `ERR_SERVER_BAD_OPTION` when certificate and key cannot be used
   */
  reloadCertificate(certificates: TlsCertificates): void {
    this.#listening.reloadCertificate(certificates);
  }

  /**
   * Changes limits while people are connected, for instance in an attack. They hold for what comes next: nobody who is
   * in is shown out for them.
   *
   * @throws ServerError `ERR_SERVER_BAD_OPTION` when a limit cannot work, or cannot be changed later; none is changed then
   */
  adjust(limits: AdjustableLimits): void {
    adjustOptions(this.#options, limits);
  }

  /** All limits as they are now, by name. A copy. */
  limits(): Required<LimitOptions> {
    return limitsOf(this.#options);
  }

  /**
   * Address of the client that a request is of: behind a proxy of `trustedProxies` the one that its `X-Forwarded-For`
   * names. Empty for a Unix socket.
   */
  clientAddress(request: IncomingMessage): string {
    return this.#http.clientAddress(request);
  }

  /**
   * Listens to what happens. A listener that throws is logged and stops nobody.
   *
   * @returns removes the listener
   * @throws ServerError `ERR_SERVER_BAD_OPTION` when there is no such event
   *
   * @example
   * ```ts
   * import assert from 'node:assert';
   * import { connect } from 'node:net';
   * import { createChatServer } from '@chat/server';
   *
   * await using server = createChatServer();
   * const { port } = await server.listen({ host: '127.0.0.1', port: 0 });
   * const opened = new Promise<string>((resolve) => {
   *   server.on('session-opened', ({ name }) => resolve(name));
   * });
   * const socket = connect(port, '127.0.0.1', () => socket.write('ada\n'));
   * assert.equal(await opened, 'ada');
   * socket.destroy();
   * ```
   */
  on<Name extends keyof ServerEvents>(
    name: Name,
    listener: (event: ServerEvents[Name]) => unknown,
    options?: ListenOptions,
  ): () => void {
    const remove = this.#events.on(name, listener, options);
    // Turns are measured once somebody wants to know.
    if (name === 'turn-ended') {
      this.#core.fanOut.onTurn ??= (durationMs) => this.#events.emit('turn-ended', { durationMs });
    }
    return remove;
  }

  /** Totals and gauges now. */
  stats(): ServerStats {
    return statsOf(this.#core, this.#acceptor.connectionCount);
  }

  /** How far behind the reader is that is furthest behind, in bytes. Looks at every member of every room. */
  maxLagBytes(): number {
    return maxLagBytesOf(this.#core.sessions);
  }

  /**
   * Everybody who is here, sessions that are away included, and those that other processes hold, whose `claims` are not
   * known here. A copy.
   */
  sessions(): readonly MemberInfo[] {
    return membersOf(this.#core);
  }

  /** Everybody who is here, by name: a user has one session or several. A copy. */
  users(): readonly UserInfo[] {
    return usersOf(this.sessions());
  }

  /**
   * Says something in a room, which is made if need be: the way in which the program around the server speaks. It is no
   * member: the sender of the message has the id 0, hooks are not asked, and no rate is charged.
   *
   * @returns where the message is, once the log has it at the durability that was chosen
   * @throws ServerError `ERR_SERVER_ROOM_INVALID`, `ERR_SERVER_NAME_INVALID` for `as`, `ERR_SERVER_TOO_LARGE`,
   *   `ERR_SERVER_TOO_MANY_ROOMS`, `ERR_SERVER_UNAVAILABLE` when the log cannot take it, `ERR_SERVER_CLOSED`
   * @throws TypeError when the codec cannot take the value
   *
   * @example
   * ```ts
   * import assert from 'node:assert';
   * import { createChatServer } from '@chat/server';
   *
   * await using server = createChatServer();
   * const { seq } = await server.publish('news', 'the build is green', { as: 'ci' });
   * const { entries } = await server.history('news');
   * assert.equal(entries[0]?.type === 'message' && entries[0].value, 'the build is green');
   * for await (const entry of server.subscribe('news', { after: seq - 1 })) {
   *   assert(entry.type === 'message' && entry.sender.name === 'ci' && entry.sender.id === 0);
   *   break;
   * }
   * ```
   */
  publish(room: string, value: string, options: PublishOptions): Promise<Published>;
  publish<T>(
    room: string,
    value: T,
    options: PublishOptions<T> & { readonly codec: Codec<T> },
  ): Promise<Published>;
  async publish<T>(room: string, value: T, options: PublishOptions<T>): Promise<Published> {
    await this.#use();
    return this.#core.program.publish(room, value, options);
  }

  /**
   * Sends a direct message to a user, as {@link ChatServer.publish}.
   *
   * @returns its place, and whether it is on its way or waits for a user who is away
   * @throws ServerError `ERR_SERVER_NO_SUCH_USER` when nobody has the name, `ERR_SERVER_INBOX_FULL` when the user is away
   * and no more can wait, and those of `publish`
   */
  direct(user: string, value: string, options: PublishOptions): Promise<PublishedDirect>;
  direct<T>(
    user: string,
    value: T,
    options: PublishOptions<T> & { readonly codec: Codec<T> },
  ): Promise<PublishedDirect>;
  async direct<T>(user: string, value: T, options: PublishOptions<T>): Promise<PublishedDirect> {
    await this.#use();
    return this.#core.program.direct(user, value, options);
  }

  /**
   * Rooms by name, page by page, those included that are empty and still kept.
   *
   * @throws ServerError `ERR_SERVER_BAD_OPTION`
   */
  async rooms(query: RoomsQuery = {}): Promise<RoomsPage> {
    await this.#use();
    return this.#core.program.rooms(query);
  }

  /**
   * A page of what was said in a room: of a room that was forgotten as well, where a store has it.
   *
   * @throws ServerError `ERR_SERVER_NO_SUCH_ROOM`, `ERR_SERVER_ROOM_INVALID`, `ERR_SERVER_BAD_OPTION`, or that of the store
   */
  history(room: string, options?: RoomHistoryOptions): Promise<RoomHistory>;
  history<T>(
    room: string,
    options: RoomHistoryOptions<T> & { readonly codec: Codec<T> },
  ): Promise<RoomHistory<T>>;
  async history<T>(room: string, options: RoomHistoryOptions<T> = {}): Promise<RoomHistory<T>> {
    await this.#use();
    return this.#core.program.history(room, options);
  }

  /**
   * Reads a room from a position on, or from now on: a cursor, which holds nothing but its position, however slowly it is
   * read. What the log does not keep for it is told as a gap. A room that is not there yet, or is forgotten and made
   * again, is waited for. The iterator ends by `break`, by its signal, or with the server, and holds nothing then.
   *
   * @throws ServerError `ERR_SERVER_ROOM_INVALID`, `ERR_SERVER_BAD_OPTION`
   */
  subscribe(room: string, options?: SubscribeOptions): AsyncIterableIterator<RoomEntry>;
  subscribe<T>(
    room: string,
    options: SubscribeOptions<T> & { readonly codec: Codec<T> },
  ): AsyncIterableIterator<RoomEntry<T>>;
  subscribe<T>(room: string, options: SubscribeOptions<T> = {}): AsyncIterableIterator<RoomEntry<T>> {
    return this.#core.program.subscribe(room, options);
  }

  /**
   * Reads everything that happens in all rooms, from a position on or from now on, in the order of the log: what
   * {@link ChatServer.subscribe} is for one room. Direct messages are not in it. Behind the newest 4096 entries (4 MiB) it
   * reads from the store; where there is none, it is told of a gap.
   *
   * @returns an iterator that ends by `break`, by its signal, or with the server
   * @throws ServerError `ERR_SERVER_BAD_OPTION`, `ERR_SERVER_CLOSED`
   *
   * @example
   * ```ts
   * import assert from 'node:assert';
   * import { createChatServer } from '@chat/server';
   *
   * await using server = createChatServer();
   * const feed = await server.feed();
   * await server.publish('news', 'the build is green', { as: 'ci' });
   * const happened: string[] = [];
   * for await (const entry of feed) {
   *   happened.push(entry.type);
   *   if (entry.type === 'message') break;
   * }
   * assert.deepEqual(happened, ['room-opened', 'message']);
   * ```
   */
  async feed(options: FeedOptions = {}): Promise<AsyncIterableIterator<FeedEntry>> {
    await this.#use();
    return this.#core.program.feed(options);
  }

  /** Shows the member of that name out; its client does not come back by itself. False: nobody has it. */
  kick(name: string, reason = 'kicked'): boolean {
    return this.#done(this.#core.operator.kick(name, reason), 'kick', name, `has kicked ${name}: ${reason}`);
  }

  /**
   * Shows the member of that name out, and for a while refuses the name and the address it came from. An address that
   * is in `exemptAddresses` is not refused: many stand behind it.
   *
   * @param durationMs `Infinity` for as long as the server lives
   * @returns whether somebody had the name; it is banned in either case
   */
  ban(name: string, durationMs: number, reason = 'banned'): boolean {
    const wasHere = this.#core.operator.ban(name, durationMs, reason, OPERATOR);
    this.#done(true, 'ban', name, `has banned ${name}: ${reason}`);
    return wasHere;
  }

  /**
   * Refuses an address (IPv6: its /64), or a range such as `192.0.2.0/24`, for a while, and shows out everybody who came from there.
   *
   * @returns false when it is no address, or in `exemptAddresses`
   */
  banAddress(address: string, durationMs: number, reason = 'banned'): boolean {
    const isDone = this.#core.operator.banAddress(address, durationMs, reason, OPERATOR);
    return this.#done(isDone, 'ban', address, `has banned ${address}: ${reason}`);
  }

  /** Ends the ban of a name, or of an address. False: there was none. */
  unban(nameOrAddress: string): boolean {
    const isDone = this.#core.operator.unban(nameOrAddress);
    return this.#done(isDone, 'unban', nameOrAddress, `has ended the ban of ${nameOrAddress}`);
  }

  /**
   * Shows the member of that name out of one room; its client is told so by the notice that it left, and does not
   * join again by itself. It may, unless `authorize` forbids it. In the line dialect this ends the session.
   *
   * @returns false when nobody has the name, or not in this room
   */
  removeFromRoom(name: string, room: string): boolean {
    const isDone = this.#core.operator.evict(name, room);
    return this.#done(isDone, 'kick', name, `has kicked ${name} out of ${room}`, room);
  }

  /**
   * Gives a user a role in the whole server, or in one room; `'none'` takes it away. It belongs to the account, or, where
   * `authenticate` has given no name, to the session and ends with it. It counts at once, for those who are here as well.
   *
   * @returns the role that counts there now
   * @throws ServerError as {@link ChatServer.moderate}
   */
  async setRole(user: string, role: Role | 'none', options: SetRoleOptions = {}): Promise<Role> {
    await this.#use();
    return setRole(this.#core.moderation, user, role, options);
  }

  /**
   * Does what a moderator may ask for over the wire (`docs/moderation.md`), whatever role it takes: mutes, bans, topics,
   * invitations, messages that are taken back. It is written down, and survives a restart where the log does.
   *
   * @throws ServerError `ERR_SERVER_NO_SUCH_USER`, `ERR_SERVER_NO_SUCH_ROOM`, `ERR_SERVER_NO_SUCH_MESSAGE`,
   *   `ERR_SERVER_NAME_INVALID`, `ERR_SERVER_ROOM_INVALID`, `ERR_SERVER_BAD_OPTION`, `ERR_SERVER_TOO_LARGE`,
   *   `ERR_SERVER_UNAVAILABLE` when the log cannot take it, `ERR_SERVER_CLOSED`
   *
   * @example
   * ```ts
   * import assert from 'node:assert';
   * import { createChatServer } from '@chat/server';
   *
   * await using server = createChatServer();
   * await server.moderate({ op: 'mute', user: 'eve', room: 'lobby', durationMs: 600_000, reason: 'spam' });
   * const { bans } = await server.moderate({ op: 'bans', room: 'lobby' });
   * assert(bans[0]?.kind === 'mute' && bans[0].target === 'eve');
   * ```
   */
  async moderate<Request extends ModerationBody>(
    request: Request,
    options: ModerateOptions = {},
  ): Promise<ResponseBodies[Request['op']]> {
    await this.#use();
    return moderate(this.#core.moderation, request, options);
  }

  /**
   * After permissions have changed: asks `authorize` again whether members may be in the rooms they are in, and
   * shows those out who may not, as {@link ChatServer.removeFromRoom}.
   *
   * @param name asks about this member only
   * @returns how many were shown out of a room; rejects with an `AggregateError` when the hook threw for some, who
   *   stay, after all others were asked about
   */
  reauthorize(name?: string): Promise<number> {
    return this.#core.operator.reauthorize(name);
  }

  /**
   * Asks the client of that member for new credentials: its connection is closed with `credentials-expired`, it
   * comes back by itself, `authenticate` decides again, and nothing is lost. False: nobody has the name.
   */
  reauthenticate(name: string): boolean {
    return this.#core.operator.reauthenticate(name);
  }

  /**
   * Ends sessions at once whose credentials are good no more, those that are away included: the connection is closed
   * with `unauthorized`, and the client does not come back by itself. It may come in again with other credentials. May be
   * called from a listener of `session-opened`, so that nobody slips in whom `authenticate` let in a moment too early.
   * Where several processes share the log, each ends the sessions that it holds.
   *
   * @param isMeant is asked about each session that this process holds
   * @returns how many were ended
   */
  revoke(isMeant: (session: SessionInfo) => boolean, reason = 'the credentials are no longer good'): number {
    return this.#core.sessions.revoke(isMeant, reason);
  }

  /**
   * Forgets what was said: in a room, by a user, by a member, or by one of them in a room. It is gone from the pages of
   * history, from the store (whose bytes are written over) and from what can be searched. Those who have it on their screens
   * keep it, and copies are not touched.
   *
   * @returns how many messages and notices went, once they have
   * @throws ServerError `ERR_SERVER_BAD_OPTION`, `ERR_SERVER_ROOM_INVALID`, or that of the store
   */
  async forget(wish: ForgetWish): Promise<number> {
    await this.#use();
    return forget(this.#core, wish);
  }

  /**
   * Goes away without losing anything: stops accepting, tells every client when to come back, waits until
   * what they sent is acknowledged and what they are to get is flushed, closes. Idempotent.
   *
   * @example
   * ```ts
   * import assert from 'node:assert';
   * import { createChatServer } from '@chat/server';
   *
   * const server = createChatServer();
   * await server.listen({ host: '127.0.0.1', port: 0 });
   * // In a program: process.once('SIGTERM', () => server.drain()), and the process ends by itself.
   *
   * const { forced } = await server.drain({ deadlineMs: 5000 });
   * assert.equal(forced, 0); // sessions that did not go in time
   * ```
   */
  drain(options: DrainOptions = {}): Promise<DrainResult> {
    try {
      assertNames(options, DRAIN_NAMES, { method: 'drain' });
    } catch (error) {
      return Promise.reject(error);
    }
    this.#draining ??= this.#drain(options);
    return this.#draining;
  }

  /** Closes at once, telling every client; nothing of the server keeps the process alive then. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Keeps the record of what the program has done. */
  #done(isDone: boolean, action: string, user: string, text: string, room = ''): boolean {
    if (isDone)
      this.#core.moderation.record({ by: OPERATOR, action, room, user, text: `${OPERATOR} ${text}` });
    return isDone;
  }

  #open(): Promise<void> {
    this.#opened ??= this.#core.open();
    return this.#opened;
  }

  /** The log is open once somebody uses the server, also when it does not listen. */
  async #use(): Promise<void> {
    if (this.#closing) throw new ServerError(ServerErrorCode.Closed, 'the server was closed');
    await this.#open();
  }

  async #drain(options: DrainOptions): Promise<DrainResult> {
    this.#core.admission.close();
    // Resolves only when the last connection is gone, which is what the next lines bring about.
    void this.#listening.stop();
    const flushed = (): Promise<void> => this.#acceptor.flushed();
    const result = await drainSessions(this.#core, flushed, options);
    await this.close();
    return result;
  }

  async #close(): Promise<void> {
    this.#core.admission.close();
    const closed = this.#listening.stop();
    for (const session of [...this.#core.sessions]) {
      session.peer?.close(CloseCode.GoingAway, 'the server goes away');
    }
    this.#http.close();
    this.#attachments.close();
    // One turn for the last words; then nobody is waited for.
    await new Promise<void>((resolve) => setImmediate(resolve));
    this.#acceptor.destroy();
    await closed;
    // A log that outlives the process keeps them for the next one, or for another, which their clients come back to.
    const { durability = 'none', process } = this.#core.log;
    const isLast = durability === 'none' && process === undefined;
    if (isLast) for (const session of [...this.#core.sessions]) session.end(NoticeKind.Left);
    await this.#core.close();
  }

  #emit<Name extends keyof SessionEvents>(name: Name, event: SessionEvents[Name]): void {
    this.#options.logger.debug({ member: event.memberId, dialect: event.dialect }, name);
    this.#events.emit(name, event as ServerEvents[Name]);
  }
}
