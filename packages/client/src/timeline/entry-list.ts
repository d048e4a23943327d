/**
 * The items of one conversation, and the own messages that are on their way into it.
 *
 * Items come from the log and stand in its order. Own messages wait beside them until they come back as
 * everybody sees them. The acknowledgement and the echo arrive in either order, and after a reconnect an echo
 * can be the only answer. Entries are known by their ids, so that one which comes twice is taken once.
 */
import type { Member } from '@chat/protocol';
import type { Gap, Notice } from '../rooms/entry.js';
import type { Sent, SentDirect } from '../sending/publisher.js';
import {
  type GapItem,
  itemOf,
  type MessageItem,
  type OutgoingItem,
  type TimelineEntry,
  type TimelineItem,
} from './items.js';
import { afterReaction } from './rich-text.js';

/** The position of the oldest item in the log: entries before it can be asked for. */
export interface OldestPosition {
  readonly seq: number;
  readonly prev: number;
}

interface Waiting<T> extends OutgoingItem<T> {
  /** Its place in the log, once that is known. */
  readonly sent: Sent | undefined;
}

/** When there are more than `maxItems`, this part of them goes, the oldest first. */
const LET_GO_PER_MAX = 5;

export class EntryList<T, L = never> {
  readonly #maxItems: number;
  readonly #sameValue: (one: T, other: T) => boolean;
  readonly #read: (entry: TimelineEntry<T>) => TimelineEntry<T>;
  #items: TimelineItem<T, L>[] = [];
  #outgoing: readonly Waiting<T>[] = [];
  /** Positions of what came from the log, by the id of the entry. */
  readonly #positions = new Map<string, OldestPosition>();
  /** Ids of entries, by the key of their item. */
  readonly #ids = new Map<string, string>();
  #oldest: OldestPosition | undefined;
  #isStart = false;
  #firstIndex = 0;
  #count = 0;

  /**
   * @param sameValue - finds the echo of an own message that was never acknowledged
   * @param read - makes of an entry what it is in this conversation
   */
  constructor(
    maxItems: number,
    sameValue: (one: T, other: T) => boolean,
    read: (entry: TimelineEntry<T>) => TimelineEntry<T> = (entry) => entry,
  ) {
    this.#read = read;
    this.#maxItems = maxItems;
    this.#sameValue = sameValue;
  }

  /** Live: changes with each call that adds or takes away. */
  get items(): readonly TimelineItem<T, L>[] {
    return this.#items;
  }

  /**
   * Index of the first item. An item keeps its index: this falls with older pages, and rises when the oldest
   * go.
   */
  get firstIndex(): number {
    return this.#firstIndex;
  }

  /** Immutable. */
  get outgoing(): readonly OutgoingItem<T>[] {
    return this.#outgoing;
  }

  /** From where to read on backwards; undefined when nothing of this epoch of the log is here. */
  get oldest(): OldestPosition | undefined {
    return this.#oldest;
  }

  /** Whether nothing older is to be had. */
  get atStart(): boolean {
    return this.#isStart || this.#oldest?.prev === 0;
  }

