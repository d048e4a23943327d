/**
 * The object that a user holds. It has what {@link ChatClient} promises, at run time too, and nothing else:
 * what parts of a client ask of one another is behind it, in {@link ClientSession}.
 */
import {
  type BlockBody,
  encodeDirect,
  type ModerationBody,
  type RequestBody,
  type ResponseBodies,
  type SessionLimits,
} from '@chat/protocol/frames';
import type { ChatClient, ClientEvents, ClientState, RoomsOptions, RoomsPage } from './chat-client.js';
import type { Stream, StreamOptions } from './events/event-queue.js';
import type { Listener, ListenOptions } from './events/listeners.js';
import type { ConnectOptions, Platform } from './options.js';
import type { DirectMessage } from './rooms/entry.js';
import type { JoinOptions, ReadMark, Room } from './rooms/room.js';
import type { SearchOptions, SearchPage } from './rooms/search.js';
import type { SendOptions, SentDirect } from './sending/publisher.js';
import { ClientSession } from './session/client-session.js';

export class Client<D> implements ChatClient<D> {
  readonly #session: ClientSession<D>;
  readonly url: string;

  /** @param maxPublishId - after how many messages a new session begins */
  constructor(platform: Platform, url: string | URL, options: ConnectOptions<D>, maxPublishId?: number) {
    this.#session = new ClientSession(platform, url, options, maxPublishId);
    this.url = this.#session.url;
  }

  get state(): ClientState {
    return this.#session.state;
  }

  get name(): string {
    return this.#session.identity.name;
  }

  get id(): number {
    return this.#session.identity.id;
  }

  get sessionId(): string | undefined {
    return this.#session.sessionId;
  }

  get epoch(): string {
    return this.#session.epoch;
  }

  get limits(): SessionLimits | undefined {
    return this.#session.limits;
  }

  get joined(): ReadonlyMap<string, Room<unknown>> {
    return this.#session.rooms.joined;
  }

  connect(): Promise<void> {
    return this.#session.connect();
  }

  async join<T = string>(room: string, options: JoinOptions<T> = {}): Promise<Room<T>> {
    this.#session.assertNotClosed();
    return this.#session.rooms.join(room, options);
  }

  async leave(room: string): Promise<boolean> {
    return this.#session.rooms.leaveByName(room);
  }

  rename(name: string): Promise<string> {
    const session = this.#session;
    return session.onDemand((calls) =>
      calls.askForName(session, name, (answer) => session.takeName(answer.name)),
    );
  }

  markRead(mark: ReadMark): Promise<void> {
    return this.#session.onDemand((calls) => calls.sayRead(this.#session, mark));
  }

  rooms(options: RoomsOptions = {}): Promise<RoomsPage> {
    return this.#session.onDemand((calls) => calls.askForRooms(this.#session, options));
  }

  search(query: string, options: SearchOptions = {}): Promise<SearchPage> {
    return this.#session.onDemand((calls) => calls.askForHits(this.#session, query, options));
  }

  async moderate<Request extends ModerationBody | BlockBody>(
    request: Request,
  ): Promise<ResponseBodies[Request['op']]> {
    this.#session.assertNotClosed();
    return this.#session.requests.ask(request as Extract<RequestBody, { op: Request['op'] }>);
  }

  direct(name: string, value: D, options?: SendOptions): Promise<SentDirect> {
    const { publisher, directCodec } = this.#session;
    const publishFrame = (publishId: number, codec: number, body: Uint8Array) =>
      encodeDirect(publishId, codec, name, body);
    return publisher.direct({ publishFrame }, directCodec, value, options);
  }

  directs(options: StreamOptions = {}): Stream<DirectMessage<D>> {
    const queue = this.#session.listeners.stream(options, 'direct');
    if (!queue.ended) this.#session.inbox.stream.release();
    return queue;
  }

  status(options: StreamOptions = {}): Stream<ClientState> {
    const queue = this.#session.listeners.stream(options, 'state');
    queue.push(this.state);
    if (this.state.status === 'closed') queue.end();
    return queue;
  }

  on<Name extends keyof ClientEvents<D>>(
    event: Name,
    listener: Listener<ClientEvents<D>[Name]>,
    options?: ListenOptions,
  ): () => void {
    const remove = this.#session.listeners.on(event, listener, options);
    if (event === 'direct') this.#session.inbox.stream.release();
    return remove;
  }

  async ping(): Promise<number> {
    return this.#session.ping();
  }

  reconnectNow(): void {
    this.#session.reconnectNow();
  }

  close(): Promise<void> {
    return this.#session.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
