/**
 * What was said before the first entry that is shown, loaded when the user has scrolled up to it.
 */
import type { HistoryPage, Room, RoomEntry } from '@chat/client';
import type { SessionEvent } from '../../session/session.js';
import type { Item } from '../state/conversation.js';
import { note, noteOf, spokenOf } from './screen-events.js';

const PAGE_ENTRIES = 100;

interface Beginning {
  /** Position of the first entry that is shown. */
  first: number;
  isLoading: boolean;
  isEnd: boolean;
}

export class OlderEntries {
  readonly #show: (key: string, items: readonly Item[]) => void;
  readonly #beginnings = new Map<string, Beginning>();

  constructor(show: (key: string, items: readonly Item[]) => void) {
    this.#show = show;
  }

  /** An entry came. The first one of a room tells where to go on from. */
  saw(room: string, seq: number): void {
    if (!this.#beginnings.has(room))
      this.#beginnings.set(room, { first: seq, isLoading: false, isEnd: false });
  }

  forget(room: string): void {
    this.#beginnings.delete(room);
  }

  /** Loads a page, if there is one and none is under way. */
  async load(room: Room, me: string): Promise<void> {
    const beginning = this.#beginnings.get(room.name);
    if (beginning === undefined || beginning.isLoading || beginning.isEnd) return;
    beginning.isLoading = true;
    try {
      const page = await room.history({ before: beginning.first, limit: PAGE_ENTRIES });
      beginning.isEnd = page.end;
      for (const entry of page.entries) {
        if (entry.type === 'gap') continue;
        beginning.first = entry.seq;
        break;
      }
      const items = itemsOf(page, me);
      if (page.end) items.unshift(note('this is the beginning', items[0]?.at ?? Date.now(), 'notice'));
      this.#show(room.name, items);
    } catch {
      // Away, or not a member any more: scrolling up again tries again.
    } finally {
      beginning.isLoading = false;
    }
  }
}

function itemsOf({ entries }: HistoryPage<string>, me: string): Item[] {
  const items: Item[] = [];
  let at = 0;
  for (const entry of entries) {
    if (entry.type !== 'gap') at = entry.at;
    const item = entry.type === 'message' ? spokenOf(entry, me) : noteOf(eventOf(entry), at);
    if (item !== undefined) items.push(item);
  }
  return items;
}

function eventOf(entry: Exclude<RoomEntry, { readonly type: 'message' }>): SessionEvent {
  switch (entry.type) {
    case 'notice':
      return { type: 'notice', notice: entry };
    case 'gap':
      return { type: 'gap', gap: entry };
    case 'unreadable':
      return { type: 'unreadable', message: entry };
  }
}