  /** Takes what arrives. @returns the item that it became; undefined when it was here already */
  add(given: TimelineEntry<T>): TimelineItem<T, L> | undefined {
    const entry = this.#read(given);
    if (entry.type === 'gap') return this.#addGap(entry);
    if (this.#positions.has(entry.id)) return undefined;
    if (isReaction(entry)) {
      this.#oldest ??= entry;
      return undefined;
    }
    const isEcho = (entry.type === 'message' || entry.type === 'direct') && entry.own && !entry.elsewhere;
    if (entry.type === 'direct' && !entry.own) this.#arrived();
    const item = itemOf(entry, isEcho ? this.#claim(entry.id, entry.value) : undefined);
    this.#know(entry.id, item.key, entry);
    this.#oldest ??= entry;
    return this.#append(item);
  }

  /**
   * Puts right what a notice says was edited, taken back or reacted to, where it is here. Where it is not, it is as it is
   * now when it comes.
   *
   * @param decode - a body as a value; undefined for one that is not what is read here
   */
  correct(
    { id, seq, kind, member, change }: Notice,
    decode: (text: string, codec: number) => T | undefined,
  ): void {
    const target = change?.seq;
    if (target === undefined) return;
    // Ids are of one epoch: that of the notice.
    const wanted = `${id.slice(0, id.length - String(seq).length)}${target}`;
    const at = this.#items.findIndex(({ key }) => this.#ids.get(key) === wanted);
    const item = this.#items[at];
    if (item?.kind !== 'message') return;
    const { text, codec, reaction, removed } = change ?? {};
    if (kind === 'reacted') {
      const { reactions: before = [], ...message } = item;
      const reactions = afterReaction(before, reaction!, member, removed);
      this.#items = [...this.#items];
      this.#items[at] = { ...message, ...(reactions.length > 0 && { reactions }) };
      return;
    }
    const value = text === undefined || codec === undefined ? undefined : decode(text, codec);
    this.#items = [...this.#items];
    if (value !== undefined) this.#items[at] = { ...item, value, edited: true };
    else if (text === undefined) {
      const { key, seq: position, at: time, sender } = item;
      this.#items[at] = { kind: 'withdrawn', key, seq: position, at: time, sender, by: member.name };
    }
  }

  /** Takes what comes from no log. */
  addLocal(value: L, at: number): void {
    this.#append({ kind: 'local', key: this.#newKey('local'), at, value });
  }

  /** Puts a page of history before everything else. @param end - whether nothing lies before the page */
  prepend(entries: readonly TimelineEntry<T>[], end: boolean): void {
    const before = this.#oldest;
    const items: TimelineItem<T, L>[] = [];
    let first: OldestPosition | undefined;
    let last: OldestPosition | undefined;
    for (const given of entries) {
      const entry = this.#read(given);
      if (entry.type === 'gap') {
        items.push(this.#gapItem(entry));
        continue;
      }
      if (this.#positions.has(entry.id)) continue;
      if (!isReaction(entry)) {
        const item = itemOf(entry);
        this.#know(entry.id, item.key, entry);
        items.push(item);
      }
      last = { seq: entry.seq, prev: entry.prev };
      first ??= last;
    }
    // The chain of positions proves that nothing is missing where the page meets what was here.
    if (last && before && before.prev !== last.seq) {
      const { room } = entries.at(-1) as { readonly room?: string };
      items.push(this.#gapItem({ type: 'gap', room, reason: 'expired', from: last.seq, to: before.prev }));
    }
    this.#oldest = first ?? before;
    this.#items = [...items, ...this.#items];
    this.#firstIndex -= items.length;
    this.#isStart = end || first === undefined;
  }

  /** An own message begins its way. @returns its key */
  begin(value: T, at: number, reply?: number): string {
    const key = this.#newKey('own');
    this.#outgoing = [
      ...this.#outgoing,
      { key, value, at, status: 'waiting', error: undefined, sent: undefined, ...answering(reply) },
    ];
    return key;
  }

  /**
   * It is in the log, and its echo is under way, unless that was here before. @returns whether it waits for
   * the echo
   */
  acknowledge(key: string, sent: Sent): boolean {
    return this.#update(key, { status: 'sent', sent });
  }

  /**
   * It is in the log and no echo comes: it takes its place now. @returns false when it has its place already
   */
  settle(key: string, sent: Sent | SentDirect, sender: Member): boolean {
    const { id, seq } = sent;
    const outgoing = this.#take(key);
    if (outgoing === undefined) return false;
    // The echo may come after all, and is known then.
    this.#know(id, key, { seq, prev: seq - 1 });
    const item = ownMessage(outgoing, sent, sender);
    const isWaiting = 'delivery' in sent && sent.delivery === 'waiting';
    this.#append(isWaiting ? { ...item, waiting: true } : item);
    return true;
  }

  /** It was refused, or its fate is unknown. */
  fail(key: string, error: unknown): void {
    this.#update(key, { status: 'failed', error });
  }

  /** Takes it away. @returns what it was; undefined when it is not on its way */
  discard(key: string): OutgoingItem<T> | undefined {
    return this.#take(key);
  }

  /** One who answers is back, and has what waited. */
  #arrived(): void {
    if (!this.#items.some((item) => item.kind === 'message' && item.waiting)) return;
    this.#items = this.#items.map((item) => {
      if (item.kind !== 'message' || !item.waiting) return item;
      const { waiting, ...arrived } = item;
      return arrived;
    });
  }

  #addGap(gap: Gap): TimelineItem<T, L> {
    // What was acknowledged and has no echo by now lies in the gap: it was said all the same.
    for (const outgoing of this.#outgoing) {
      if (outgoing.sent === undefined) continue;
      this.#take(outgoing.key);
      this.#append(ownMessage(outgoing, outgoing.sent, NOBODY));
    }
    if (gap.reason === 'epoch-changed') {
      // What is older belongs to a log that is no more, and cannot be asked for.
      this.#positions.clear();
      this.#ids.clear();
      this.#oldest = undefined;
      this.#isStart = true;
    }
    return this.#append(this.#gapItem(gap));
  }

  #gapItem(gap: Gap): GapItem {
    return { kind: 'gap', key: this.#newKey('gap'), gap };
  }

  #append(item: TimelineItem<T, L>): TimelineItem<T, L> {
    this.#items.push(item);
    if (this.#items.length > this.#maxItems) this.#letGo();
    return item;
  }

  #letGo(): void {
    const count = Math.ceil(this.#maxItems / LET_GO_PER_MAX);
    for (const { key } of this.#items.slice(0, count)) {
      this.#positions.delete(this.#ids.get(key) ?? '');
      this.#ids.delete(key);
    }
    this.#items = this.#items.slice(count);
    this.#firstIndex += count;
    // Unless one of what is left stands in the log.
    this.#oldest = undefined;
    for (const { key } of this.#items) {
      const position = this.#positions.get(this.#ids.get(key) ?? '');
      if (position === undefined) continue;
      this.#oldest = position;
      this.#isStart = false;
      return;
    }
  }

  #know(id: string, key: string, { seq, prev }: OldestPosition): void {
    this.#positions.set(id, { seq, prev });
    this.#ids.set(key, id);
  }

