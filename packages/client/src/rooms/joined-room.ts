/**
 * The room that a user holds. It has what {@link Room} promises, at run time too, and nothing else: what the
 * connection tells of the room goes to its {@link RoomStream}.
 */
import { type Codec, jsonCodec, type Member } from '@chat/protocol';
import { encodeSignal, type SessionLimits } from '@chat/protocol/frames';
import { assertWithin } from '../errors.js';
import type { Stream, StreamOptions } from '../events/event-queue.js';
import type { Listener, ListenOptions } from '../events/listeners.js';
import type { Publisher, SendOptions, Sent } from '../sending/publisher.js';
import type { Asking } from '../sending/requests.js';
import type { Identity, Message, RoomEntry } from './entry.js';
import type * as OnDemand from './on-demand.js';
import type { HistoryOptions, HistoryPage, Room, RoomAbout, RoomEvents } from './room.js';
import { ENTRY_EVENTS, type RoomStream } from './room-stream.js';

/** The part of a client that the calls of a user need. */
export interface RoomCalls extends Asking {
  readonly identity: Identity;
  readonly limits: SessionLimits | undefined;
  readonly publisher: Publisher;
  /** Makes a call of {@link OnDemand}, once that is there. */
  onDemand<Answer>(call: (calls: typeof OnDemand) => Promise<Answer>): Promise<Answer>;
  /** Sends a frame that may get lost. @returns whether there is a connection */
  sendVolatile(frame: Uint8Array): boolean;
}

export class JoinedRoom<T> implements Room<T> {
  readonly #stream: RoomStream<T>;
  readonly #calls: RoomCalls;
  readonly #leave: () => Promise<void>;
  readonly name: string;
  readonly codec: Codec<T>;

  constructor(stream: RoomStream<T>, calls: RoomCalls, leave: () => Promise<void>) {
    this.#stream = stream;
    this.#calls = calls;
    this.#leave = leave;
    this.name = stream.name;
    this.codec = stream.codec;
  }

  get joined(): boolean {
    return this.#stream.joined;
  }

  get position(): number {
    return this.#stream.entries.position;
  }

  get members(): ReadonlyMap<number, Member> {
    return this.#stream.members.byId;
  }

  get memberCount(): number {
    return this.#stream.members.count;
  }

  get about(): RoomAbout {
    return this.#stream.members.joined;
  }

  send<V>(value: V, options?: SendOptions & { readonly codec?: Codec<V> }): Promise<Sent> {
    return this.#calls.publisher.publish(this.#stream, this.codec as never, value, options);
  }

  signal(value: unknown): boolean {
    const body = jsonCodec.encode(value);
    const { limits } = this.#calls;
    assertWithin('ERR_CLIENT_TOO_LARGE', 'a signal', body.length, 'maxSignalBytes', limits?.maxSignalBytes);
    if (!this.joined) return false;
    return this.#calls.sendVolatile(encodeSignal(this.#stream.entries.handle, jsonCodec.tag, body));
  }

  messages(options: StreamOptions = {}): Stream<Message<T>> {
    return this.#subscribe(options, 'message');
  }

  entries(options: StreamOptions = {}): Stream<RoomEntry<T>> {
    return this.#subscribe(options, ...ENTRY_EVENTS);
  }

  on<Name extends keyof RoomEvents<T>>(
    event: Name,
    listener: Listener<RoomEvents<T>[Name]>,
    options?: ListenOptions,
  ): () => void {
    const remove = this.#stream.listeners.on(event, listener, options);
    if ((ENTRY_EVENTS as readonly string[]).includes(event)) this.#stream.entries.release();
    return remove;
  }

  history(options: HistoryOptions = {}): Promise<HistoryPage<T>> {
    return this.#calls.onDemand((calls) => calls.askForHistory(this.#calls, this.#stream.entries, options));
  }

  loadMembers(options: { limit?: number; signal?: AbortSignal } = {}): Promise<boolean> {
    return this.#calls.onDemand((calls) => calls.askForMembers(this.#calls, this.#stream, options));
  }

  leave(): Promise<void> {
    return this.#leave();
  }

  #subscribe<Name extends (typeof ENTRY_EVENTS)[number]>(
    options: StreamOptions,
    ...events: readonly Name[]
  ): Stream<RoomEvents<T>[Name]> {
    const { listeners, entries, joined, lostBy } = this.#stream;
    const queue = listeners.stream(options, ...events);
    if (!joined) queue.end(lostBy);
    if (!queue.ended) entries.release();
    return queue;
  }
}
