/**
 * A conversation without a face: what a user interface shows of a room, or of direct messages with one user.
 *
 * It listens to the room and keeps its entries in order, beside the own messages that are on their way. It
 * counts unread messages, knows the members that are writing, and loads older pages. A user interface calls
 * its methods, subscribes, and draws {@link Timeline.snapshot}. It touches no document and no terminal; the
 * room stays the caller's, and is not left.
 *
 * Longer than most files here: a third of it is TSDoc of what users call, and every part ends in the one
 * snapshot.
 */
import { CodecTag, type Member, textCodec } from '@chat/protocol';
import type { ReadNews } from '@chat/protocol/frames';
import { assertKnown } from '../assert-known.js';
import type { ChatClient } from '../chat-client.js';
import { type Clock, monotonicMs, systemClock } from '../clock.js';
import { ClientError } from '../errors.js';
import type { Notice } from '../rooms/entry.js';
import type { Room, RoomAbout, Signal } from '../rooms/room.js';
import type { Sent } from '../sending/publisher.js';
import { EntryList } from './entry-list.js';
import type { OutgoingItem, TimelineEntry, TimelineItem } from './items.js';
import { Reading } from './reading.js';
import { RICH_FEATURE, readRich, richCodec } from './rich-text.js';
import { OwnTyping, Typists } from './typing.js';

/** Options of {@link createTimeline}. */
export interface TimelineOptions<T = string, L = never> {
  /** Whether what arrives now is seen by the user, and so is not unread. @defaultValue nothing is */
  readonly isSeen?: () => boolean;
  /** Told of each item that arrives, older pages left out: for notifications and announcements. */
  readonly onItem?: (item: TimelineItem<T, L>) => void;
  /**
   * Items kept; beyond, a fifth of them goes, the oldest first, and can be loaded again. @defaultValue 20000
   */
  readonly maxItems?: number;
  /** Entries asked for by {@link Timeline.loadOlder}. @defaultValue 100 */
  readonly pageEntries?: number;
  /** How long an acknowledged message waits for its echo before it is shown without. @defaultValue 3000 */
  readonly echoTimeoutMs?: number;
  /**
   * Whether two values are one message: finds the echo of an own message whose acknowledgement was lost.
   * @defaultValue they are the same, or their JSON is
   */
  readonly isSameValue?: (one: T, other: T) => boolean;
  /**
   * The user as a member, for own messages that come back without an echo. @defaultValue a member without a
   * name
   */
  readonly self?: () => Member;
  /**
   * The client that is told how far the user has read, and tells what was read on other sessions: then all of them count the
   * same as unread. It says {@link READS_FEATURE} in its `features`. @defaultValue unread is counted here alone
   */
  readonly client?: Pick<ChatClient<T>, 'markRead' | 'on'>;
  /** @defaultValue the clock of the platform */
  readonly clock?: Clock;
}

const OPTIONS = 'isSeen,onItem,maxItems,pageEntries,echoTimeoutMs,isSameValue,self,client,clock';

/** A conversation at one moment, to be drawn. Immutable; the same object until something changes. */
export interface TimelineSnapshot<T = string, L = never> {
  readonly items: readonly TimelineItem<T, L>[];
  /**
   * Index of the first item, for views that remember places by number. An item keeps its index for as long as
   * it is here: this falls with older pages, and rises when the oldest items go.
   */
  readonly firstIndex: number;
  /** To be drawn below the items. */
  readonly outgoing: readonly OutgoingItem<T>[];
  /** Others that are writing. */
  readonly typists: readonly Member[];
  /** Messages of others since {@link Timeline.markRead}, here or, with the option `client`, on another session. */
  readonly unread: number;
  /** Key of the first of them; stays until {@link Timeline.clearMark}, so that the reader finds the place. */
  readonly firstUnread: string | undefined;
  /** Whether an older page is under way. */
  readonly isLoading: boolean;
  /** Whether there is nothing older, or nothing that can be had. */
  readonly atStart: boolean;
  /** Rises with every page that was put before the others, so that a view keeps its place. */
  readonly shifts: number;
  /**
   * How the room is, and the own role in it, as far as that was told. The own role follows what is said of the user that
   * the option `self` names.
   */
  readonly about: RoomAbout;
}

