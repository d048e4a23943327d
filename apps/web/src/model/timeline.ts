/**
 * What was said in one conversation, in order, and what is on its way.
 *
 * Items come from the log and stand in its order. Own messages wait below them until they come back as
 * everybody sees them: the acknowledgement and the echo may arrive in either order, and after a reconnect an
 * echo can be the only answer. An item keeps its key through all of that, so that it stays the same line.
 */
import type { DirectMessage, GapReason, Message, RoomEntry, Sent } from '@chat/client';

/** Somebody in a room. */
export type Member = Message['sender'];

/** A message that is in the log. */
export interface MessageItem {
  readonly kind: 'message';
  readonly key: string;
  readonly at: number;
  readonly sender: Member;
  readonly text: string;
  readonly own: boolean;
}

/** Somebody came, went or changed the name. */
export interface NoticeItem {
  readonly kind: 'notice';
  readonly key: string;
  readonly at: number;
  readonly change: 'joined' | 'left' | 'lost' | 'renamed';
  readonly name: string;
  readonly oldName: string | undefined;
}

/** Something is missing, or cannot be shown. */
export interface MarkItem {
  readonly kind: 'gap' | 'unreadable';
  readonly key: string;
  readonly reason: GapReason | undefined;
  readonly name: string | undefined;
}

/** What stands in a conversation. */
export type TimelineItem = MessageItem | NoticeItem | MarkItem;

/** An own message that was not seen in the log yet. */
export interface Outgoing {
  readonly key: string;
  readonly text: string;
  readonly at: number;
  /** `sent`: in the log, and about to come back. `failed`: see `error`. */
  readonly status: 'waiting' | 'sent' | 'failed';
  readonly error: unknown;
  readonly seq: number | undefined;
}

/** Position of the oldest item that came from the log. */
export interface OldestPosition {
  readonly seq: number;
  readonly prev: number;
}

/** Items beyond this many are let go, the oldest first; they can be loaded again. */
const MAX_ITEMS = 20_000;
const LET_GO = 4000;

export class Timeline {
  #items: TimelineItem[] = [];
  #outgoing: readonly Outgoing[] = [];
  #oldest: OldestPosition | undefined;
  /** Positions by key, of what can become the oldest item. */
  readonly #positions = new Map<string, OldestPosition>();
  #count = 0;
  #version = 0;
  #shifts = 0;
  #ended = false;

  get items(): readonly TimelineItem[] {
    return this.#items;
  }

  get outgoing(): readonly Outgoing[] {
    return this.#outgoing;
  }

  /** Changes with everything that is shown. */
  get version(): number {
    return this.#version;
  }

  /** Changes when items are added or taken away before the others. */
  get shifts(): number {
    return this.#shifts;
  }

  /** Whether there is nothing older than what is here, or nothing that can be had. */
  get atStart(): boolean {
    return this.#ended || this.#oldest?.prev === 0;
  }

  /** From where to read on backwards. Undefined when nothing of this life of the log is here. */
  get oldest(): OldestPosition | undefined {
    return this.#oldest;
  }

