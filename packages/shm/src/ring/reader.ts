/**
 * The reading end of a ring.
 *
 * Everything up to TAIL is complete records. They are handed out in place, as borrowed bytes, and given back to the writer by the
 * store of HEAD, once per batch. A reader killed at any instruction leaves HEAD at the last batch that was handled whole, and its
 * successor starts there:
 *
 *     killed before the store of HEAD     the messages since the last one are delivered again
 *     killed after it                     they are not
 *
 * So a message is never lost, and is delivered again only if its reader died before it said that it was done: a batch of one, or
 * `take` with a `release` after each, narrows that to a single message.
 *
 * Nothing in shared memory is believed: positions and lengths are checked against the ring before use, and an impossible one
 * poisons this end: the same error again at each call, rather than a loop or a read outside the ring.
 */

import type { ShmError } from '../errors.js';
import { load, store } from '../platform/atomics.js';
import {
  distanceBytes,
  HEAD_WORD,
  RECORD_LENGTH,
  RECORD_MARK,
  TAIL_WORD,
  UNIT_BYTES,
  UNIT_WORDS_SHIFT,
} from '../record/layout.js';
import { type RecordArea, Records } from '../record/records.js';
import { MESSAGE_HEADER_BYTES } from './layout.js';

/**
 * Is given one message: the bytes from `start` to `end` of `bytes`, which is the whole segment. They are borrowed: valid until
 * the handler returns, to be copied out (`bytes.slice(start, end)`) by whoever wants to keep them, and never to be written to.
 */
export type MessageHandler = (bytes: Uint8Array, start: number, end: number) => void;

/** `take` copies this much at once, if there is as much. */
const BATCH_UNITS: number = 65_536 / UNIT_BYTES;
const NO_WORDS: Int32Array = new Int32Array(0);

/** Reads a ring; whoever makes one must be the only reader. */
export class RingReader {
  readonly #records: Records;
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;
  readonly #tailWord: number;
  readonly #headWord: number;
  /** Where the next record begins. */
  #next: number;
  /** What HEAD holds. */
  #released: number;
  /** A copy of the records from `next` on, as far as `batchUnits`; the next one is at unit `batchAt`. */
  #batch: Int32Array = NO_WORDS;
  #batchUnits = 0;
  #batchAt = 0;
  #reading = false;
  #closed = false;
  #poison: ShmError | undefined;

  constructor(area: RecordArea) {
    const { words, bytes, base } = area;
    this.#records = new Records(area, MESSAGE_HEADER_BYTES);
    this.#words = words;
    this.#bytes = bytes;
    this.#tailWord = base + TAIL_WORD;
    this.#headWord = base + HEAD_WORD;
    this.#next = load(words, this.#headWord);
    this.#released = this.#next;
  }

  /** Whether there is a message that was neither read nor taken. */
  get available(): boolean {
    return this.#batchAt < this.#batchUnits || load(this.#words, this.#tailWord) !== this.#next;
  }