/** The place of a conversation: a room, or direct messages with one user. */
export type TimelineSource<T> = Room<T> | DirectSource<T>;

/** Direct messages with one user. Hand those that arrive to {@link Timeline.add}. */
export interface DirectSource<T> {
  readonly client: Pick<ChatClient<T>, 'direct'>;
  readonly to: string;
}

const MAX_ITEMS = 20_000;
const PAGE_ENTRIES = 100;
const ECHO_TIMEOUT_MS = 3000;
const RATE_LIMIT_WAIT_MS = 500;
const MAX_RATE_LIMIT_WAITS = 20;
const NOBODY: Member = { id: 0, name: '' };

/**
 * Makes the timeline of a room, or of direct messages with one user.
 *
 * @typeParam T - values of messages
 * @typeParam L - values of {@link Timeline.addLocal}; none by default
 * @param source - may be left out, and given to {@link Timeline.attach} later: what is sent meanwhile waits for it, or
 *   for {@link Timeline.detach}, which says that there will be none
 *
 * @example
 * ```ts
 * import assert from 'node:assert';
 * import { connect } from '@chat/client';
 * import { createTimeline } from '@chat/client/timeline';
 * import { createChatServer } from '@chat/server'; // here only so that the example runs by itself
 *
 * const server = createChatServer();
 * const { port } = await server.listen({ host: '127.0.0.1', port: 0 });
 * const client = await connect(`tcp://127.0.0.1:${port}`, { name: 'ada' });
 *
 * const timeline = createTimeline(await client.join('lobby'));
 * assert(await timeline.send('hello')); // it is in the log now
 * await new Promise<void>((drawn) => {
 *   const draw = (): void => {
 *     const { items, outgoing } = timeline.snapshot;
 *     if (outgoing.length === 0 && items.some((item) => item.kind === 'message')) drawn();
 *   };
 *   timeline.subscribe(draw);
 *   draw();
 * });
 *
 * timeline.close();
 * await client.close();
 * await server.close();
 * ```
 */
export function createTimeline<T = string, L = never>(
  source?: TimelineSource<T>,
  options: TimelineOptions<T, L> = {},
): Timeline<T, L> {
  assertKnown(OPTIONS, options);
  const timeline = new Timeline<T, L>(options);
  if (source) timeline.attach(source);
  return timeline;
}

/** A conversation without a face. Made by {@link createTimeline}. */
export class Timeline<T = string, L = never> {
  readonly #clock: Clock;
  readonly #isSeen: () => boolean;
  readonly #onItem: ((item: TimelineItem<T, L>) => void) | undefined;
  readonly #pageEntries: number;
  readonly #echoTimeoutMs: number;
  readonly #self: () => Member;
  readonly #list: EntryList<T, L>;
  readonly #typists = new Typists();
  readonly #ownTyping = new OwnTyping();
  readonly #subscribers = new Set<() => void>();
  readonly #timers = new Set<unknown>();
  /** Sends that wait for a rate limit. */
  readonly #waits = new Set<() => void>();
  #source: TimelineSource<T> | undefined;
  /** Whether there was a source, or will be none. What is sent before that waits for it. */
  #hasBegun = false;
  /** Lasts while there is something that waits for the first source. */
  #beginning: Beginning | undefined;
  #detach: (() => void) | undefined;
  readonly #reading: Reading;
  #stopReading: (() => void) | undefined;
  #about: RoomAbout = {};
  /** Of the last answer to a join. */
  #told: RoomAbout | undefined;
  #isLoading = false;
  /** Changes of messages that were told while a page was loading. */
  #heardMeanwhile: Notice[] = [];
  #shifts = 0;
  #isClosed = false;
  #typistTimer: unknown;
  #snapshot: TimelineSnapshot<T, L> | undefined;

  /** @internal */
  constructor(options: TimelineOptions<T, L>) {
    this.#clock = options.clock ?? systemClock;
    this.#isSeen = options.isSeen ?? (() => false);
    this.#onItem = options.onItem;
    this.#pageEntries = options.pageEntries ?? PAGE_ENTRIES;
    this.#echoTimeoutMs = options.echoTimeoutMs ?? ECHO_TIMEOUT_MS;
    this.#self = options.self ?? (() => NOBODY);
    const { client } = options;
    this.#reading = new Reading(this.#clock, client);
    this.#stopReading = client?.on('read', (news) => this.#readElsewhere(news));
    this.#list = new EntryList(options.maxItems ?? MAX_ITEMS, options.isSameValue ?? isSameJson, this.#read);
  }

