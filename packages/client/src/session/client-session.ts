/**
 * What stands behind a {@link ChatClient}: one session over as many connections as it takes.
 *
 * The life of a client is the union {@link ClientState}, changed in `#become` alone. A connection hands its
 * frames to this class, which gives them to the part that waits for them; when the connection ends, `onEnd`
 * decides whether there is another, and `onWelcome` puts everything back:
 *
 *  1. session resumed: rooms go on where they stopped, unacknowledged messages are sent again;
 *  2. session lost: rooms are joined again after the last entry that was seen, and messages wait until they are.
 */
import {
  type Codec,
  encodeDirect,
  FrameType,
  type Hello,
  type SessionLimits,
  textCodec,
  type Welcome,
} from '@chat/protocol';
import {
  type ChatClient,
  CLIENT_EVENTS,
  type ClientEvents,
  type ClientState,
  type RoomsOptions,
  type RoomsPage,
} from '../chat-client.js';
import { type AnswerFrame, Connection, type ConnectionHandler } from '../connection/connection.js';
import { Reconnect } from '../connection/reconnect.js';
import type { OpenTransport } from '../connection/transport.js';
import { assertFits, ClientError } from '../errors.js';
import type { Stream, StreamOptions } from '../events/event-queue.js';
import { type Listener, Listeners, type ListenOptions } from '../events/listeners.js';
import { onAbort } from '../events/on-abort.js';
import { assertKnown, type ConnectOptions, type Platform, type Settings, settle } from '../options.js';
import { type DirectMessage, Identity, type Notice } from '../rooms/entry.js';
import { EntryStream, type StreamItem, type StreamOwner } from '../rooms/entry-stream.js';
import type { JoinOptions, Room, SendOptions, Sent } from '../rooms/room.js';
import { type RoomHost, RoomStream } from '../rooms/room-stream.js';
import { RoomStreams } from '../rooms/room-streams.js';
import { type IdentityStore, loadIdentity, makeIdentity, type Self } from './identity.js';
import { Outbox, type PublishTarget } from './outbox.js';
import { Requests } from './requests.js';

interface Opening {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
}

export class ClientSession<D> implements ChatClient<D>, ConnectionHandler, RoomHost, StreamOwner<D> {
  readonly #platform: Platform;
  readonly #settings: Settings;
  readonly #signal: AbortSignal | undefined;
  readonly #transport: OpenTransport | undefined;
  readonly #listeners: Listeners<ClientEvents<D>>;
  readonly #outbox: Outbox;
  readonly #directCodec: Codec<D>;
  readonly #rooms: RoomStreams;
  readonly #reconnect: Reconnect;
  /** Direct messages: begins anew when the client is closed. */
  #inbox: EntryStream<D>;
  #session: { readonly session: string; readonly secret: string; readonly epoch: string } | undefined;
  #connection: Connection | undefined;
  #opening: Opening | undefined;
  #closing: Promise<void> = Promise.resolve();
  /** As whom all hellos are said: a session whose welcome never arrived does not keep the name from this client. */
  #self: Self | Promise<Self> | undefined;
  /** Resolved when the store of the identity may be asked again. */
  #released: Promise<unknown> = Promise.resolve();
  /** Whether there was a welcome since `connect()`. */
  #welcomed = false;
  #stopWaking: (() => void) | undefined;

  readonly url: string;
  state: ClientState = { status: 'idle' };
  limits: SessionLimits | undefined;
  readonly identity: Identity = new Identity();
  readonly requests: Requests;

  /** @param maxPublishId after how many messages a new session begins */
  constructor(platform: Platform, url: string | URL, options: ConnectOptions<D>, maxPublishId?: number) {
    this.#platform = platform;
    this.#settings = settle(options);
    this.#signal = options.signal;
    this.#transport = options.transport;
    this.#directCodec = options.directCodec ?? (textCodec as Codec<unknown> as Codec<D>);
    this.url = String(url);
    this.identity.name = options.name;
    const { clock, outbox, random, reconnect, requestTimeoutMs } = this.#settings;
    this.#listeners = new Listeners(CLIENT_EVENTS, (error, event) => this.onListenerError(error, event));
    this.#outbox = new Outbox(outbox, clock, () => this.#renewSession(), maxPublishId);
    this.requests = new Requests(clock, requestTimeoutMs);
    this.#inbox = this.#newInbox();
    this.#rooms = new RoomStreams(this, clock);
    this.#reconnect = new Reconnect(reconnect, clock, random, () => void this.#tryOnce());
  }

