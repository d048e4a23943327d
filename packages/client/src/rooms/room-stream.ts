/**
 * One room as the connection tells of it: its entries, members and signals, and their return on another
 * connection. `JoinedRoom` is the other side, with the calls of the user.
 */
import { type Codec, CodecTag, jsonCodec, textCodec } from '@chat/protocol';
import { encodePublish, type Frame, type FrameType, type Joined } from '@chat/protocol/frames';
import { ClientError } from '../errors.js';
import { Listeners } from '../events/listeners.js';
import type { PublishTarget } from '../sending/outbox.js';
import type { Gap, Identity, Notice } from './entry.js';
import { EntryStream, type StreamItem, type StreamOwner } from './entry-stream.js';
import { MemberList } from './member-list.js';
import { type JoinOptions, ROOM_EVENTS, type RoomEvents } from './room.js';

/** The client, as far as a room tells it something. */
export interface RoomOwner {
  readonly identity: Identity;
  onGap(gap: Gap): void;
  onNotice(notice: Notice): void;
  onListenerError(error: unknown, event: string): void;
}

/** Events that are entries of the stream: a listener for one of them is a reader. */
export const ENTRY_EVENTS = ['message', 'notice', 'gap', 'unreadable'] as const;

/** The codecs in which a signal may come; it is sent as JSON. */
const SIGNAL_CODECS: readonly Pick<Codec<unknown>, 'tag' | 'decode'>[] = [
  jsonCodec,
  textCodec as Codec<unknown>,
  // Bytes: a whole codec is more for a page to load.
  { tag: CodecTag.Bytes, decode: (body) => body },
];

export class RoomStream<T> implements StreamOwner<T>, PublishTarget {
  readonly #owner: RoomOwner;
  readonly #onEvicted: () => void;
  readonly name: string;
  readonly codec: Codec<T>;
  readonly listeners: Listeners<RoomEvents<T>>;
  readonly members: MemberList = new MemberList();
  readonly entries: EntryStream<T>;
  /** The history that the join asked for: asked for again when the server has lost its memory. */
  readonly wantedHistory: number;
  joined = true;
  /** Why it is not joined any more, if the user did not leave it. */
  lostBy: ClientError | undefined;
  /** Whether the session of today is in it: false from a lost session until the room is joined again. */
  inSession = true;
  /** Whether the server was asked to let this client leave, and has not said since that it is in. */
  leaving = false;
  /** The call that leaves, until it settles. */
  leaveCall: Promise<boolean> | undefined;

  /** @param onEvicted - told when the server has shown this client out of the room */
  constructor(owner: RoomOwner, onEvicted: () => void, joined: Joined, options: JoinOptions<T>) {
    this.#owner = owner;
    this.#onEvicted = onEvicted;
    this.name = joined.room;
    // The default of T is string, and textCodec is the default codec.
    this.codec = options.codec ?? (textCodec as Codec<unknown> as Codec<T>);
    this.wantedHistory = options.history ?? 0;
    this.listeners = new Listeners(ROOM_EVENTS, (error, event) => owner.onListenerError(error, event));
    const { echo = true, since } = options;
    const { identity } = owner;
    this.entries = new EntryStream({ identity, room: this.name, codec: this.codec, echo }, this);
    this.entries.comeBack(joined, true);
    this.members.reset(joined);
    if (since && since.epoch !== identity.epoch) this.entries.gap('epoch-changed', since.seq, joined.start);
    else if (since && since.seq < joined.start) this.entries.gap('expired', since.seq, joined.start);
  }

  get isWaiting(): boolean {
    return this.joined && !this.inSession;
  }

  get refusal(): ClientError | undefined {
    if (this.joined) return undefined;
    return new ClientError('ERR_CLIENT_NOT_MEMBER', `the room ${this.name} was left`);
  }

  publishFrame(publishId: number, codec: number, body: Uint8Array): Uint8Array {
    return encodePublish(this.entries.handle, publishId, codec, body);
  }

  /** Goes on after a reconnect, in the same epoch or in a new one. */
  rejoin(joined: Joined): void {
    this.inSession = true;
    this.leaving = false;
    this.entries.comeBack(joined, true);
    this.members.reset(joined);
    this.onMembers();
  }

  /** The end of the room for this client. */
  end(error?: ClientError): void {
    if (!this.joined) return;
    this.joined = false;
    this.lostBy = error;
    // Every iterator has messages in it.
    this.listeners.end('message', error);
    this.listeners.emit('closed', { error });
    this.listeners.clear();
  }

  onSignal({ sender, name, codec, body }: Extract<Frame, { readonly type: typeof FrameType.Signal }>): void {
    if (!this.listeners.has('signal')) return;
    const known = SIGNAL_CODECS.find(({ tag }) => tag === codec);
    if (known === undefined) return;
    let value: unknown;
    try {
      value = known.decode(body);
    } catch {
      return; // A signal is volatile: one that cannot be read is as good as lost.
    }
    this.listeners.emit('signal', { room: this.name, sender: { id: sender, name }, value });
  }

  onMembers(): void {
    this.listeners.emit('members', this.members.byId);
  }

  isListening(): boolean {
    return this.listeners.count > 0;
  }

  onItem(item: StreamItem<T>): void {
    if (item.type === 'direct') return; // Only the inbox has these.
    this.listeners.emit(item.type, item as never);
    if (item.type === 'gap') this.#owner.onGap(item);
  }

  onNotice(notice: Notice): void {
    const isNews = this.members.apply(notice);
    this.#owner.onNotice(notice);
    // protocol.md, "Rooms": who leaves by itself is not told so.
    if (isNews && notice.kind === 'left' && notice.member.id === this.#owner.identity.id) this.#onEvicted();
    this.onMembers();
  }
}
