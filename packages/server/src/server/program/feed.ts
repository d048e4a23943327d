/**
 * Everything that happens in the chat, in the order of the log, for the program around the server: a cursor over all
 * rooms. Direct messages are not in it: they are between two.
 *
 * What has happened lately is kept while somebody reads; there is one such window, whoever many read. A reader that is
 * behind it goes on in the store, and where there is none it is told of a gap. So a slow reader costs nothing but its
 * position.
 */
import type { Member } from '@chat/protocol';
import type { OptionNames } from '@chat/protocol/check';
import { FrameType, NoticeKind } from '@chat/protocol/frames';
import { type Ban, claimFields } from '../../log/claims.js';
import { CLAIM, ClaimKind, inboxMember, type LogEntry, SIGNAL } from '../../log/entry.js';
import type { EventStore } from '../../log/event-log.js';
import type { SessionKicked } from '../../log/state/chat-state.js';
import type { Outcome } from '../../log/state/outcome.js';
import { changeOf, entryId, NOTICE_KINDS, type RoomNotice } from './entry.js';
import { assertPosition } from './history.js';

/** Where a feed begins, and when it ends. */
export interface FeedOptions {
  /** Begins behind this position. @defaultValue with what comes from now on */
  readonly after?: number;
  /** The life of the log that `after` is of; another one is answered with a gap. @defaultValue the present one */
  readonly epoch?: string;
  /** Ends the reading when it is aborted: the iterator is done then, and does not throw. */
  readonly signal?: AbortSignal;
}

/** Options of `feed`. */
export const FEED_NAMES: OptionNames<FeedOptions> = { after: true, epoch: true, signal: true };

/** What everything that happens has. */
export interface FeedInfo {
  /** Name of the entry for everybody: epoch and seq. */
  readonly id: string;
  /** Position in the log: rising, not dense. */
  readonly seq: number;
  /** Server time in milliseconds since 1970. */
  readonly at: number;
}

/** Something that has happened, or entries with `from < seq <= to` that are not held any more. */
export type FeedEntry =
  | (FeedInfo & {
      readonly type: 'message';
      readonly room: string;
      /** The member that sent it, under the name of that time. The id 0 is that of the program. */
      readonly sender: Member;
      /** Tag of the codec of `body`. */
      readonly codec: number;
      /** Owned. */
      readonly body: Uint8Array;
    })
  | (FeedInfo & {
      readonly type: 'notice';
      readonly room: string;
      readonly kind: RoomNotice['kind'];
      /** Under the new name if renamed. */
      readonly member: Member;
      readonly oldName: string | undefined;
      /** What was taken back, edited, changed or reacted to. */
      readonly change?: RoomNotice['change'];
    })
  | (FeedInfo & { readonly type: 'room-opened'; readonly room: string })
  | (FeedInfo & { readonly type: 'session-opened'; readonly name: string })
  /** `name` is empty where an older version has written it. */
  | (FeedInfo & { readonly type: 'session-ended'; readonly member: Member })
  | (FeedInfo & { readonly type: 'kicked'; readonly member: Member; readonly reason: string })
  | (FeedInfo & {
      readonly type: 'banned';
      /** `undefined` for an address alone. */
      readonly name: string | undefined;
      /** Each an IPv4 address or an IPv6 /64. */
      readonly addresses: readonly string[];
      /** Server time in milliseconds since 1970 at which it ends; `undefined`: never. */
      readonly until: number | undefined;
    })
  | { readonly type: 'gap'; readonly from: number; readonly to: number };

/** Entries of the window, at the most. */
export const MAX_FEED_ENTRIES = 4096;
/** Bytes of names and bodies in the window, at the most. */
export const MAX_FEED_BYTES = 4_194_304;

/** What feeds need of the server. */
export interface FeedContext {
  readonly log: { readonly epoch: string; readonly store?: EventStore };
  readonly rooms: { byKey(key: string): { readonly name: string } | undefined };
}

/** The window that all feeds read. */
export class FeedWindow {
  readonly #context: FeedContext;
  readonly #positionOf: () => number;
  readonly #feeds = new Set<Feed>();
  #entries: Exclude<FeedEntry, { type: 'gap' }>[] = [];
  #bytes = 0;
  /** Everything behind it is in the window. */
  #floor = 0;
  /** Position of the newest entry that is kept, of those that took effect since the start; signals pass between them. */
  #newestKept: number | undefined;