  /** Takes what arrives. @returns the item it became; undefined when it is here already */
  add(entry: RoomEntry | DirectMessage): TimelineItem | undefined {
    if (entry.type === 'gap') {
      this.#settleSent();
      // What is older belongs to a log that is no more, and cannot be asked for.
      if (entry.reason === 'epoch-changed') this.#forgetPositions();
      return this.#append({
        kind: 'gap',
        key: this.#newKey('gap'),
        reason: entry.reason,
        name: undefined,
      });
    }
    const outgoing = entry.type === 'message' && entry.own ? this.#claim(entry.seq, entry.value) : undefined;
    const item = toItem(entry, outgoing?.key);
    if (this.#positions.has(item.key)) return undefined;
    const position = { seq: entry.seq, prev: entry.prev };
    this.#positions.set(item.key, position);
    this.#oldest ??= position;
    return this.#append(item);
  }

  /** Puts a page of history before everything else. */
  prepend(entries: readonly RoomEntry[], end: boolean): void {
    const items: TimelineItem[] = [];
    const before = this.#oldest;
    let oldest: OldestPosition | undefined;
    let newest: OldestPosition | undefined;
    for (const entry of entries) {
      if (entry.type === 'gap') {
        items.push({ kind: 'gap', key: this.#newKey('gap'), reason: entry.reason, name: undefined });
        continue;
      }
      newest = { seq: entry.seq, prev: entry.prev };
      oldest ??= newest;
      const item = toItem(entry, undefined);
      this.#positions.set(item.key, newest);
      items.push(item);
    }
    // The chain of positions proves that nothing is missing where the page meets what was here.
    if (newest && before && before.prev !== newest.seq) {
      items.push({ kind: 'gap', key: this.#newKey('gap'), reason: 'expired', name: undefined });
    }
    if (oldest) this.#oldest = oldest;
    this.#items = [...items, ...this.#items];
    this.#ended = end || entries.length === 0;
    this.#shifts++;
    this.#version++;
  }

  /** An own message begins its way. */
  begin(text: string, at: number): Outgoing {
    const outgoing: Outgoing = {
      key: this.#newKey('own'),
      text,
      at,
      status: 'waiting',
      error: undefined,
      seq: undefined,
    };
    this.#outgoing = [...this.#outgoing, outgoing];
    this.#version++;
    return outgoing;
  }

  /** It is in the log, and will come back, unless that happened already. */
  acknowledge(key: string, { seq }: Sent): void {
    this.#update(key, { status: 'sent', seq });
  }

  /** It is with the receiver and will not come back: what is private has no echo. */
  settle(key: string, { at }: Sent, sender: Member): void {
    const outgoing = this.#outgoing.find((other) => other.key === key);
    if (!outgoing) return;
    this.#remove(key);
    this.#append({ kind: 'message', key, at, sender, text: outgoing.text, own: true });
  }

  /** It was refused, or its fate is unknown. */
  fail(key: string, error: unknown): void {
    this.#update(key, { status: 'failed', error });
  }

  /** Takes it away: it is sent again under a new key, or given up. */
  discard(key: string): void {
    this.#remove(key);
  }

  #append(item: TimelineItem): TimelineItem {
    this.#items.push(item);
    if (this.#items.length > MAX_ITEMS) this.#letGo();
    this.#version++;
    return item;
  }

  #letGo(): void {
    for (const { key } of this.#items.slice(0, LET_GO)) this.#positions.delete(key);
    this.#items = this.#items.slice(LET_GO);
    this.#shifts++;
    for (const { key } of this.#items) {
      const position = this.#positions.get(key);
      if (!position) continue;
      this.#oldest = position;
      this.#ended = false;
      return;
    }
  }

  /** Finds the own message that an echo belongs to: by position, else the first with that text. */
  #claim(seq: number, text: string): Outgoing | undefined {
    const found =
      this.#outgoing.find((other) => other.seq === seq) ??
      this.#outgoing.find((other) => other.seq === undefined && other.text === text);
    if (found) this.#remove(found.key);
    return found;
  }

  /** Messages that are in the log, but whose echo is behind a gap: they stay where they are. */
  #settleSent(): void {
    for (const { key, text, at, status } of this.#outgoing) {
      if (status !== 'sent') continue;
      this.#remove(key);
      this.#append({ kind: 'message', key, at, sender: { id: 0, name: '' }, text, own: true });
    }
  }

  #forgetPositions(): void {
    this.#positions.clear();
    this.#oldest = undefined;
    this.#ended = true;
  }

  #update(key: string, change: Partial<Outgoing>): void {
    this.#outgoing = this.#outgoing.map((other) => (other.key === key ? { ...other, ...change } : other));
    this.#version++;
  }

  #remove(key: string): void {
    this.#outgoing = this.#outgoing.filter((other) => other.key !== key);
    this.#version++;
  }

  #newKey(kind: string): string {
    return `${kind}:${++this.#count}`;
  }
}

function toItem(
  entry: Exclude<RoomEntry | DirectMessage, { readonly type: 'gap' }>,
  key: string | undefined,
): TimelineItem {
  const { id, at } = entry;
  switch (entry.type) {
    case 'notice': {
      const { kind: change, member, oldName } = entry;
      return { kind: 'notice', key: id, at, change, name: member.name, oldName };
    }
    case 'unreadable':
      return { kind: 'unreadable', key: id, reason: undefined, name: entry.sender.name };
    default: {
      const { sender, value: text, own } = entry;
      return { kind: 'message', key: key ?? id, at, sender, text, own };
    }
  }
}