  /** The conversation as it is now. */
  get snapshot(): TimelineSnapshot<T, L> {
    this.#snapshot ??= {
      items: [...this.#list.items],
      firstIndex: this.#list.firstIndex,
      outgoing: this.#list.outgoing,
      typists: this.#typists.members,
      unread: this.#reading.count,
      firstUnread: this.#reading.first,
      isLoading: this.#isLoading,
      atStart: this.#list.atStart,
      shifts: this.#shifts,
      about: this.#about,
    };
    return this.#snapshot;
  }

  /** Calls `listener` after each change, in the same turn. @returns a function that ends this */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#subscribers.add(listener);
    return () => this.#subscribers.delete(listener);
  };

  /** The present place of the conversation; undefined while it has none. */
  get source(): TimelineSource<T> | undefined {
    return this.#source;
  }

  /** Listens to a source in place of the one before; what is shown stays. */
  attach(source: TimelineSource<T>): void {
    if (this.#source === source || this.#isClosed) return;
    this.#stopListening();
    this.#source = source;
    this.#reading.begin(isRoom(source) ? { room: source.name } : { user: source.to });
    this.#begin();
    if (!isRoom(source)) return;
    this.#joined(source);
    const removers = [
      source.on('members', () => this.#joined(source)),
      source.on('message', (message) => this.add(message)),
      source.on('notice', (notice) => this.add(notice)),
      source.on('gap', (gap) => this.add(gap)),
      source.on('unreadable', (message) => this.add(message)),
      source.on('signal', (signal) => this.#heard(signal)),
    ];
    this.#detach = () => {
      for (const remove of removers) remove();
    };
  }

  /**
   * Listens to nothing any more; what is shown stays. Also says that there will be no source: what was sent before
   * the first one waits for it until then.
   */
  detach(): void {
    this.#stopListening();
    this.#begin();
  }

  #stopListening(): void {
    this.#detach?.();
    this.#detach = undefined;
    this.#source = undefined;
    this.#ownTyping.sent();
    if (this.#typists.clear()) this.#changed();
  }

  /**
   * Takes an entry that does not come from the room it listens to. @returns the item; undefined when it was
   * here, and for a reaction, which is shown at its message
   */
  add(entry: TimelineEntry<T>): TimelineItem<T, L> | undefined {
    if (entry.type === 'gap' && entry.reason === 'epoch-changed') this.#reading.reset();
    const item = this.#list.add(entry);
    if (item === undefined) {
      if (entry.type === 'notice' && entry.kind === 'reacted') {
        this.#heardOf(entry);
        this.#changed();
      }
      return undefined;
    }
    if (item.kind === 'notice') this.#heardOf(item.notice);
    if (item.kind === 'message' && !item.own) {
      this.#typists.stopped(item.sender.id);
      this.#reading.add(item, this.#isSeen());
    } else if (item.kind === 'notice' && item.notice.kind !== 'renamed') {
      this.#typists.stopped(item.notice.member.id);
    }
    this.#changed();
    this.#onItem?.(item);
    return item;
  }

  /** What the answer to a join says counts until the room tells of a change. */
  #joined({ about }: Room<T>): void {
    if (about === this.#told) return;
    this.#told = about;
    this.#about = about ?? {};
    if (this.#stopReading) this.#reading.joined(this.#about);
    this.#changed();
  }

  #readElsewhere({ room, user, read }: ReadNews): void {
    const source = this.#source;
    const isHere =
      source !== undefined &&
      (isRoom(source) ? source.name === room : source.to.toLowerCase() === user?.toLowerCase());
    if (isHere && this.#reading.upTo(read)) this.#changed();
  }

  /** A notice may say that a message, or the room, is another now. */
  #heardOf(notice: Notice): void {
    const { change, history } = notice;
    if (!change) return;
    this.#list.correct(notice, this.#decode);
    if (this.#isLoading) this.#heardMeanwhile.push(notice);
    // The answer to the join is newer than what was said before it.
    if (history) return;
    const { settings, role } = change;
    if (settings) this.#about = { ...this.#about, settings };
    if (role && role.name === this.#self().name) this.#about = { ...this.#about, role: role.role };
  }

  /** In a conversation of text, an answer to a message is a text as well. */
  readonly #read = (entry: TimelineEntry<T>): TimelineEntry<T> => {
    const source = this.#source;
    const isText = !source || !isRoom(source) || source.codec?.tag === CodecTag.Text;
    return isText ? (readRich(entry) as TimelineEntry<T>) : entry;
  };

  /** A text that a message has now, as a value of the room. */
  readonly #decode = (text: string, codec: number): T | undefined => {
    const source = this.#source;
    if (source === undefined || !isRoom(source) || source.codec.tag !== codec) return undefined;
    try {
      return source.codec.decode(textCodec.encode(text));
    } catch {
      return undefined;
    }
  };

  /** Puts words of the user interface itself below what is there: they are not sent, and not unread. */
  addLocal(value: L): void {
    this.#list.addLocal(value, this.#clock.now());
    this.#changed();
  }

  /**
   * Sends a message, which is shown at once. Before the first source it waits for that; a rate limit is waited out. A
   * failure is shown, and stays until {@link Timeline.retry} or {@link Timeline.discard}.
   *
   * @param options - `reply`: position of the message in the room that this one answers. For the client to say so it has
   *   the feature `rich` (see {@link RICH_FEATURE}); where the server does not know it, only the text is sent
   * @returns a promise that never rejects: whether the message is in the log
   */
  async send(value: T, { reply }: { readonly reply?: number | undefined } = {}): Promise<boolean> {
    const answers = this.#about.features?.includes(RICH_FEATURE) ? reply : undefined;
    const key = this.#list.begin(value, this.#clock.now(), answers);
    this.#reading.clearMark();
    this.#ownTyping.sent();
    this.#changed();
    try {
      if (!this.#hasBegun) this.#beginning ??= beginning();
      if (this.#beginning) await this.#beginning.over;
      const source = this.#source;
      if (source === undefined) {
        throw new ClientError('ERR_CLIENT_NOT_MEMBER', 'the conversation takes place in no room now');
      }
      if (isRoom(source)) {
        const publish = (): Promise<Sent> =>
          answers === undefined
            ? source.send(value)
            : source.send({ text: value as string, reply: answers }, { codec: richCodec });
        this.#acknowledge(key, await this.#patiently(publish));
      } else {
        const sent = await this.#patiently(() => source.client.direct(source.to, value));
        // Direct messages have no echo.
        this.#list.settle(key, sent, this.#self());
      }
      this.#changed();
      return true;
    } catch (error) {
      this.#list.fail(key, error);
      this.#changed();
      return false;
    }
  }

  /**
   * Sends a failed message again, as a new one. @returns as {@link Timeline.send}; false when there is none
   */
  async retry(key: string): Promise<boolean> {
    const failed = this.#list.discard(key);
    return failed !== undefined && this.send(failed.value, { reply: failed.reply });
  }

  /** Gives up a failed message. */
  discard(key: string): void {
    if (this.#list.discard(key)) this.#changed();
  }

  /** Tells the others in the room that the user is writing, or stopped. Cheap to call for every key. */
  typing(isWriting: boolean): void {
    const source = this.#source;
    if (isWriting && source && isRoom(source)) this.#ownTyping.goesOn(source, monotonicMs(this.#clock));
    else this.#ownTyping.stop();
  }

  /** Nothing is unread any more. */
  markRead(): void {
    if (this.#reading.readAll()) this.#changed();
  }

  /** Forgets where the unread messages began. */
  clearMark(): void {
    if (this.#reading.first === undefined) return;
    this.#reading.clearMark();
    this.#changed();
  }

  /**
   * Loads a page of what was said before the oldest item. Does nothing while one is under way, at the
   * beginning, and for direct messages.
   *
   * @throws ClientError (as a rejection) what {@link Room.history} throws; calling again tries again
   */
  async loadOlder(): Promise<void> {
    const source = this.#source;
    const { oldest } = this.#list;
    if (this.#isLoading || this.#list.atStart || !oldest || !source || !isRoom(source)) return;
    this.#isLoading = true;
    this.#changed();
    try {
      const page = await source.history({ before: oldest.seq, limit: this.#pageEntries });
      // The log may have been replaced meanwhile, or the beginning let go.
      if (this.#list.oldest === oldest) {
        this.#list.prepend(page.entries, page.end);
        // The page may have been read before they were said; what it knows already stays as it is.
        for (const notice of this.#heardMeanwhile) this.#list.correct(notice, this.#decode);
        this.#shifts++;
      }
    } finally {
      this.#heardMeanwhile = [];
      this.#isLoading = false;
      this.#changed();
    }
  }

  /** Ends: listens to nothing, calls nobody, holds no timer. The room is not left. Idempotent. */
  close(): void {
    if (this.#isClosed) return;
    this.#ownTyping.stop();
    this.#reading.close();
    this.#stopReading?.();
    this.detach();
    this.#isClosed = true;
    this.#subscribers.clear();
    for (const timer of this.#timers) this.#clock.clearTimeout(timer);
    for (const done of [...this.#waits]) done();
    this.#clock.clearTimeout(this.#typistTimer);
  }

  /** Lets those go that wait, in their order, and before whoever sends in this same turn. */
  #begin(): void {
    this.#hasBegun = true;
    const { over, end } = this.#beginning ?? {};
    end?.();
    void over?.then(() => {
      this.#beginning = undefined;
    });
  }

  /**
   * The echo brings it. When it does not, since that part of the log was skipped, it is shown all the same.
   */
  #acknowledge(key: string, sent: Sent): void {
    if (!this.#list.acknowledge(key, sent) || this.#isClosed) return;
    const timer = this.#clock.setTimeout(() => {
      this.#timers.delete(timer);
      if (this.#list.settle(key, sent, this.#self())) this.#changed();
    }, this.#echoTimeoutMs);
    this.#timers.add(timer);
  }

  async #patiently<S extends Sent>(publish: () => Promise<S>): Promise<S> {
    for (let waits = 0; ; waits++) {
      try {
        return await publish();
      } catch (error) {
        const isLimit = ClientError.is(error) && error.code === 'ERR_CLIENT_RATE_LIMITED';
        if (!isLimit || waits >= MAX_RATE_LIMIT_WAITS) throw error;
        if (!this.#isClosed) await this.#wait(error.retryAfterMs ?? RATE_LIMIT_WAIT_MS);
        if (this.#isClosed) throw error;
      }
    }
  }

  #heard({ sender, value }: Signal): void {
    if (this.#typists.heard(sender, value, monotonicMs(this.#clock))) this.#changed();
    this.#watchTypists();
  }

  /** One timer, for the signal that is believed for the shortest time. */
  #watchTypists(): void {
    const { nextAt } = this.#typists;
    if (nextAt === undefined || this.#typistTimer !== undefined || this.#isClosed) return;
    this.#typistTimer = this.#clock.setTimeout(
      () => {
        this.#typistTimer = undefined;
        if (this.#typists.expire(monotonicMs(this.#clock))) this.#changed();
        this.#watchTypists();
      },
      Math.max(0, nextAt - monotonicMs(this.#clock)),
    );
  }

  /** Lasts until the delay has passed, or the timeline is closed. */
  #wait(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.#clock.clearTimeout(timer);
        this.#waits.delete(done);
        resolve();
      };
      const timer = this.#clock.setTimeout(done, delayMs);
      this.#waits.add(done);
    });
  }

  #changed(): void {
    this.#snapshot = undefined;
    for (const subscriber of [...this.#subscribers]) subscriber();
  }
}

interface Beginning {
  readonly over: Promise<void>;
  end(): void;
}

function beginning(): Beginning {
  let end!: () => void;
  const over = new Promise<void>((resolve) => {
    end = resolve;
  });
  return { over, end };
}

function isRoom<T>(source: TimelineSource<T>): source is Room<T> {
  return !('to' in source);
}

function isSameJson(one: unknown, other: unknown): boolean {
  return one === other || JSON.stringify(one) === JSON.stringify(other);
}
