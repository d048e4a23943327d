/**
 * What stands behind a {@link ChatClient}: one session over as many connections as it takes.
 *
 * The life of a client is the union {@link ClientState}, changed in `#become` alone. A connection hands its
 * frames to this class, which gives them to the part that waits for them; when the connection ends, `#lost`
 * decides whether there is another, and `onWelcome` puts everything back:
 *
 *  1. session resumed: rooms go on where they stopped, unacknowledged messages are sent again;
 *  2. session lost: rooms are joined again after the last entry that was seen, and messages wait until they are.
 */
import {
  type Codec,
  encodeFrame,
  FrameType,
  type Hello,
  type Joined,
  readU32,
  type SessionLimits,
  textCodec,
  type Welcome,
} from '@chat/protocol';
import type { ChatClient, ClientEvents, ClientState, RoomsOptions, RoomsPage } from './chat-client.js';
import { type AnswerFrame, Connection, type ConnectionHandler } from './connection.js';
import { type DirectMessage, type Gap, Identity, type Notice, ROOM_OFFSET } from './entry.js';
import { type EntrySink, EntryStream, type StreamItem, type StreamOwner } from './entry-stream.js';
import { ClientError, ClientErrorCode, mayRetry } from './errors.js';
import { EventQueue, type Stream, type StreamOptions } from './event-queue.js';
import { JoinedRoom, type RoomHost } from './joined-room.js';
import { type Listener, Listeners, type ListenOptions } from './listeners.js';
import { type ConnectOptions, type Platform, type Settings, settle } from './options.js';
import { Outbox, type PublishTarget } from './outbox.js';
import { reconnectDelay } from './reconnect.js';
import { Requests } from './requests.js';
import type { JoinOptions, Room, Sent } from './room.js';
import { assertJoined } from './shapes.js';
import type { OpenTransport } from './transport.js';

/** A connection that lasted so long was a good one: the next loss begins with short delays again. */
const STABLE_MS = 5000;
/** Between two tries to join a room again, when the server names no delay. */
const REJOIN_DELAY_MS = 1000;

interface Opening {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
}

export class LiveClient<D> implements ChatClient<D>, ConnectionHandler, RoomHost, StreamOwner<D> {
  readonly #platform: Platform;
  readonly #settings: Settings;
  readonly #signal: AbortSignal | undefined;
  readonly #transport: OpenTransport | undefined;
  readonly #listeners: Listeners<ClientEvents<D>>;
  readonly #outbox: Outbox;
  readonly #directCodec: Codec<D>;
  readonly #rooms = new Map<string, JoinedRoom<unknown>>();
  /** Streams by the handle of their room, on the present connection. */
  readonly #streams = new Map<number, EntrySink>();
  #inbox: EntryStream<D>;
  #statusQueues: readonly EventQueue<ClientState>[] = [];
  #state: ClientState = { status: 'idle' };
  #session: { readonly id: string; readonly secret: string; readonly epoch: string } | undefined;
  #limits: SessionLimits | undefined;
  #connection: Connection | undefined;
  #opening: Opening | undefined;
  #closing: Promise<void> = Promise.resolve();
  #attempt = 0;
  #openedAt = 0;
  #retryTimer: unknown;
  #stopWaking: (() => void) | undefined;

  readonly url: string;
  readonly identity: Identity = new Identity();
  readonly requests: Requests;

  constructor(platform: Platform, url: string | URL, options: ConnectOptions<D>) {
    this.#platform = platform;
    this.#settings = settle(options);
    this.#signal = options.signal;
    this.#transport = options.transport;
    this.#directCodec = options.directCodec ?? (textCodec as Codec<unknown> as Codec<D>);
    this.url = String(url);
    this.identity.name = options.name;
    const { clock, outbox, requestTimeoutMs } = this.#settings;
    this.#listeners = new Listeners((error, event) => this.onListenerError(error, event));
    this.#outbox = new Outbox(outbox, clock);
    this.requests = new Requests(clock, requestTimeoutMs);
    this.#inbox = this.#newInbox();
  }

  get state(): ClientState {
    return this.#state;
  }

  get name(): string {
    return this.identity.name;
  }

  get id(): number {
    return this.identity.id;
  }

  get sessionId(): string | undefined {
    return this.#session?.id;
  }