  /**
   * The key of the own message that this is the echo of: by its id, else the first of that value without an
   * answer.
   */
  #claim(id: string, value: T): string | undefined {
    const found =
      this.#outgoing.find(({ sent }) => sent?.id === id) ??
      this.#outgoing.find(({ sent, value: own }) => sent === undefined && this.#sameValue(own, value));
    return found && this.#take(found.key)?.key;
  }

  #take(key: string): Waiting<T> | undefined {
    const found = this.#outgoing.find((other) => other.key === key);
    if (found) this.#outgoing = this.#outgoing.filter((other) => other !== found);
    return found;
  }

  #update(key: string, change: Partial<Waiting<T>>): boolean {
    const isThere = this.#outgoing.some((other) => other.key === key);
    if (isThere) {
      this.#outgoing = this.#outgoing.map((other) => (other.key === key ? { ...other, ...change } : other));
    }
    return isThere;
  }

  #newKey(kind: string): string {
    return `${kind}:${++this.#count}`;
  }
}

/** What is shown at its message, and is no item of its own. */
function isReaction<T>(entry: TimelineEntry<T>): boolean {
  return entry.type === 'notice' && entry.kind === 'reacted';
}

/** The sender of an own message whose echo was skipped: the user interface knows who the user is. */
const NOBODY: Member = { id: 0, name: '' };

function ownMessage<T>(
  { key, value, reply }: OutgoingItem<T>,
  { id, seq, at }: Sent,
  sender: Member,
): MessageItem<T> {
  return { kind: 'message', key, id, seq, at, sender, value, own: true, history: false, ...answering(reply) };
}

function answering(reply: number | undefined): { readonly reply?: number } {
  return reply === undefined ? {} : { reply };
}
