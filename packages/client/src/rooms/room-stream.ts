/**
 * What stands behind a {@link Room}: its stream of entries, its members and its events, and what they become
 * when the connection comes back.
 */
import {
  bytesCodec,
  type Codec,
  encodePublish,
  encodeSignal,
  type Frame,
  FrameSplitter,
  FrameType,
  type Joined,
  jsonCodec,
  MAX_MAX_FRAME_BYTES,
  type Member,
  type SessionLimits,
  textCodec,
} from '@chat/protocol';
import type { ClientEvents } from '../chat-client.js';
import { assertMembers } from '../check-json.js';
import { assertFits, ClientError } from '../errors.js';
import type { Stream, StreamOptions } from '../events/event-queue.js';
import { type Listener, Listeners, type ListenOptions } from '../events/listeners.js';
import { assertKnown } from '../options.js';
import type { PublishTarget } from '../session/outbox.js';
import type { HistoryAnswer, Requests } from '../session/requests.js';
import {
  type Identity,
  type Message,
  malformed,
  type Notice,
  type RoomEntry,
  readMessage,
  readNotice,
} from './entry.js';
import { EntryStream, type StreamItem, type StreamOwner } from './entry-stream.js';
import { MemberList } from './member-list.js';
import {
  type HistoryOptions,
  type HistoryPage,
  type JoinOptions,
  type LoadMembersOptions,
  ROOM_EVENTS,
  type Room,
  type RoomEvents,
  type SendOptions,
  type Sent,
} from './room.js';

/** What a room needs of its client. */
export interface RoomHost {
  readonly identity: Identity;
  readonly requests: Requests;
  readonly limits: SessionLimits | undefined;
  publish<T>(
    target: PublishTarget,
    codec: Codec<T>,
    value: T,
    options: SendOptions | undefined,
  ): Promise<Sent>;
  /** Sends a frame that may get lost. @returns whether there is a connection */
  sendVolatile(frame: Uint8Array): boolean;
  emit<Name extends 'gap' | 'room-lost'>(event: Name, value: ClientEvents<unknown>[Name]): void;
  onNotice(notice: Notice): void;
  onListenerError(error: unknown, event: string): void;
  leaveRoom(room: RoomStream<unknown>): Promise<void>;
  /** The server has shown this client out of the room. */
  dropRoom(room: RoomStream<unknown>): void;
  /** The room has an answer for the messages that waited for it: it is joined again, or has ended. */
  onRoomSettled(room: RoomStream<unknown>): void;
  /** How long to wait before a second try, when the server has asked for `retryAfterMs`. */
  retryDelayMs(retryAfterMs: number): number;
}

/** Events that are entries of the stream: who listens for one is a reader. */
const ENTRY_EVENTS = ['message', 'notice', 'gap', 'unreadable'] as const;

/** What a signal may be encoded with; it is sent as JSON. */
const SIGNAL_CODECS: readonly Codec<unknown>[] = [
  jsonCodec,
  textCodec as Codec<unknown>,
  bytesCodec as Codec<unknown>,
];

export class RoomStream<T> implements Room<T>, StreamOwner<T>, PublishTarget {
  readonly #host: RoomHost;
  readonly #listeners: Listeners<RoomEvents<T>>;
  readonly #members = new MemberList();
  readonly name: string;
  readonly codec: Codec<T>;
  /** What the join asked for: taken again when the server has lost its memory. */
  readonly wantedHistory: number;
  readonly stream: EntryStream<T>;
  #lostBy: ClientError | undefined;
  joined = true;
  /** Whether the session of today is in it: false from a lost session until the room is joined again. */
  inSession = true;
  /** Whether the server was asked to let this client leave, and has not said since that it is in. */
  leaving = false;
  /** The call that leaves, until it settles. */
  leaveCall: Promise<boolean> | undefined;

  constructor(host: RoomHost, joined: Joined, options: JoinOptions<T>) {
    this.#host = host;
    this.name = joined.room;
    // The default of T is string, and textCodec is the default codec.
    this.codec = options.codec ?? (textCodec as Codec<unknown> as Codec<T>);
    this.wantedHistory = options.history ?? 0;
    this.#listeners = new Listeners(ROOM_EVENTS, (error, event) => host.onListenerError(error, event));
    const { echo = true, since } = options;
    this.stream = new EntryStream(
      { identity: host.identity, room: this.name, codec: this.codec, echo },
      this,
    );
    this.stream.comeBack(joined, true);
    this.#members.reset(joined);
    if (since && since.epoch !== this.stream.epoch) this.stream.gap('epoch-changed', since.seq, joined.start);
    else if (since && since.seq < joined.start) this.stream.gap('expired', since.seq, joined.start);
  }

  get position(): number {
    return this.stream.position;
  }

  get members(): ReadonlyMap<number, Member> {
    return this.#members.members;
  }

  get memberCount(): number {
    return this.#members.count;
  }

  send(value: T, options?: SendOptions): Promise<Sent> {
    return this.#host.publish(this, this.codec, value, options);
  }

  signal(value: unknown): boolean {
    const body = jsonCodec.encode(value);
    assertFits('signal', body.length, this.#host.limits, 'maxSignalBytes');
    if (!this.joined) return false;
    return this.#host.sendVolatile(encodeSignal(this.stream.handle, jsonCodec.tag, body));
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
    const remove = this.#listeners.on(event, listener, options);
    if ((ENTRY_EVENTS as readonly string[]).includes(event)) this.stream.release();
    return remove;
  }

  async history({ signal, ...range }: HistoryOptions = {}): Promise<HistoryPage<T>> {
    assertKnown('before,after,limit', range);
    let page: HistoryPage<T> | undefined;
    await this.#host.requests.ask(
      { op: 'history', room: this.name, ...range },
      {
        signal,
        onAnswer: (answer) => {
          page = this.#readHistory(answer, range.after);
        },
      },
    );
    return page!;
  }