  get epoch(): string {
    return this.identity.epoch;
  }

  get limits(): SessionLimits | undefined {
    return this.#limits;
  }

  get joined(): ReadonlyMap<string, Room<unknown>> {
    return this.#rooms;
  }

  connect(): Promise<void> {
    if (this.#opening) return this.#opening.promise;
    const signal = this.#signal;
    if (signal?.aborted) return Promise.reject(signal.reason);
    let settleOpening!: Pick<Opening, 'resolve' | 'reject'>;
    const promise = new Promise<void>((resolve, reject) => {
      settleOpening = { resolve, reject };
    });
    const abort = () => {
      this.#shut(closed('connecting was aborted', signal?.reason), signal?.reason);
    };
    signal?.addEventListener('abort', abort, { once: true });
    const settled = () => signal?.removeEventListener('abort', abort);
    promise.then(settled, settled);
    this.#opening = { promise, ...settleOpening };
    this.#attempt = 0;
    this.#stopWaking = this.#platform.onWake?.(() => this.#wake());
    this.#become({ status: 'connecting' });
    void this.#tryOnce();
    return promise;
  }

  async join<T = string>(room: string, options: JoinOptions<T> = {}): Promise<Room<T>> {
    this.#assertNotClosed();
    const present = this.#rooms.get(room);
    if (present) return sameCodec(present, options);
    const { history, since, signal } = options;
    let result: Room<T> | undefined;
    await this.requests.ask(
      {
        op: 'join',
        room,
        ...(history !== undefined && { history }),
        ...(since && { after: since.seq, epoch: since.epoch }),
      },
      {
        signal,
        // Before the next frame is looked at: it may be the first entry of the room.
        onAnswer: (joined) => {
          assertJoined(joined);
          const before = this.#rooms.get(joined.room);
          result = before ? sameCodec(before, options) : this.#addRoom(joined, options);
        },
        onLateAnswer: (joined) => {
          const wanted = this.#rooms.has(joined.room) || this.requests.some((other) => isJoin(other, room));
          if (!wanted) this.#leaveUnwanted(joined.room);
        },
      },
    );
    return result!;
  }

  async leave(room: string): Promise<boolean> {
    const present = this.#rooms.get(room);
    if (present === undefined) return false;
    await this.leaveRoom(present);
    return true;
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
    this.#assertNotClosed();
    return this.requests.ask({ op: 'rooms', ...page }, { signal });
  }

  direct(name: string, value: D, options: { readonly signal?: AbortSignal } = {}): Promise<Sent> {
    const target: PublishTarget = {
      publishFrame: (publishId, codec, body) =>
        encodeFrame({ type: FrameType.Direct, publishId, codec, to: name, body }),
    };
    return this.publish(target, this.#directCodec, value, options.signal);
  }

  directs(options: StreamOptions = {}): Stream<DirectMessage<D>> {
    return this.#inbox.subscribe('direct', options) as Stream<StreamItem<D>> as Stream<DirectMessage<D>>;
  }

  status(options: StreamOptions = {}): Stream<ClientState> {
    const queue = new EventQueue<ClientState>(options, (ended) => {
      this.#statusQueues = this.#statusQueues.filter((other) => other !== ended);
    });
    queue.push(this.#state);
    if (this.#state.status === 'closed') queue.end();
    if (!queue.ended) this.#statusQueues = [...this.#statusQueues, queue];
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
    if (this.#state.status !== 'open') {
      throw new ClientError(ClientErrorCode.ConnectionLost, `the client is ${this.#state.status}`);
    }
    return this.#connection!.ping();
  }

  reconnectNow(): void {
    if (this.#retryTimer === undefined) return;
    this.#settings.clock.clearTimeout(this.#retryTimer);
    this.#retryTimer = undefined;
    void this.#tryOnce();
  }

  close(): Promise<void> {
    if (this.#state.status !== 'closed') this.#shut(closed('the client was closed'));
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
    signal: AbortSignal | undefined,
  ): Promise<Sent> {
    const sent = this.#publish(target, codec, value, signal);
    // Whoever does not wait for the outcome must not bring the process down with it.
    sent.catch(() => {});
    return sent;
  }

  sendVolatile(frame: Uint8Array): boolean {
    if (this.#state.status !== 'open') return false;
    this.#connection!.send(frame);
    return true;
  }

  async leaveRoom(room: JoinedRoom<unknown>): Promise<void> {
    if (!room.joined) return;
    await this.requests.ask({ op: 'leave', room: room.name }, { onAnswer: () => this.#removeRoom(room) });
  }

  onGap(gap: Gap): void {
    this.#listeners.emit('gap', gap);
  }

  onListenerError(error: unknown, event: string): void {
    if (event !== 'listener-error' && this.#listeners.has('listener-error')) {
      this.#listeners.emit('listener-error', { error, event });
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
    if (item.type === 'direct') this.#listeners.emit('direct', item);
    else if (item.type === 'unreadable') this.#listeners.emit('unreadable', item);
    else if (item.type === 'gap') this.#listeners.emit('gap', item);
  }

  onNotice({ kind, member }: Notice): void {
    if (kind === 'renamed' && member.id === this.identity.id) this.#takeName(member.name);
  }

  // What the connection tells.

  onWelcome(connection: Connection, welcome: Welcome): void {
    const { inbox, limits } = welcome;
    const former = this.#session;
    const sameEpoch = former?.epoch === welcome.epoch;
    const resumed = welcome.resumed && sameEpoch;
    this.#session = { id: welcome.session, secret: welcome.secret, epoch: welcome.epoch };
    this.#limits = limits;
    this.identity.assume(welcome.epoch, welcome.member);

    this.#streams.clear();
    this.#inbox.handle = inbox.handle;
    this.#streams.set(inbox.handle, this.#inbox);
    const { position } = this.#inbox;
    if (former === undefined) this.#inbox.position = inbox.start;
    else if (!resumed) this.#inbox.gap(sameEpoch ? 'session-lost' : 'epoch-changed', position, inbox.start);
    else if (inbox.start > position) this.#inbox.gap('expired', position, inbox.start);

    const absent = this.#resumeRooms(resumed ? welcome.rooms : []);
    this.#outbox.open(connection.send, Math.max(1, limits.maxInFlight), resumed);
    this.requests.open(connection.send);
    void this.#rejoinAll(connection, absent);
    this.#openedAt = this.#settings.clock.now();
    this.#become({ status: 'open', resumed });
    this.#opening?.resolve();
  }

  onEntry(type: number, bytes: Uint8Array, offset: number, length: number): void {
    const handle = readU32(bytes, offset + ROOM_OFFSET);
    // Entries of a room that was just left may still be under way.
    this.#streams.get(handle)?.receive(type, bytes, offset, length);
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
      case FrameType.Gap: {
        const stream = this.#streams.get(frame.room);
        if (stream && frame.to > stream.position) stream.gap('skipped', stream.position, frame.to);
        return;
      }
      case FrameType.Signal:
        for (const room of this.#rooms.values()) if (room.stream.handle === frame.room) room.onSignal(frame);
        return;
      case FrameType.GoAway:
        this.#outbox.hold();
        this.#listeners.emit('going-away', { reason: frame.reason, retryAfterMs: frame.retryAfterMs });
        break;
    }
  }

  onEnd(connection: Connection, error: ClientError): void {
    if (connection !== this.#connection) return;
    this.#connection = undefined;
    this.#outbox.lost();
    this.requests.lost(error);
    const { reconnect, clock, random } = this.#settings;
    const wasOpen = this.#session !== undefined;
    if (this.#state.status === 'open' && clock.now() - this.#openedAt >= STABLE_MS) this.#attempt = 0;
    const attempt = ++this.#attempt;
    const again = reconnect.enabled && (wasOpen || reconnect.initial) && attempt <= reconnect.maxAttempts;
    if (!again || !mayRetry(error)) {
      this.#shut(error);
      return;
    }
    const delayMs = reconnectDelay(attempt, reconnect, random, error.retryAfterMs);
    this.#retryTimer = clock.setTimeout(() => this.reconnectNow(), delayMs);
    this.#become({ status: 'reconnecting', attempt, nextAt: clock.now() + delayMs, error });
  }

  // Connecting.

  async #tryOnce(): Promise<void> {
    const { clock, connectTimeoutMs, credentials, heartbeatTimeoutMs, maxFrameBytes, tls } = this.#settings;
    const connection = new Connection(this, { clock, connectTimeoutMs, maxFrameBytes, heartbeatTimeoutMs });
    const { signal } = connection;
    this.#connection = connection;
    try {
      const open = this.#transport ?? this.#platform.transports.get(schemeOf(this.url));
      if (open === undefined) {
        const known = [...this.#platform.transports.keys()].join(' ');
        throw new ClientError(
          ClientErrorCode.UrlUnsupported,
          `cannot open '${this.url}': not a URL of ${known}`,
        );
      }
      const proof = typeof credentials === 'function' ? await credentials({ signal }) : credentials;
      if (connection.ended) return;
      connection.start(await open(this.url, connection, { signal, tls }), this.#hello(proof));
    } catch (cause) {
      connection.fail(
        ClientError.is(cause)
          ? cause
          : new ClientError(
              ClientErrorCode.ConnectFailed,
              `cannot connect to ${this.url}: ${describe(cause)}`,
              {
                cause,
              },
            ),
      );
    }
  }

  #hello(credentials: unknown): Hello {
    const { agent, maxFrameBytes } = this.#settings;
    const session = this.#session;
    const rooms = [...this.#rooms.values()].filter(({ epoch }) => epoch === session?.epoch);
    return {
      name: this.identity.name,
      maxFrameBytes,
      ...(credentials !== undefined && { credentials }),
      ...(agent !== undefined && { agent }),
      ...(session && {
        resume: {
          session: session.id,
          secret: session.secret,
          epoch: session.epoch,
          rooms: rooms.map(({ name, position }) => ({ room: name, after: position })),
          inbox: this.#inbox.position,
        },
      }),
    };
  }

  /** Puts back the rooms that the session is still in. @returns those that it is not in */
  #resumeRooms(held: readonly Joined[]): JoinedRoom<unknown>[] {
    const absent = new Set(this.#rooms.values());
    for (const joined of held) {
      const room = this.#rooms.get(joined.room);
      if (room?.epoch === this.identity.epoch) {
        absent.delete(room);
        room.rejoin(joined);
        this.#streams.set(joined.handle, room.stream);
      } else {
        // The answer to its join was lost with the connection, and with it the part of the stream that came
        // after: it is joined anew.
        this.#leaveUnwanted(joined.room);
      }
    }
    return [...absent];
  }

  async #rejoinAll(connection: Connection, rooms: readonly JoinedRoom<unknown>[]): Promise<void> {
    await Promise.all(rooms.map((room) => this.#rejoin(connection, room)));
    if (!connection.ended) this.#outbox.release();
  }

  async #rejoin(connection: Connection, room: JoinedRoom<unknown>): Promise<void> {
    while (room.joined && !connection.ended) {
      const { name, epoch, position, wantedHistory } = room;
      const place = epoch === this.identity.epoch ? { after: position, epoch } : { history: wantedHistory };
      try {
        await this.requests.ask(
          { op: 'join', room: name, ...place },
          {
            repeat: false,
            onAnswer: (joined) => {
              assertJoined(joined);
              if (!room.joined) return this.#leaveUnwanted(name);
              room.rejoin(joined);
              this.#streams.set(joined.handle, room.stream);
            },
          },
        );
        return;
      } catch (cause) {
        if (connection.ended) return;
        const error = ClientError.is(cause)
          ? cause
          : new ClientError(ClientErrorCode.Protocol, describe(cause));
        if (!TRANSIENT.has(error.code)) {
          this.#removeRoom(room, error);
          this.#listeners.emit('room-lost', { room: name, error });
          return;
        }
        await this.#pause(error.retryAfterMs ?? REJOIN_DELAY_MS, connection.signal);
      }
    }
  }

  #pause(delayMs: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#settings.clock.setTimeout(done, delayMs);
      const clock = this.#settings.clock;
      signal.addEventListener('abort', done, { once: true });
      function done() {
        clock.clearTimeout(timer);
        signal.removeEventListener('abort', done);
        resolve();
      }
    });
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
    this.#settings.clock.clearTimeout(this.#retryTimer);
    this.#retryTimer = undefined;
    this.#stopWaking?.();
    this.#closing = connection?.close() ?? Promise.resolve();
    this.#outbox.fail(reason);
    this.requests.fail(reason);
    // Whoever closed knows why; everybody else is told.
    const error = reason.code === ClientErrorCode.Closed ? undefined : reason;
    for (const room of [...this.#rooms.values()]) this.#removeRoom(room, error);
    this.#streams.clear();
    this.#inbox.end(error);
    this.#inbox = this.#newInbox();
    this.#become({ status: 'closed', reason });
    for (const queue of this.#statusQueues) queue.end();
    opening?.reject(rejection);
  }

  #become(state: ClientState): void {
    this.#state = state;
    for (const queue of this.#statusQueues) queue.push(state);
    this.#listeners.emit('state', state);
  }

  #assertNotClosed(): void {
    if (this.#state.status === 'closed') throw this.#state.reason;
  }

  // Rooms, names, messages.

  #addRoom<T>(joined: Joined, options: JoinOptions<T>): JoinedRoom<T> {
    const room = new JoinedRoom(this, joined, options);
    this.#rooms.set(joined.room, room as unknown as JoinedRoom<unknown>);
    this.#streams.set(joined.handle, room.stream);
    return room;
  }

  #removeRoom(room: JoinedRoom<unknown>, error?: ClientError): void {
    if (this.#rooms.get(room.name) !== room) return;
    this.#rooms.delete(room.name);
    this.#streams.delete(room.stream.handle);
    room.end(error);
  }

  /** Leaves a room that this side does not know of. Number 0 belongs to no request: the answer is ignored. */
  #leaveUnwanted(room: string): void {
    this.#connection?.send(encodeFrame({ type: FrameType.Request, id: 0, request: { op: 'leave', room } }));
  }

  #takeName(name: string): void {
    const oldName = this.identity.name;
    if (name === oldName) return;
    this.identity.name = name;
    this.#listeners.emit('renamed', { name, oldName });
  }

  async #publish<T>(
    target: PublishTarget,
    codec: Codec<T>,
    value: T,
    signal: AbortSignal | undefined,
  ): Promise<Sent> {
    this.#assertNotClosed();
    if (target instanceof JoinedRoom && !target.joined) throw target.notMember();
    const encoded = codec.encode(value);
    // The caller may go on writing to bytes of its own while they wait.
    const body = (encoded as unknown) === value ? encoded.slice() : encoded;
    const max = this.#limits?.maxMessageBytes ?? Infinity;
    if (body.length > max) {
      const message = `a message of ${body.length} bytes exceeds maxMessageBytes ${max}`;
      throw new ClientError(ClientErrorCode.TooLarge, message, { max, actual: body.length });
    }
    const { seq, at } = await this.#outbox.add(target, codec.tag, body, signal);
    return { id: `${this.identity.epoch}-${seq}`, seq, at };
  }

  #newInbox(): EntryStream<D> {
    return new EntryStream<D>(
      { identity: this.identity, room: undefined, codec: this.#directCodec, echo: true },
      this,
    );
  }
}

/** Refusals of a join that may pass. */
const TRANSIENT: ReadonlySet<ClientErrorCode> = new Set([
  ClientErrorCode.RateLimited,
  ClientErrorCode.GoingAway,
  ClientErrorCode.Internal,
  ClientErrorCode.RequestTimeout,
]);

function closed(message: string, cause?: unknown): ClientError {
  return new ClientError(ClientErrorCode.Closed, message, cause === undefined ? {} : { cause });
}

function isJoin(request: { readonly op: string; readonly room?: string }, room: string): boolean {
  return request.op === 'join' && request.room === room;
}

function sameCodec<T>(room: JoinedRoom<unknown>, { codec }: JoinOptions<T>): Room<T> {
  if (codec !== undefined && (codec as Codec<unknown>) !== room.codec) {
    throw new TypeError(`the room ${room.name} is joined with another codec (${room.codec.name})`);
  }
  return room as unknown as Room<T>;
}

/** The scheme of a URL, colon included; empty when it is not a URL. */
function schemeOf(url: string): string {
  const scheme = /^[a-z][a-z\d+.-]*:/i.exec(url)?.[0].toLowerCase() ?? '';
  if (scheme === 'unix:') return scheme;
  return URL.canParse(url) ? scheme : '';
}

/** What an error of the platform says. One for several addresses says it in its parts only. */
function describe(cause: unknown): string {
  const { message, errors } = (cause ?? {}) as { message?: string; errors?: readonly { message?: string }[] };
  return message || errors?.[0]?.message || String(cause);
}