  get name(): string {
    return this.identity.name;
  }

  get id(): number {
    return this.identity.id;
  }

  get sessionId(): string | undefined {
    return this.#session?.session;
  }

  get epoch(): string {
    return this.identity.epoch;
  }

  get joined(): ReadonlyMap<string, Room<unknown>> {
    return this.#rooms.byName;
  }

  connect(): Promise<void> {
    if (this.#opening) return this.#opening.promise;
    const signal = this.#signal;
    if (signal?.aborted) return Promise.reject(signal.reason);
    const opening = {} as Opening;
    const promise = new Promise<void>((resolve, reject) => Object.assign(opening, { resolve, reject }));
    const stopWaiting = onAbort(signal, () => {
      this.#shut(closed('connecting was aborted', signal?.reason), signal?.reason);
    });
    promise.then(stopWaiting, stopWaiting);
    this.#opening = Object.assign(opening, { promise });
    this.#stopWaking = this.#platform.onWake?.(() => this.#wake());
    this.#become({ status: 'connecting' });
    void this.#tryOnce();
    return promise;
  }

  async join<T = string>(room: string, options: JoinOptions<T> = {}): Promise<Room<T>> {
    this.#assertNotClosed();
    return this.#rooms.join(room, options);
  }

  async leave(room: string): Promise<boolean> {
    return this.#rooms.leaveByName(room);
  }

  async rename(name: string): Promise<string> {
    this.#assertNotClosed();
    const answer = await this.requests.ask(
      { op: 'rename', name },
      { onAnswer: ({ name: accepted }) => this.#takeName(accepted) },
    );
    return answer.name;
  }

  async rooms({ signal, ...page }: RoomsOptions = {}): Promise<RoomsPage> {
    assertKnown('prefix,limit,cursor', page);
    this.#assertNotClosed();
    return this.requests.ask({ op: 'rooms', ...page }, { signal });
  }

  direct(name: string, value: D, options?: SendOptions): Promise<Sent> {
    const target: PublishTarget = {
      publishFrame: (publishId, codec, body) => encodeDirect(publishId, codec, name, body),
    };
    return this.publish(target, this.#directCodec, value, options);
  }

  directs(options: StreamOptions = {}): Stream<DirectMessage<D>> {
    const queue = this.#listeners.stream(options, 'direct');
    if (!queue.ended) this.#inbox.release();
    return queue;
  }

  status(options: StreamOptions = {}): Stream<ClientState> {
    const queue = this.#listeners.stream(options, 'state');
    queue.push(this.state);
    if (this.state.status === 'closed') queue.end();
    return queue;
  }

  on<Name extends keyof ClientEvents<D>>(
    event: Name,
    listener: Listener<ClientEvents<D>[Name]>,
    options?: ListenOptions,
  ): () => void {
    const remove = this.#listeners.on(event, listener, options);
    if (event === 'direct') this.#inbox.release();
    return remove;
  }

  async ping(): Promise<number> {
    if (this.state.status !== 'open') {
      throw new ClientError('ERR_CLIENT_CONNECTION_LOST', `the client is ${this.state.status}`);
    }
    return this.#connection!.ping();
  }

  reconnectNow(): void {
    this.#reconnect.now();
  }

  close(): Promise<void> {
    if (this.state.status !== 'closed') this.#shut(closed('the client was closed'));
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  // What rooms need.

  publish<T>(
    target: PublishTarget,
    codec: Codec<T>,
    value: T,
    options: SendOptions | undefined,
  ): Promise<Sent> {
    const sent = this.#publish(target, codec, value, options);
    // Whoever does not wait for the outcome must not bring the process down with it.
    sent.catch(() => {});
    return sent;
  }

  sendVolatile(frame: Uint8Array): boolean {
    return this.state.status === 'open' && this.#connection!.sendVolatile(frame);
  }

  leaveRoom(room: RoomStream<unknown>): Promise<void> {
    return this.#rooms.leave(room);
  }

  dropRoom(room: RoomStream<unknown>): void {
    this.#rooms.drop(room);
  }

  onRoomSettled(room: RoomStream<unknown>): void {
    this.#outbox.settled(room);
  }

  retryDelayMs(retryAfterMs: number): number {
    return Math.min(retryAfterMs, this.#settings.reconnect.maxRetryAfterMs);
  }

  emit<Name extends keyof ClientEvents<D> & string>(event: Name, value: ClientEvents<D>[Name]): void {
    this.#listeners.emit(event, value);
  }

  onListenerError(error: unknown, event: string): void {
    if (event !== 'listener-error' && this.#listeners.has('listener-error')) {
      this.emit('listener-error', { error, event });
      return;
    }
    queueMicrotask(() => {
      throw error;
    });
  }

  // What the inbox tells.

  isListening(): boolean {
    return this.#listeners.count > 0;
  }

  onItem(item: StreamItem<D>): void {
    if (item.type !== 'message' && item.type !== 'notice') this.emit(item.type, item as never);
  }

  onNotice({ kind, member }: Notice): void {
    if (kind === 'renamed' && member.id === this.identity.id) this.#takeName(member.name);
  }

  // What the connection tells.

  onWelcome(connection: Connection, welcome: Welcome): void {
    const { session, secret, epoch, inbox, limits } = welcome;
    const resumed = welcome.resumed && this.#session?.epoch === epoch;
    this.#session = { session, secret, epoch };
    this.limits = limits;
    this.identity.assume(epoch, welcome.member);
    this.#inbox.comeBack({ ...inbox, head: 0 }, resumed);
    this.#outbox.open(connection.send, Math.max(1, limits.maxInFlight), resumed);
    this.#rooms.comeBack(connection, resumed ? welcome.rooms : undefined, this.#inbox);
    this.requests.open(connection.send);
    this.#outbox.release();
    this.#welcomed = true;
    this.#reconnect.opened();
    this.#become({ status: 'open', resumed });
    this.#opening?.resolve();
  }

  onEntry(type: number, bytes: Uint8Array, offset: number, length: number): void {
    this.#rooms.receive(type, bytes, offset, length);
  }

  onFrame(frame: AnswerFrame): void {
    switch (frame.type) {
      case FrameType.Ack:
        this.#outbox.ack(frame.publishId, frame);
        break;
      case FrameType.Nack:
        this.#outbox.nack(frame.publishId, frame.failure);
        break;
      case FrameType.Response:
        this.requests.answer(frame.id, frame.response);
        break;
      case FrameType.Failed:
        this.requests.refuse(frame.id, frame.failure);
        break;
      case FrameType.History:
        this.requests.history(frame.id, frame.entries, frame.last, frame.end);
        break;
      case FrameType.Gap:
        this.#rooms.skip(frame);
        break;
      case FrameType.Signal:
        this.#rooms.signal(frame);
        break;
      case FrameType.GoAway:
        this.#outbox.hold();
        this.emit('going-away', { reason: frame.reason, retryAfterMs: frame.retryAfterMs });
        break;
    }
  }

  onEnd(connection: Connection, error: ClientError): void {
    if (connection !== this.#connection) return;
    this.#connection = undefined;
    this.#outbox.lost();
    this.requests.lost(error);
    const next = this.#reconnect.plan(error, this.#welcomed);
    if (next) this.#become({ status: 'reconnecting', ...next, error });
    else this.#shut(error);
  }

  // Connecting.

  async #tryOnce(): Promise<void> {
    const { credentials, tls } = this.#settings;
    const connection = new Connection(this, this.#settings);
    const { signal } = connection;
    this.#connection = connection;
    try {
      const open = this.#transport ?? this.#platform.transports.get(schemeOf(this.url));
      if (open === undefined) {
        const known = [...this.#platform.transports.keys()].join(' ');
        throw new ClientError('ERR_CLIENT_URL_UNSUPPORTED', `'${this.url}' is not a URL of ${known}`);
      }
      this.#self ??= this.#takeSelf(signal);
      const self = this.#self instanceof Promise ? await this.#self : this.#self;
      const proof = typeof credentials === 'function' ? await credentials({ signal }) : credentials;
      if (connection.ended) return;
      connection.start(await open(this.url, connection, { signal, tls }), this.#hello(self, proof));
    } catch (cause) {
      connection.fail(
        ClientError.is(cause)
          ? cause
          : new ClientError(
              'ERR_CLIENT_CONNECT_FAILED',
              `cannot connect to ${this.url}: ${describe(cause)}`,
              {
                cause,
              },
            ),
      );
    }
  }

  #takeSelf(signal: AbortSignal): Self | Promise<Self> {
    const { identity, clock } = this.#settings;
    if (typeof identity !== 'object') return makeIdentity(identity, clock);
    const self = this.#released.then(() => loadIdentity(identity, signal));
    self.catch(() => {
      if (this.#self === self) this.#self = undefined;
    });
    return self;
  }

  /** The session has no number left for a message: another one goes on, under the same name and in the same rooms. */
  #renewSession(): void {
    this.#session = undefined;
    this.#connection?.fail(
      new ClientError('ERR_CLIENT_CONNECTION_LOST', 'the session has used up its publish numbers'),
    );
  }

  #hello(self: Self, credentials: unknown): Hello {
    const { agent, maxFrameBytes } = this.#settings;
    const session = this.#session;
    const resume = session && {
      ...session,
      rooms: this.#rooms.positions(session.epoch),
      inbox: this.#inbox.position,
    };
    // What is undefined here is not in the JSON.
    const [clientSecret, attempt] = [self.secret, ++self.attempts];
    return {
      name: this.identity.name,
      maxFrameBytes,
      credentials,
      agent,
      clientSecret,
      attempt,
      resume,
    } as Hello;
  }

  #wake(): void {
    this.reconnectNow();
    this.#connection?.check();
  }

  // Ending.

  /** The end, for whatever reason; `rejection` is what `connect()` rejects with. */
  #shut(reason: ClientError, rejection: unknown = reason): void {
    const connection = this.#connection;
    const opening = this.#opening;
    this.#connection = undefined;
    this.#opening = undefined;
    this.#session = undefined;
    this.#welcomed = false;
    this.#releaseSelf();
    this.#reconnect.reset();
    this.#stopWaking?.();
    this.#closing = connection?.close() ?? Promise.resolve();
    this.#become({ status: 'closed', reason });
    this.#listeners.end('state');
    this.#outbox.fail(reason);
    this.requests.fail(reason);
    // Whoever closed knows why; everybody else is told.
    const error = reason.code === 'ERR_CLIENT_CLOSED' ? undefined : reason;
    this.#rooms.end(error);
    this.#listeners.end('direct', error);
    this.#inbox = this.#newInbox();
    opening?.reject(rejection);
  }

  #releaseSelf(): void {
    const { identity } = this.#settings;
    const self = this.#self;
    // One that is not kept is this client's for ever.
    if (!(self instanceof Promise)) return;
    this.#self = undefined;
    this.#released = self.then(() => (identity as IdentityStore).release?.()).catch(() => {});
  }

  #newInbox(): EntryStream<D> {
    const { identity } = this;
    return new EntryStream({ identity, room: undefined, codec: this.#directCodec, echo: true }, this);
  }

  #become(state: ClientState): void {
    this.state = state;
    this.emit('state', state);
  }

  #assertNotClosed(): void {
    if (this.state.status === 'closed') throw this.state.reason;
  }

  // Rooms, names, messages.

  #takeName(name: string): void {
    const oldName = this.identity.name;
    if (name === oldName) return;
    this.identity.name = name;
    this.emit('renamed', { name, oldName });
  }

