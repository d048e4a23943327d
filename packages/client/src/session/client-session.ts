/**
 * One session over as many connections as it takes; it stands behind a {@link Client}.
 *
 * The life of a client is the union {@link ClientState}, changed in `#become` alone. A connection hands its
 * frames to this class, which gives each to the part that waits for it. When the connection ends, `onEnd`
 * decides whether there is another. `onWelcome` puts everything back:
 *
 *  1. session resumed: rooms go on where they stopped, unacknowledged messages are sent again;
 *  2. session lost: rooms are joined again after the last entry that was seen, and messages wait until they
 *     are.
 *
 * Longer than most files here: what a connection brings and what its end means share the state that the union names.
 */

import type { Codec } from '@chat/protocol';
import type { Hello, ReadNews, SessionLimits, Welcome } from '@chat/protocol/frames';
import { assertKnown } from '../assert-known.js';
import { CLIENT_EVENTS, type ClientEvents, type ClientState } from '../chat-client.js';
import { checkShape } from '../connection/check-json.js';
import { type AnswerFrame, Connection, type ConnectionHandler } from '../connection/connection.js';
import { ACK, FAILED, GAP, GO_AWAY, HISTORY, NACK, RESPONSE, SIGNAL } from '../connection/frame-types.js';
import { Reconnect } from '../connection/reconnect.js';
import { ClientError } from '../errors.js';
import { Listeners } from '../events/listeners.js';
import { onAbort } from '../events/on-abort.js';
import { load } from '../lazy/load.js';
import { type ConnectOptions, type Platform, type Settings, settle } from '../options.js';
import { type Gap, Identity, type Notice } from '../rooms/entry.js';
import type * as OnDemand from '../rooms/on-demand.js';
import type { RoomStream } from '../rooms/room-stream.js';
import { type RoomHost, RoomStreams } from '../rooms/room-streams.js';
import { Outbox } from '../sending/outbox.js';
import { Publisher, type PublisherSession } from '../sending/publisher.js';
import { Requests } from '../sending/requests.js';
import type { Self } from './identity.js';
import { Inbox } from './inbox.js';
import { OwnIdentity } from './own-identity.js';

interface Opening {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
}

export class ClientSession<D> implements ConnectionHandler, RoomHost, PublisherSession {
  readonly #platform: Platform;
  #onDemand: Platform['onDemand'];
  readonly #settings: Settings<D>;
  readonly #outbox: Outbox;
  readonly #reconnect: Reconnect;
  /**
   * As whom all hellos are said: a session whose welcome never arrived does not keep the name from this
   * client.
   */
  readonly #self: OwnIdentity;
  #session: { readonly session: string; readonly secret: string; readonly epoch: string } | undefined;
  #connection: Connection | undefined;
  #opening: Opening | undefined;
  #closing: Promise<void> = Promise.resolve();
  /** Whether there was a welcome since `connect()`. */
  #welcomed = false;
  #stopWaking: (() => void) | undefined;

  readonly url: string;
  readonly directCodec: Codec<D>;
  readonly listeners: Listeners<ClientEvents<D>>;
  readonly identity: Identity = new Identity();
  readonly requests: Requests;
  readonly rooms: RoomStreams;
  readonly inbox: Inbox<D>;
  readonly publisher: Publisher;
  readonly assertKnown: typeof assertKnown = assertKnown;
  readonly checkShape: typeof checkShape = checkShape;
  state: ClientState = { status: 'idle' };
  limits: SessionLimits | undefined;

