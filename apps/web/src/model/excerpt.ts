/**
 * A part of the past of a room, around a message that was found. It grows in both directions, page by page; what is
 * said meanwhile is in the timeline of the room.
 */
import type { HistoryOptions, HistoryPage, RoomEntry, SearchHit } from '@chat/client';
import { createTimeline, type TimelineItem } from '@chat/client/timeline';
import { explain } from '../text/explain.js';

/** A room, as far as its past is read. */
export interface PastRoom {
  history(options: HistoryOptions): Promise<HistoryPage<string>>;
}

const PAGE_ENTRIES = 40;

export class Excerpt {
  readonly #room: PastRoom;
  readonly #onChange: () => void;
  readonly hit: SearchHit;
  #entries: readonly RoomEntry[] = [];
  /** Empty until the first pages are here. */
  items: readonly TimelineItem[] = [];
  atStart = false;
  atEnd = false;
  isLoading = false;
  /** Why a page could not be had. */
  problem: string | undefined;

  constructor(room: PastRoom, hit: SearchHit, onChange: () => void) {
    this.#room = room;
    this.hit = hit;
    this.#onChange = onChange;
  }

  /** Reads what was said before the message and after it. */
  open(): Promise<void> {
    return this.#load(async () => {
      const { seq } = this.hit;
      const [before, after] = await Promise.all([
        this.#room.history({ before: seq + 1, limit: PAGE_ENTRIES }),
        this.#room.history({ after: seq, limit: PAGE_ENTRIES }),
      ]);
      this.atStart = before.end;
      this.atEnd = after.end;
      return [...before.entries, ...after.entries];
    });
  }

  loadOlder(): Promise<void> {
    return this.#load(async () => {
      const before = this.#entries.find((entry) => entry.type !== 'gap')?.seq;
      if (before === undefined) return this.#entries;
      const page = await this.#room.history({ before, limit: PAGE_ENTRIES });
      this.atStart = page.end;
      return [...page.entries, ...this.#entries];
    });
  }

  loadNewer(): Promise<void> {
    return this.#load(async () => {
      const after = this.#entries.findLast((entry) => entry.type !== 'gap')?.seq;
      if (after === undefined) return this.#entries;
      const page = await this.#room.history({ after, limit: PAGE_ENTRIES });
      this.atEnd = page.end;
      return [...this.#entries, ...page.entries];
    });
  }

  async #load(read: () => Promise<readonly RoomEntry[]>): Promise<void> {
    if (this.isLoading) return;
    this.isLoading = true;
    this.problem = undefined;
    this.#onChange();
    try {
      this.#entries = await read();
      const timeline = createTimeline();
      for (const entry of this.#entries) timeline.add(entry);
      this.items = timeline.snapshot.items;
      timeline.close();
    } catch (error) {
      this.problem = explain(error);
    }
    this.isLoading = false;
    this.#onChange();
  }
}