  async loadMembers(options: LoadMembersOptions = {}): Promise<boolean> {
    assertKnown('limit,signal', options);
    const limit = options.limit ?? Infinity;
    let cursor: number | undefined;
    for (let loaded = 0; loaded < limit && !this.#members.complete; ) {
      const page = await this.#host.requests.ask(
        { op: 'members', room: this.name, ...(cursor !== undefined && { cursor }) },
        {
          signal: options.signal,
          onAnswer: ({ members, cursor: next }) => {
            assertMembers(members);
            this.#members.add(members, next === undefined);
          },
        },
      );
      loaded += page.members.length;
      cursor = page.cursor;
      this.#listeners.emit('members', this.members);
    }
    return this.#members.complete;
  }

  leave(): Promise<void> {
    return this.#host.leaveRoom(this as unknown as RoomStream<unknown>);
  }

  get isWaiting(): boolean {
    return this.joined && !this.inSession;
  }

  publishFrame(publishId: number, codec: number, body: Uint8Array): Uint8Array | ClientError {
    if (!this.joined) return this.notMember();
    return encodePublish(this.stream.handle, publishId, codec, body);
  }

  notMember(): ClientError {
    return new ClientError('ERR_CLIENT_NOT_MEMBER', `the room ${this.name} was left`);
  }

  /** Goes on after a reconnect, in the same epoch or in a new one. */
  rejoin(joined: Joined): void {
    this.inSession = true;
    this.leaving = false;
    this.stream.comeBack(joined, true);
    this.#members.reset(joined);
    this.#listeners.emit('members', this.members);
  }

  /** The end of the room for this client. */
  end(error?: ClientError): void {
    if (!this.joined) return;
    this.joined = false;
    this.#lostBy = error;
    // Every iterator has messages in it.
    this.#listeners.end('message', error);
    this.#listeners.emit('closed', { error });
    this.#listeners.clear();
  }

  onSignal({ sender, name, codec, body }: Extract<Frame, { readonly type: typeof FrameType.Signal }>): void {
    if (!this.#listeners.has('signal')) return;
    const known = SIGNAL_CODECS.find(({ tag }) => tag === codec);
    if (known === undefined) return;
    let value: unknown;
    try {
      value = known.decode(body);
    } catch {
      return; // Volatile: what cannot be read is as good as lost.
    }
    this.#listeners.emit('signal', { room: this.name, sender: { id: sender, name }, value });
  }

  isListening(): boolean {
    return this.#listeners.count > 0;
  }

  onItem(item: StreamItem<T>): void {
    if (item.type === 'direct') return; // Only the inbox has these.
    this.#listeners.emit(item.type, item as never);
    if (item.type === 'gap') this.#host.emit('gap', item);
  }

  onNotice(notice: Notice): void {
    const isNews = this.#members.apply(notice);
    this.#host.onNotice(notice);
    // protocol.md, "Rooms": who leaves by itself is not told so.
    if (isNews && notice.kind === 'left' && notice.member.id === this.#host.identity.id) {
      this.#host.dropRoom(this as unknown as RoomStream<unknown>);
    }
    this.#listeners.emit('members', this.members);
  }

  #subscribe<Name extends (typeof ENTRY_EVENTS)[number]>(
    options: StreamOptions,
    ...events: readonly Name[]
  ): Stream<RoomEvents<T>[Name]> {
    const queue = this.#listeners.stream(options, ...events);
    if (!this.joined) queue.end(this.#lostBy);
    if (!queue.ended) this.stream.release();
    return queue;
  }

  /** @throws ProtocolError when the entries are malformed */
  #readHistory({ chunks, end }: HistoryAnswer, after: number | undefined): HistoryPage<T> {
    const entries: RoomEntry<T>[] = [];
    const context = {
      identity: this.#host.identity,
      room: this.name,
      codec: this.codec,
      historyUntil: Infinity,
    };
    let position = after;
    // An entry is in one chunk, which is a frame that was not too large.
    const splitter = new FrameSplitter({ maxFrameBytes: MAX_MAX_FRAME_BYTES });
    for (const chunk of chunks) {
      splitter.push(chunk);
      while (splitter.next()) {
        const { type, bytes, offset, length } = splitter;
        const entry =
          type === FrameType.Notice
            ? readNotice(context, bytes, offset, length)
            : (readMessage(context, bytes, offset, length) as Message<T>);
        if (position !== undefined && entry.prev > position) {
          // In front of the first, what lies between is no longer held.
          const reason = entries.length === 0 ? 'expired' : 'hole';
          entries.push({ type: 'gap', room: this.name, reason, from: position, to: entry.prev });
        }
        entries.push(entry);
        position = entry.seq;
      }
      if (splitter.pendingBytes > 0) throw malformed('a history ends within an entry');
    }
    if (after !== undefined && end && entries.length === 0 && after < this.position) {
      // There was something, and nothing of it is held any more.
      entries.push({ type: 'gap', room: this.name, reason: 'expired', from: after, to: this.position });
    }
    return { entries, end };
  }
}