  /** @param maxPublishId after how many messages a new session begins */
  constructor(platform: Platform, url: string | URL, options: ConnectOptions<D>, maxPublishId?: number) {
    this.#platform = platform;
    this.#onDemand = platform.onDemand;
    this.#settings = settle(options);
    this.directCodec = this.#settings.directCodec;
    this.url = String(url);
    this.identity.name = options.name;
    const { clock, identity, outbox, random, reconnect, requestTimeoutMs } = this.#settings;
    this.#outbox = new Outbox(outbox, clock, () => this.#renewSession(), maxPublishId);
    this.listeners = new Listeners(CLIENT_EVENTS, (error, event) => this.onListenerError(error, event));
    this.requests = new Requests(clock, requestTimeoutMs);
    this.rooms = new RoomStreams(this, clock);
    this.inbox = new Inbox(this.identity, this.directCodec, this.listeners, (notice) =>
      this.onNotice(notice),
    );
    this.publisher = new Publisher(this, this.#outbox);
    this.#self = new OwnIdentity(identity, clock);
    this.#reconnect = new Reconnect(reconnect, clock, random, () => void this.#tryOnce());
  }

  get sessionId(): string | undefined {
    return this.#session?.session;
  }

  get epoch(): string {
    return this.identity.epoch;
  }

  connect(): Promise<void> {
    if (this.#opening) return this.#opening.promise;
    const { signal } = this.#settings;
    if (signal?.aborted) return Promise.reject(signal.reason);
    let settle!: Pick<Opening, 'resolve' | 'reject'>;
    const promise = new Promise<void>((resolve, reject) => {
      settle = { resolve, reject };
    });
    const stopWaiting = onAbort(signal, () => {
      this.#shut(closed('connecting was aborted', signal?.reason), signal?.reason);
    });
    promise.then(stopWaiting, stopWaiting);
    this.#opening = { promise, ...settle };
    this.#stopWaking = this.#platform.onWake?.(() => this.#wake());
    this.#become({ status: 'connecting' });
    void this.#tryOnce();
    return promise;
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

  // Calls of the rooms.

  /** Async, and yet the call is made in this turn where the part is there: requests go out in their order. */
  async onDemand<Answer>(call: (calls: typeof OnDemand) => Promise<Answer>): Promise<Answer> {
    let calls = this.#onDemand;
    if (typeof calls === 'function') {
      calls = await load(calls);
      this.#onDemand = calls;
    }
    this.assertNotClosed();
    return call(calls);
  }

  sendVolatile(frame: Uint8Array): boolean {
    return this.state.status === 'open' && this.#connection!.sendVolatile(frame);
  }

  onRoomSettled(room: RoomStream<unknown>): void {
    this.#outbox.settled(room);
  }

  retryDelayMs(retryAfterMs: number): number {
    return Math.min(retryAfterMs, this.#settings.reconnect.maxRetryAfterMs);
  }

  onGap(gap: Gap): void {
    this.listeners.emit('gap', gap);
  }

  onRoomLost(room: string, error: ClientError): void {
    this.listeners.emit('room-lost', { room, error });
  }

  onListenerError(error: unknown, event: string): void {
    if (event !== 'listener-error' && this.listeners.has('listener-error')) {
      this.listeners.emit('listener-error', { error, event });
      return;
    }
    queueMicrotask(() => {
      throw error;
    });
  }

  onNotice({ kind, member }: Notice): void {
    if (kind === 'renamed' && member.id === this.identity.id) this.takeName(member.name);
  }

  // Calls of the connection.

  onWelcome(connection: Connection, welcome: Welcome): void {
    const { session, secret, epoch, inbox, limits } = welcome;
    const resumed = welcome.resumed && this.#session?.epoch === epoch;
    this.#session = { session, secret, epoch };
    this.limits = limits;
    this.identity.assume(epoch, welcome.member, welcome.device);
    this.inbox.stream.comeBack({ ...inbox, head: 0 }, resumed);
    this.#outbox.open(connection.send, Math.max(1, limits.maxInFlight), resumed);
    this.rooms.comeBack(connection, resumed ? welcome.rooms : undefined, this.inbox.stream);
    this.requests.open(connection.send);
    this.#outbox.release();
    this.#welcomed = true;
    this.#reconnect.opened();
    this.#become({ status: 'open', resumed });
    this.#opening?.resolve();
  }

  onEntry(type: number, bytes: Uint8Array, offset: number, length: number): void {
    this.rooms.receive(type, bytes, offset, length);
  }

  onFrame(frame: AnswerFrame): void {
    switch (frame.type) {
      case ACK:
        this.#outbox.ack(frame.publishId, frame);
        break;
      case NACK:
        this.#outbox.nack(frame.publishId, frame.failure);
        break;
      case RESPONSE:
        // protocol.md, "Read positions". An answer that nobody waits for has the same id.
        if (frame.id || !(frame.response as ReadNews).read) this.requests.answer(frame.id, frame.response);
        else this.listeners.emit('read', frame.response as ReadNews);
        break;
      case FAILED:
        this.requests.refuse(frame.id, frame.failure);
        break;
      case HISTORY:
        this.requests.history(frame.id, frame.entries, frame.last, frame.end);
        break;
      case GAP:
        this.rooms.skip(frame);
        break;
      case SIGNAL:
        this.rooms.signal(frame);
        break;
      case GO_AWAY:
        this.#outbox.hold();
        this.listeners.emit('going-away', { reason: frame.reason, retryAfterMs: frame.retryAfterMs });
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
    const { credentials, tls, headers, transport } = this.#settings;
    const connection = new Connection(this, this.#settings);
    const { signal } = connection;
    this.#connection = connection;
    try {
      const open = transport ?? this.#platform.transportFor(this.url);
      if (open === undefined) {
        const message = `'${this.url}' is not a URL of ${this.#platform.schemes}`;
        throw new ClientError('ERR_CLIENT_URL_UNSUPPORTED', message);
      }
      const { cutter } = this.#platform;
      if (transport || typeof cutter !== 'function') {
        const part = typeof cutter === 'function' ? await load(cutter) : cutter;
        connection.cutter = part.cutter(this.#settings.maxFrameBytes);
      }
      // Without a store nothing is waited for, so that the hello goes out in this turn.
      const taken = this.#self.take(signal);
      const self = taken instanceof Promise ? await taken : taken;
      const proof = typeof credentials === 'function' ? await credentials({ signal }) : credentials;
      if (connection.ended) return;
      connection.start(await open(this.url, connection, { signal, tls, headers }), this.#hello(self, proof));
    } catch (cause) {
      const message = `cannot connect to ${this.url}: ${describe(cause)}`;
      connection.fail(
        ClientError.is(cause) ? cause : new ClientError('ERR_CLIENT_CONNECT_FAILED', message, { cause }),
      );
    }
  }

  /**
   * The session has no number left for a message: another one goes on, under the same name and in the same
   * rooms.
   */
  #renewSession(): void {
    this.#session = undefined;
    this.#connection?.fail(new ClientError('ERR_CLIENT_CONNECTION_LOST', 'no publish number is left'));
  }

  #hello(self: Self, credentials: unknown): Hello {
    const { agent, features, maxFrameBytes } = this.#settings;
    const session = this.#session;
    const resume = session && {
      ...session,
      rooms: this.rooms.positions(session.epoch),
      inbox: this.inbox.stream.position,
    };
    // Undefined fields are not in the JSON.
    const [clientSecret, attempt] = [self.secret, ++self.attempts];
    return {
      name: this.identity.name,
      maxFrameBytes,
      credentials,
      agent,
      features,
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
    this.#self.release();
    this.#reconnect.reset();
    this.#stopWaking?.();
    this.#closing = connection?.close() ?? Promise.resolve();
    this.#become({ status: 'closed', reason });
    this.listeners.end('state');
    this.#outbox.fail(reason);
    this.requests.fail(reason);
    // A user that closed the client knows why. Any other end has a reason.
    const error = reason.code === 'ERR_CLIENT_CLOSED' ? undefined : reason;
    this.rooms.end(error);
    this.listeners.end('direct', error);
    this.inbox.reset();
    opening?.reject(rejection);
  }

  #become(state: ClientState): void {
    this.state = state;
    this.listeners.emit('state', state);
  }

  assertNotClosed(): void {
    if (this.state.status === 'closed') throw this.state.reason;
  }

  // Rooms, names, messages.

  takeName(name: string): void {
    const oldName = this.identity.name;
    if (name === oldName) return;
    this.identity.name = name;
    this.listeners.emit('renamed', { name, oldName });
  }
}

function closed(message: string, cause?: unknown): ClientError {
  return new ClientError('ERR_CLIENT_CLOSED', message, { cause });
}

/** The message of an error of the platform. One for several addresses has it in its parts only. */
function describe(cause: unknown): string {
  const { message, errors } = (cause ?? {}) as { message?: string; errors?: readonly { message?: string }[] };
  return message || errors?.[0]?.message || String(cause);
}
