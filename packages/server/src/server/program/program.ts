/**
 * What the program around the server may say and read: it is no member, and everything that members see is open to it.
 */
import { roomKey } from '@chat/protocol';
import type { OptionNames } from '@chat/protocol/check';
import { ServerError, ServerErrorCode } from '../../errors.js';
import { assertNames } from '../../options/option-names.js';
import type { ProgramContext } from './context.js';
import { FEED_NAMES, Feed, type FeedOptions, FeedWindow } from './feed.js';
import { HISTORY_NAMES, type RoomHistory, type RoomHistoryOptions, readHistory } from './history.js';
import { ProgramPublisher, type Published, type PublishedDirect, type PublishOptions } from './publisher.js';
import { SUBSCRIBE_NAMES, type SubscribeOptions, Subscription } from './subscription.js';

/** Which rooms are listed. */
export interface RoomsQuery {
  /** Rooms whose names begin like this, without regard to case. @defaultValue '' */
  readonly prefix?: string;
  /** Rooms, at the most. @defaultValue 50, 1000 at the most */
  readonly limit?: number;
  /** Of the page before. */
  readonly cursor?: string;
}

/** A page of rooms. */
export interface RoomsPage {
  readonly rooms: readonly { readonly room: string; readonly memberCount: number }[];
  /** For the next page; absent where there is none. A page may be empty and have one. */
  readonly cursor?: string;
}

const PUBLISH_NAMES: OptionNames<PublishOptions> = { as: true, codec: true };
const ROOMS_NAMES: OptionNames<RoomsQuery> = { prefix: true, limit: true, cursor: true };

const DEFAULT_PAGE = 50;
const MAX_PAGE = 1000;

export class Program {
  readonly #context: ProgramContext;
  readonly #publisher: ProgramPublisher;
  readonly #position: () => number;
  /** What the feeds read. */
  readonly feeds: FeedWindow;
  #isClosed = false;
  /** By key of the room. */
  readonly #readers = new Map<string, Set<Subscription<unknown>>>();

  /** @param position of the newest entry of the log */
  constructor(context: ProgramContext, position: () => number) {
    this.#context = context;
    this.#position = position;
    this.#publisher = new ProgramPublisher(context);
    this.feeds = new FeedWindow(context, position);
    context.fanOut.onRoom = ({ key }) => this.#each(key, (reader) => reader.wake());
    context.rooms.onOpened = (room) => this.#each(room.key, (reader) => reader.opened(room));
    context.rooms.onForgotten = (room) => this.#each(room.key, (reader) => reader.forgotten(room));
  }

  async publish<T>(room: string, value: T, options: PublishOptions<T>): Promise<Published> {
    assertNames(options, PUBLISH_NAMES, { method: 'publish' });
    return this.#publisher.publish(room, value, options);
  }

  async direct<T>(user: string, value: T, options: PublishOptions<T>): Promise<PublishedDirect> {
    assertNames(options, PUBLISH_NAMES, { method: 'direct' });
    return this.#publisher.direct(user, value, options);
  }

  async rooms(query: RoomsQuery): Promise<RoomsPage> {
    assertNames(query, ROOMS_NAMES, { method: 'rooms' });
    const { prefix = '', limit = DEFAULT_PAGE, cursor } = query;
    if (!Number.isInteger(limit) || limit < 1) {
      const message = `rooms: limit must be a whole number from 1, got ${String(limit)}`;
      throw new ServerError(ServerErrorCode.BadOption, message);
    }
    const maxBytes = Number.POSITIVE_INFINITY;
    return this.#context.rooms.list(prefix, Math.min(limit, MAX_PAGE), maxBytes, cursor, undefined, true);
  }

  async history<T>(room: string, options: RoomHistoryOptions<T>): Promise<RoomHistory<T>> {
    assertNames(options, HISTORY_NAMES, { method: 'history' });
    return readHistory(this.#context, room, options);
  }

  subscribe<T>(room: string, options: SubscribeOptions<T>): Subscription<T> {
    assertNames(options, SUBSCRIBE_NAMES, { method: 'subscribe' });
    const key = roomKey(room);
    const subscription: Subscription<T> = new Subscription(
      this.#context,
      room,
      options,
      this.#position(),
      () => this.#forget(key, subscription as Subscription<unknown>),
    );
    const readers = this.#readers.get(key) ?? new Set();
    this.#readers.set(key, readers.add(subscription as Subscription<unknown>));
    if (this.#isClosed || options.signal?.aborted) subscription.end();
    return subscription;
  }

  feed(options: FeedOptions): Feed {
    assertNames(options, FEED_NAMES, { method: 'feed' });
    const feed = new Feed(this.feeds, options);
    if (this.#isClosed) feed.end();
    return feed;
  }

  /** Readers that there are. */
  get readerCount(): number {
    let count = 0;
    for (const readers of this.#readers.values()) count += readers.size;
    return count;
  }

  /** Ends all readers, and rejects what the log has not answered. */
  close(): void {
    this.#isClosed = true;
    this.#publisher.close();
    this.feeds.end();
    for (const readers of [...this.#readers.values()]) for (const reader of [...readers]) reader.end();
  }

  #forget(key: string, reader: Subscription<unknown>): void {
    const readers = this.#readers.get(key);
    if (readers?.delete(reader) && readers.size === 0) this.#readers.delete(key);
  }

  #each(key: string, tell: (reader: Subscription<unknown>) => void): void {
    for (const reader of this.#readers.get(key) ?? []) tell(reader);
  }
}
