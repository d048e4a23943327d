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

import { ShmError } from '../errors.js';
import { load, store } from '../platform/atomics.js';
import {
  DATA_WORD,
  HEAD_WORD,
  maxMessageBytes,
  RECORD_HEADER_BYTES,
  recordUnits,
  TAIL_WORD,
  UNIT_BYTES,
  UNIT_WORDS_SHIFT,
} from './layout.js';
import type { RingMemory } from './writer.js';

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
  readonly #name: string;
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;
  readonly #tailWord: number;
  readonly #headWord: number;
  readonly #dataWord: number;
  readonly #capacity: number;
  readonly #mask: number;
  readonly #maxMessageBytes: number;
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

  constructor({ words, bytes, base, capacityBytes, name }: RingMemory) {
    this.#name = name;
    this.#words = words;
    this.#bytes = bytes;
    this.#tailWord = base + TAIL_WORD;
    this.#headWord = base + HEAD_WORD;
    this.#dataWord = base + DATA_WORD;
    this.#capacity = capacityBytes / UNIT_BYTES;
    this.#mask = this.#capacity - 1;
    this.#maxMessageBytes = maxMessageBytes(capacityBytes);
    this.#next = load(words, this.#headWord);
    this.#released = this.#next;
  }

  /** Whether there is a message that was neither read nor taken. */
  get available(): boolean {
    return this.#batchAt < this.#batchUnits || load(this.#words, this.#tailWord) !== this.#next;
  }

  /** Bytes that are published and not yet given back, padding and headers included. */
  get usedBytes(): number {
    return ((load(this.#words, this.#tailWord) - this.#released) | 0) * UNIT_BYTES;
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
    const mask = this.#mask;
    const dataWord = this.#dataWord;
    let position = this.#next;
    let count = 0;
    this.#batchAt = this.#batchUnits;
    this.#reading = true;
    try {
      while (left > 0 && count < limit) {
        const record = dataWord + ((position & mask) << UNIT_WORDS_SHIFT);
        const length = words[record] as number;
        if (words[record + 1] !== position) {
          const rest = this.#paddingUnits(position, length, left);
          position = (position + rest) | 0;
          left -= rest;
          this.#next = position;
          continue;
        }
        const units = this.#recordUnits(position, length, left);
        const start = (record << 2) + RECORD_HEADER_BYTES;
        handler(bytes, start, start + length);
        count++;
        if (this.#closed) break;
        position = (position + units) | 0;
        left -= units;
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
    for (;;) {
      if (this.#batchAt < this.#batchUnits) {
        const position = this.#next;
        const at = this.#batchAt << UNIT_WORDS_SHIFT;
        const batch = this.#batch;
        const length = batch[at] as number;
        const units = recordUnits(length);
        // The batch may end in the middle of a record, or at padding; the next one then begins with it.
        if (batch[at + 1] === position && length >= 0 && units <= this.#batchUnits - this.#batchAt) {
          this.#next = (position + units) | 0;
          this.#batchAt += units;
          return new Uint8Array(batch.buffer, (at << 2) + RECORD_HEADER_BYTES, length);
        }
        this.#batchAt = this.#batchUnits;
      }
      let left = this.#published();
      if (left === 0) return undefined;
      let record = this.#recordWord(this.#next);
      if (this.#words[record + 1] !== this.#next) {
        const rest = this.#paddingUnits(this.#next, this.#words[record] as number, left);
        this.#next = (this.#next + rest) | 0;
        left -= rest;
        // The writer pads only to write a record behind it, but may have been killed in between.
        if (left === 0) return undefined;
        record = this.#recordWord(this.#next);
      }
      const length = this.#words[record] as number;
      if (this.#words[record + 1] !== this.#next) this.#paddingUnits(this.#next, length, left);
      const first = this.#recordUnits(this.#next, length, left);
      const start = record << 2;
      if (first === left || first >= BATCH_UNITS) {
        this.#next = (this.#next + first) | 0;
        const begin = start + RECORD_HEADER_BYTES;
        return this.#bytes.slice(begin, begin + length);
      }
      const units = Math.min(left, this.#capacity - (this.#next & this.#mask), BATCH_UNITS);
      this.#batch = new Int32Array(this.#bytes.slice(start, start + units * UNIT_BYTES).buffer);
      this.#batchUnits = units;
      this.#batchAt = 0;
    }
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
    const left = (tail - this.#next) | 0;
    if (left < 0 || left > this.#capacity) {
      this.#corrupt(`its tail ${tail} is ${left} units from ${this.#next}, of ${this.#capacity}`);
    }
    return left;
  }

  #recordWord(position: number): number {
    return this.#dataWord + ((position & this.#mask) << UNIT_WORDS_SHIFT);
  }

  /** The size of the record at `position`, which says that its message has `length` bytes. */
  #recordUnits(position: number, length: number, left: number): number {
    const units = recordUnits(length);
    const rest = this.#capacity - (position & this.#mask);
    if (length < 0 || length > this.#maxMessageBytes || units > left || units > rest) {
      this.#corrupt(
        `at ${position} it has a message of ${length} bytes, with ${left * UNIT_BYTES} published and at most ${this.#maxMessageBytes} allowed`,
      );
    }
    return units;
  }

  /** The size of the padding at `position`, where there is no message. */
  #paddingUnits(position: number, length: number, left: number): number {
    const mark = this.#words[this.#recordWord(position) + 1] as number;
    const rest = this.#capacity - (position & this.#mask);
    if (mark !== ~position || length !== rest * UNIT_BYTES - RECORD_HEADER_BYTES || rest > left) {
      this.#corrupt(`at ${position} it has neither a message nor padding: length ${length}, mark ${mark}`);
    }
    return rest;
  }

  #corrupt(what: string): never {
    this.#poison = new ShmError('ERR_SHM_CORRUPT', `the ring of ${this.#name} is corrupt: ${what}`);
    throw this.#poison;
  }
}
