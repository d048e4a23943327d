/**
 * What a member missed and the heap no longer holds, brought from the store for it alone: pages become chunks that its
 * cursor reads until it comes to what the heap holds. So a stream goes on where it stopped, however long ago that was,
 * and its reader sees no seam.
 *
 * One page is held at a time: the next is read once its reader has got the one before, and has paid for it.
 */
import { CodecTag } from '@chat/protocol';
import type { InputAccount } from '../limits/input-account.js';
import { Price } from '../limits/prices.js';
import type { RefusalLog } from '../limits/refusal-log.js';
import { Chunk, type Cursor } from '../log/byte-log.js';
import { isShown } from '../log/entry.js';
import type { EventLog, StoredPage } from '../log/event-log.js';
import { writeStored } from '../log/stored-history.js';
import type { Clock } from '../time/clock.js';
import type { FanOut } from './fan-out.js';
import type { Membership } from './room.js';

/** What bringing something from the store needs of the server. */
export interface RecallContext {
  readonly options: { readonly clock: Clock };
  readonly log: EventLog;
  readonly fanOut: FanOut;
  readonly counters: { gapsTold: number };
  readonly refusals: RefusalLog;
}

/** The session for which it is brought. */
export interface RecallReader {
  readonly memberId: number;
  readonly input: InputAccount;
  readonly peer: { gap(roomHandle: number, from: number, to: number): void } | undefined;
}

/** A page. */
const PAGE_ENTRIES = 1000;
const PAGE_BYTES = 262_144;

export class Recall {
  readonly #context: RecallContext;
  readonly #reader: RecallReader;
  readonly #membership: Membership;
  /** The newest chunk of what was brought; empty at first. */
  #last: Chunk;
  #isReading = false;

  /** Puts the cursor of a member behind `after`, where nothing comes until the store has answered. */
  constructor(context: RecallContext, reader: RecallReader, membership: Membership, after: number) {
    this.#context = context;
    this.#reader = reader;
    this.#membership = membership;
    this.#last = new Chunk(membership.room.log.oldest().chunk.base, 0, after);
    membership.moveTo({ chunk: this.#last, offset: 0 });
    membership.recall = this;
    this.#readOn();
  }

  /** Told each time that the member was sent what is there. */
  delivered(): void {
    const { room, chunk, offset } = this.#membership;
    if (this.#isReading || chunk !== this.#last || offset !== chunk.used) return;
    const held = room.log.after(this.#position);
    if (held) this.#goOn(held);
    else this.#readOn();
  }

  /** From here on it reads what everybody reads. */
  #goOn(point: Cursor): void {
    this.#membership.moveTo(point);
    this.#context.fanOut.markMemberDirty(this.#membership);
  }

  #readOn(): void {
    this.#isReading = true;
    const debtMs = this.#reader.input.debtMs();
    if (debtMs > 0) this.#context.options.clock.after(debtMs, () => void this.#read());
    else void this.#read();
  }

  async #read(): Promise<void> {
    const { log, refusals } = this.#context;
    const { room } = this.#membership;
    const wish = { after: this.#position, limit: PAGE_ENTRIES, maxBytes: PAGE_BYTES };
    let page: StoredPage | undefined;
    try {
      // The member may have moved on, or left, while a debt was paid.
      if (this.#isCurrent) page = await log.store?.read(room.key, wish);
    } catch (error) {
      refusals.failed(error, 'the store did not answer for what a member missed', {
        member: this.#reader.memberId,
      });
    }
    this.#isReading = false;
    if (this.#isCurrent) this.#take(page);
  }

  /** Gives the member a page; or, without one, what the heap holds, and tells what is missing. */
  #take(page: StoredPage | undefined): void {
    const { room } = this.#membership;
    const entries = page?.entries.filter(isShown) ?? [];
    if (!page || entries.length === 0) {
      const oldest = room.log.oldest();
      if (this.#position < oldest.start) this.#tellGap(oldest.start);
      this.#goOn(oldest);
      return;
    }
    if (page.previous > this.#position) this.#tellGap(page.previous);
    // A position that is none of the room's counts as the one before its next entry.
    const previous = Math.max(page.previous, this.#position);
    const chunk = new Chunk(this.#last.base, 0, previous);
    chunk.bytes = writeStored({ ...page, entries, previous }, room.handle);
    chunk.used = chunk.bytes.length;
    chunk.entries = entries.length;
    chunk.hasRich = entries.some(({ codec }) => codec === CodecTag.Rich);
    chunk.firstSeq = entries[0]!.seq;
    chunk.lastSeq = entries.at(-1)!.seq;
    this.#last.next = chunk;
    this.#last = chunk;
    this.#reader.input.charge(Math.floor(chunk.used / 1024) * Price.kibibyteAnswered);
    this.#context.fanOut.markMemberDirty(this.#membership);
  }

  #tellGap(to: number): void {
    this.#context.counters.gapsTold++;
    this.#reader.peer?.gap(this.#membership.room.handle, this.#position, to);
  }

  /** Up to where there is something. */
  get #position(): number {
    return this.#last.used === 0 ? this.#last.firstPrev : this.#last.lastSeq;
  }

  get #isCurrent(): boolean {
    return this.#membership.recall === this;
  }
}