  async #publish<T>(
    target: PublishTarget,
    codec: Codec<T>,
    value: T,
    { signal, ...others }: SendOptions = {},
  ): Promise<Sent> {
    assertKnown('', others);
    this.#assertNotClosed();
    if (target instanceof RoomStream && !target.joined) throw target.notMember();
    const encoded = codec.encode(value);
    // The caller may go on writing to bytes of its own while they wait.
    const body = (encoded as unknown) === value ? encoded.slice() : encoded;
    assertFits('message', body.length, this.limits, 'maxMessageBytes');
    const { seq, at } = await this.#outbox.add(target, codec.tag, body, signal);
    return { id: `${this.identity.epoch}-${seq}`, seq, at };
  }
}

function closed(message: string, cause?: unknown): ClientError {
  return new ClientError('ERR_CLIENT_CLOSED', message, { cause });
}

/** The scheme of a URL, colon included; empty when it is not a URL that names a host or path. */
function schemeOf(url: string): string {
  if (/^unix:./.test(url)) return 'unix:';
  return /^(\w+:)\/\/[^/]/.exec(url)?.[1]?.toLowerCase() ?? '';
}

/** What an error of the platform says. One for several addresses says it in its parts only. */
function describe(cause: unknown): string {
  const { message, errors } = (cause ?? {}) as { message?: string; errors?: readonly { message?: string }[] };
  return message || errors?.[0]?.message || String(cause);
}