  /** @param positionOf the position of the newest entry of the log */
  constructor(context: FeedContext, positionOf: () => number) {
    this.#context = context;
    this.#positionOf = positionOf;
  }

  get context(): FeedContext {
    return this.#context;
  }

  /** Whether somebody reads. */
  get isRead(): boolean {
    return this.#feeds.size > 0;
  }

  get floor(): number {
    return this.#floor;
  }

  /** What a store that holds everything must reach; behind it, up to the floor, nothing but signals has been. */
  get keptFloor(): number {
    if (this.#newestKept !== undefined) return Math.min(this.#floor, this.#newestKept);
    // What was there before the start is in the store, or nowhere.
    return this.#context.log.store ? 0 : this.#floor;
  }

  /** Position of the newest entry of the log. */
  get position(): number {
    return this.#positionOf();
  }

  open(feed: Feed): void {
    if (!this.isRead) this.#floor = this.position;
    this.#feeds.add(feed);
  }

  close(feed: Feed): void {
    this.#feeds.delete(feed);
    if (this.isRead) return;
    this.#entries = [];
    this.#bytes = 0;
  }

  /** Takes an entry that has taken effect. Must not throw. */
  applied(entry: LogEntry, outcome: Outcome): void {
    if (entry.type !== SIGNAL) this.#newestKept = entry.seq;
    if (!this.isRead || outcome.kind === 'void' || outcome.kind === 'repeated') return;
    const name = 'session' in outcome ? outcome.session.name : undefined;
    const happened = readFeedEntry(this.#context, entry, name);
    if (!happened) return;
    this.#entries.push(happened);
    this.#bytes += sizeOf(happened);
    while (this.#entries.length > MAX_FEED_ENTRIES || this.#bytes > MAX_FEED_BYTES) {
      const oldest = this.#entries.shift()!;
      this.#bytes -= sizeOf(oldest);
      this.#floor = oldest.seq;
    }
    for (const feed of this.#feeds) feed.wake();
  }

  /** The oldest entry of the window behind a position. */
  after(position: number): Exclude<FeedEntry, { type: 'gap' }> | undefined {
    let [low, high] = [0, this.#entries.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#entries[middle]!.seq <= position) low = middle + 1;
      else high = middle;
    }
    return this.#entries[low];
  }

  /** Ends all feeds. */
  end(): void {
    for (const feed of [...this.#feeds]) feed.end();
  }
}

const DONE = { done: true, value: undefined } as const;

/** A cursor over everything. */
export class Feed implements AsyncIterableIterator<FeedEntry> {
  readonly #window: FeedWindow;
  readonly #signal: AbortSignal | undefined;
  #position: number;
  #ended = false;
  #wake: (() => void) | undefined;
  /** Read from the store, in order. */
  #stored: FeedEntry[] = [];
  /** The calls of `next` are carried out one after the other. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(window: FeedWindow, { after, epoch, signal }: FeedOptions) {
    assertPosition('feed', 'after', after);
    this.#window = window;
    this.#signal = signal;
    const { log } = window.context;
    this.#position = after ?? window.position;
    window.open(this);
    if (after !== undefined && epoch !== undefined && epoch !== log.epoch) {
      // Positions begin anew: what the store has of this life is all to come.
      const to = log.store ? 0 : window.floor;
      this.#stored.push({ type: 'gap', from: after, to });
      this.#position = to;
    }
    signal?.addEventListener('abort', this.end);
    if (signal?.aborted) this.end();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<FeedEntry, undefined>> {
    const next = this.#turn.then(() => this.#next());
    this.#turn = next.catch(() => {});
    return next;
  }

  async return(): Promise<IteratorResult<FeedEntry, undefined>> {
    this.end();
    return DONE;
  }

  /** Something has happened. */
  wake(): void {
    this.#wake?.();
  }

  /** Ends the reading, and lets go of everything. */
  readonly end = (): void => {
    if (this.#ended) return;
    this.#ended = true;
    this.#stored = [];
    this.#signal?.removeEventListener('abort', this.end);
    this.#window.close(this);
    this.#wake?.();
  };

  async #next(): Promise<IteratorResult<FeedEntry, undefined>> {
    while (!this.#ended) {
      const stored = this.#stored.shift();
      if (stored) return { done: false, value: stored };
      if (this.#position < this.#window.floor) {
        await this.#catchUp();
        continue;
      }
      const entry = this.#window.after(this.#position);
      if (entry) {
        this.#position = entry.seq;
        return { done: false, value: entry };
      }
      await new Promise<void>((resolve) => {
        this.#wake = () => {
          this.#wake = undefined;
          resolve();
        };
      });
    }
    return DONE;
  }

  /** Reads what has left the window from the store, a part of it at a time. */
  async #catchUp(): Promise<void> {
    const { context, floor, keptFloor } = this.#window;
    const { store } = context.log;
    const from = this.#position;
    if (!store?.scan) {
      if (from < keptFloor) this.#stored.push({ type: 'gap', from, to: keptFloor });
      this.#position = floor;
      return;
    }
    const { entries, missing, next } = await store.scan(from);
    if (this.#ended) return;
    const found: FeedEntry[] = missing.map(({ from: first, to }) => ({ type: 'gap', from: first - 1, to }));
    for (const entry of entries) {
      const happened = entry.seq > from && !entry.isVoid ? readFeedEntry(context, entry) : undefined;
      if (happened) found.push(happened);
    }
    this.#stored = found.sort((one, other) => endOf(one) - endOf(other));
    const last = Math.max(from, entries.at(-1)?.seq ?? 0, missing.at(-1)?.to ?? 0);
    // Of a store that has failed, what came later is nowhere but in the window. Else it may have more by now, as that has.
    if (next === undefined && last < keptFloor) this.#stored.push({ type: 'gap', from: last, to: keptFloor });
    this.#position = next ?? Math.max(floor, last);
  }
}

/**
 * What an entry tells the program; `undefined` for what is between two, and for what nobody outside has a use for.
 *
 * @param name of the user that a claim is about, where it is known better than by the entry
 */
function readFeedEntry(
  { log, rooms }: FeedContext,
  entry: LogEntry,
  name: string = text(entry.name),
): Exclude<FeedEntry, { type: 'gap' }> | undefined {
  const { seq, at, type, kind, room: key, sender, codec } = entry;
  if (key !== '' && inboxMember(key) !== undefined) return undefined;
  const info = { id: entryId(log.epoch, seq), seq, at };
  const room = rooms.byKey(key)?.name ?? key;
  if (type === FrameType.Message) {
    return {
      type: 'message',
      ...info,
      room,
      sender: { id: sender, name },
      codec,
      body: Uint8Array.from(entry.body),
    };
  }
  if (type === FrameType.Notice) {
    const isRenamed = kind === NoticeKind.Renamed;
    const member = { id: sender, name: isRenamed ? text(entry.body) : name };
    const noticed = NOTICE_KINDS[kind as NoticeKind];
    const change = changeOf(kind as NoticeKind, entry.body);
    return {
      type: 'notice',
      ...info,
      room,
      kind: noticed,
      member,
      oldName: isRenamed ? name : undefined,
      ...(change ? { change } : {}),
    };
  }
  if (type !== CLAIM) return undefined;
  const member = { id: sender, name };
  switch (kind as ClaimKind) {
    case ClaimKind.RoomOpened:
      return { type: 'room-opened', ...info, room: text(entry.name) };
    case ClaimKind.SessionOpened:
      return { type: 'session-opened', ...info, name };
    case ClaimKind.SessionEnded:
      return { type: 'session-ended', ...info, member };
    case ClaimKind.SessionKicked: {
      const { reason }: SessionKicked = claimFields(ClaimKind.SessionKicked, entry.body);
      return { type: 'kicked', ...info, member, reason };
    }
    case ClaimKind.Banned: {
      const { addresses, until }: Ban = claimFields(ClaimKind.Banned, entry.body);
      return { type: 'banned', ...info, name: name === '' ? undefined : name, addresses, until };
    }
    default:
      return undefined;
  }
}

function sizeOf(entry: FeedEntry): number {
  return entry.type === 'message' ? entry.body.length : 0;
}

function endOf(entry: FeedEntry): number {
  return entry.type === 'gap' ? entry.to : entry.seq;
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