  /** Bytes that are published and not yet given back, padding and headers included. */
  get usedBytes(): number {
    return distanceBytes(load(this.#words, this.#tailWord), this.#released);
  }

  /**
   * Hands at most `limit` messages to `handler`, in order, and then gives their room back to the writer. If the handler throws, the
   * messages before are done, and the one it threw at comes again.
   *
   * @returns how many there were.
   * @throws {@link ShmError} `ERR_SHM_CORRUPT`
   */
  read(handler: MessageHandler, limit: number = Infinity): number {
    let left = this.#published();
    if (left === 0) return 0;
    const words = this.#words;
    const bytes = this.#bytes;
    const records = this.#records;
    let position = this.#next;
    let count = 0;
    this.#batchAt = this.#batchUnits;
    this.#reading = true;
    try {
      while (left > 0 && count < limit) {
        const record = records.word(position);
        const length = words[record + RECORD_LENGTH] as number;
        const mark = words[record + RECORD_MARK] as number;
        const units = records.measure(position, length, mark, left);
        if (units > 0) {
          const start = (record << 2) + MESSAGE_HEADER_BYTES;
          handler(bytes, start, start + length);
          count++;
          if (this.#closed) break;
          position = (position + units) | 0;
          left -= units;
        } else {
          if (units === 0) this.#poisoned(records.neither(position, length, mark, left));
          position = (position - units) | 0;
          left += units;
        }
        this.#next = position;
      }
    } finally {
      this.#reading = false;
      if (!this.#closed) this.release();
    }
    return count;
  }

  /**
   * Copies the next message out without giving its room back; {@link release} does. Underneath, up to 64 KiB of messages are copied
   * at a time, and share that memory. It is the caller's to keep.
   *
   * @returns undefined when there is none.
   * @throws {@link ShmError} `ERR_SHM_CORRUPT`
   */
  take(): Uint8Array | undefined {
    const records = this.#records;
    if (this.#batchAt < this.#batchUnits) {
      const at = this.#batchAt << UNIT_WORDS_SHIFT;
      const length = this.#batch[at + RECORD_LENGTH] as number;
      const mark = this.#batch[at + RECORD_MARK] as number;
      const units = records.measure(this.#next, length, mark, this.#batchUnits - this.#batchAt);
      // Otherwise the batch ends in the middle of this one, or there is padding.
      if (units > 0) {
        this.#next = (this.#next + units) | 0;
        this.#batchAt += units;
        return new Uint8Array(this.#batch.buffer, (at << 2) + MESSAGE_HEADER_BYTES, length);
      }
    }
    this.#batchAt = this.#batchUnits;
    for (let left = this.#published(); left > 0; ) {
      const record = records.word(this.#next);
      const length = this.#words[record + RECORD_LENGTH] as number;
      const mark = this.#words[record + RECORD_MARK] as number;
      const first = records.measure(this.#next, length, mark, left);
      if (first === 0) this.#poisoned(records.neither(this.#next, length, mark, left));
      if (first < 0) {
        // The writer pads only to write a record behind it, but may have been killed in between.
        this.#next = (this.#next - first) | 0;
        left += first;
        continue;
      }
      const begin = (record << 2) + MESSAGE_HEADER_BYTES;
      if (first < left && first < BATCH_UNITS) {
        const units = Math.min(left, records.rest(this.#next), BATCH_UNITS);
        this.#batch = new Int32Array(
          this.#bytes.slice(record << 2, (record << 2) + units * UNIT_BYTES).buffer,
        );
        this.#batchUnits = units;
        this.#batchAt = first;
        this.#next = (this.#next + first) | 0;
        return new Uint8Array(this.#batch.buffer, MESSAGE_HEADER_BYTES, length);
      }
      this.#next = (this.#next + first) | 0;
      return this.#bytes.slice(begin, begin + length);
    }
    return undefined;
  }

  /** Gives the room of everything read or taken back to the writer: it is done with, and never delivered again. */
  release(): void {
    if (this.#released === this.#next) return;
    this.#released = this.#next;
    // publish: this reader looks at nothing before this head any more.
    // pairs with: RingWriter.#reserve, load of HEAD
    store(this.#words, this.#headWord, this.#next);
  }

  /** Takes back what was taken and not released: it comes again. */
  rewind(): void {
    this.#next = this.#released;
    this.#batchAt = this.#batchUnits;
  }

  /** Ends a {@link read} under way after the message that is being handled, which will come again. */
  close(): void {
    if (!this.#closed && this.#reading) this.release();
    this.#closed = true;
  }

  /** Units between `next` and TAIL. */
  #published(): number {
    if (this.#poison !== undefined) throw this.#poison;
    if (this.#reading) throw new TypeError('read() or take() inside a handler of read()');
    const tail = load(this.#words, this.#tailWord);
    const error = this.#records.checkSpan(tail, this.#next);
    if (error !== undefined) this.#poisoned(error);
    return (tail - this.#next) | 0;
  }

  #poisoned(error: ShmError): never {
    this.#poison = error;
    throw error;
  }
}
