/**
 * A reader of a room in the program around the server: a cursor like that of a member, which pulls.
 *
 * It holds a position and at the most one page of references into the log, whatever is written meanwhile. A program
 * that reads slowly is told by a gap what the log did not keep for it; with a store there is none for what that has.
 */
import { type Codec, textCodec } from '@chat/protocol';
import type { OptionNames } from '@chat/protocol/check';
import type { Room } from '../../room/room.js';
import type { ProgramContext } from './context.js';
import { type EntryFrame, type RoomEntry, type RoomGap, readRoomEntry } from './entry.js';
import { assertPosition, framesOf, pageOf, roomOf } from './history.js';

/** Where to begin, how to read, and when to end. */
export interface SubscribeOptions<T = string> {
  /** Begins behind this position. @defaultValue with what comes from now on */
  readonly after?: number;
  /** The life of the log that `after` is of; another one is answered with a gap. @defaultValue the present one */
  readonly epoch?: string;
  /** @defaultValue `textCodec` */
  readonly codec?: Codec<T>;
  /** Ends the reading when it is aborted: the iterator is done then, and does not throw. */
  readonly signal?: AbortSignal;
}

/** Options of `subscribe`. */
export const SUBSCRIBE_NAMES: OptionNames<SubscribeOptions> = {
  after: true,
  epoch: true,
  codec: true,
  signal: true,
};

/** Entries that are looked up at a time. */
const PAGE_ENTRIES = 64;
const DONE = { done: true, value: undefined } as const;

export class Subscription<T = string> implements AsyncIterableIterator<RoomEntry<T>> {
  readonly #context: ProgramContext;
  readonly #room: string;
  readonly #codec: Codec<T>;
  readonly #signal: AbortSignal | undefined;
  readonly #onEnd: () => void;
  #position: number;
  /** Whether nothing can have been missed while there is no such room. */
  #isCurrent: boolean;
  #gap: RoomGap | undefined;
  /** The entry behind the gap. */
  #held: Exclude<RoomEntry<T>, RoomGap> | undefined;
  #frames: Iterator<EntryFrame | undefined, void> | undefined;
  #ended = false;
  #wake: (() => void) | undefined;
  #isDirty = false;
  /** The calls of `next` are carried out one after the other. */
  #turn: Promise<unknown> = Promise.resolve();

  /**
   * @param now position of the newest entry of the log
   * @param onEnd called once, when nothing is read any more
   */
  constructor(
    context: ProgramContext,
    room: string,
    { after, epoch, codec = textCodec as Codec<unknown> as Codec<T>, signal }: SubscribeOptions<T>,
    now: number,
    onEnd: () => void,
  ) {
    assertPosition('subscribe', 'after', after);
    this.#room = roomOf(context, room).name;
    this.#context = context;
    this.#codec = codec;
    this.#signal = signal;
    this.#onEnd = onEnd;
    this.#position = after ?? now;
    this.#isCurrent = after === undefined;
    if (after !== undefined && epoch !== undefined && epoch !== context.log.epoch) {
      this.#skipTo(context.log.store ? 0 : this.#start());
    }
    signal?.addEventListener('abort', this.#end);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<RoomEntry<T>, undefined>> {
    const next = this.#turn.then(() => this.#next());
    this.#turn = next.catch(() => {});
    return next;
  }

  async return(): Promise<IteratorResult<RoomEntry<T>, undefined>> {
    this.#end();
    return DONE;
  }

  /** Something was written to the room, or the room was made. */
  wake(): void {
    this.#isDirty = true;
    this.#wake?.();
  }

  /** The room was made, and begins at a position before which this reader has everything, if it was here. */
  opened(room: Room): void {
    if (this.#isCurrent) this.#position = Math.max(this.#position, room.log.oldest().start);
    this.wake();
  }

  /** The room is about to be forgotten, and what the heap holds of it. */
  forgotten({ log }: Room): void {
    this.#isCurrent = this.#position >= log.lastSeq;
    if (this.#isCurrent || this.#context.log.store) return;
    this.#frames = undefined;
    this.#held = undefined;
    this.#skipTo(log.lastSeq);
    this.#isCurrent = true;
    this.wake();
  }

  /** Ends the reading, and lets go of everything. */
  end(): void {
    this.#end();
  }

  readonly #end = (): void => {
    if (this.#ended) return;
    this.#ended = true;
    this.#frames = undefined;
    this.#gap = undefined;
    this.#held = undefined;
    this.#signal?.removeEventListener('abort', this.#end);
    this.#onEnd();
    this.#wake?.();
  };

  async #next(): Promise<IteratorResult<RoomEntry<T>, undefined>> {
    while (!this.#ended) {
      const entry = this.#take();
      if (entry) return { done: false, value: entry };
      await this.#look();
    }
    return DONE;
  }

  /** What is next of the page that was found, or the gap before it. */
  #take(): RoomEntry<T> | undefined {
    const gap = this.#gap;
    if (gap) {
      this.#gap = undefined;
      return gap;
    }
    const held = this.#held;
    if (held) {
      this.#held = undefined;
      this.#position = held.seq;
      return held;
    }
    const frame = this.#frames?.next();
    if (!frame) return undefined;
    if (frame.done || frame.value === undefined) {
      // The end of the page, or the log has moved on: looked up again from the position.
      this.#frames = undefined;
      return undefined;
    }
    const how = { epoch: this.#context.log.epoch, room: this.#room, codec: this.#codec };
    const entry = readRoomEntry(how, frame.value);
    if (entry.prev > this.#position) {
      this.#held = entry;
      this.#skipTo(entry.prev);
      return this.#take();
    }
    this.#position = entry.seq;
    return entry;
  }

  /** Finds the next page, or waits until there may be one. */
  async #look(): Promise<void> {
    this.#isDirty = false;
    const position = this.#position;
    const room = roomOf(this.#context, this.#room);
    const page = await pageOf(this.#context, room, { after: position, limit: PAGE_ENTRIES });
    // The room may have been forgotten while the store was asked.
    if (this.#ended || this.#position !== position || this.#gap) return;
    if (page.entries > 0) {
      this.#frames = framesOf(page.runs);
      return;
    }
    const { start } = room.log.oldest();
    if (room.exists && start > position) {
      this.#skipTo(start);
      return;
    }
    if (!this.#isDirty) await this.#woken();
  }

  #woken(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = undefined;
        resolve();
      };
    });
  }

  /** Where the heap begins; 0 where there is no such room. */
  #start(): number {
    const { exists, log } = roomOf(this.#context, this.#room);
    return exists ? log.oldest().start : 0;
  }

  #skipTo(to: number): void {
    this.#gap = { type: 'gap', room: this.#room, from: this.#gap?.from ?? this.#position, to };
    this.#position = to;
  }
}
