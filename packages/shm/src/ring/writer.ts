/**
 * The writing end of a ring.
 *
 * A record is written into free space and becomes a record only by the store of TAIL behind it. So a writer killed at any instruction
 * leaves nothing half written to be seen, and its successor goes on at TAIL, over whatever was not published:
 *
 *     killed before the store of TAIL     the message was never sent
 *     killed after it                     it was
 *
 * Speed comes from touching shared lines rarely. The reader's HEAD is remembered and only looked at again when the ring seems
 * full. `stage` and `publish` are separate, so that many messages can share one store of TAIL, which otherwise is most of the cost
 * of a small one. And the lines of the next records are acquired from the other CPU several at a time, by a store of
 * zero into each: the store of TAIL waits for all earlier stores, and waiting for one line at each message takes longer than for eight
 * lines at every sixth.
 */

import { ShmError } from '../errors.js';
import { load, store } from '../platform/atomics.js';
import { STEPS, step } from '../platform/step.js';
import { PayloadCopy } from '../record/copy.js';
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

/** Units acquired at a time: 8 lines of 64 bytes. */
const AHEAD_UNITS = 64;
const LINE_UNITS = 8;
/** Longer records keep enough stores under way by themselves. */
const LONGEST_AHEAD_UNITS = 32;

/** Where a ring is in memory. */
export interface RingMemory {
  readonly words: Int32Array;
  readonly bytes: Uint8Array;
  /** First word of the ring. */
  readonly base: number;
  readonly capacityBytes: number;
  /** For messages of errors. */
  readonly name: string;
}

/** Writes to a ring; whoever makes one must be the only writer. */
export class RingWriter {
  /** Longest message. */
  readonly maxMessageBytes: number;
  readonly #name: string;
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;
  readonly #tailWord: number;
  readonly #headWord: number;
  readonly #dataWord: number;
  readonly #capacity: number;
  readonly #mask: number;
  readonly #payload: PayloadCopy;
  /** HEAD when it was last looked at. */
  #head: number;
  /** Where the next record begins. */
  #next: number;
  /** What TAIL holds. */
  #published: number;
  /** Up to here the lines were acquired. */
  #ahead: number;
  #claimed = -1;
  #claimedBytes = 0;

  constructor({ words, bytes, base, capacityBytes, name }: RingMemory) {
    this.maxMessageBytes = maxMessageBytes(capacityBytes);
    this.#name = name;
    this.#words = words;
    this.#bytes = bytes;
    this.#tailWord = base + TAIL_WORD;
    this.#headWord = base + HEAD_WORD;
    this.#dataWord = base + DATA_WORD;
    this.#capacity = capacityBytes / UNIT_BYTES;
    this.#mask = this.#capacity - 1;
    this.#payload = new PayloadCopy(words, bytes);
    this.#head = load(words, this.#headWord);
    this.#next = load(words, this.#tailWord);
    this.#published = this.#next;
    this.#ahead = this.#next;
    this.#checkPositions();
  }

  /** Bytes that are written and not yet read, padding and headers included. */
  get usedBytes(): number {
    return ((this.#published - load(this.#words, this.#headWord)) | 0) * UNIT_BYTES;
  }

  /** Whether a message of `length` bytes could be written now. */
  hasRoom(length: number): boolean {
    const units = recordUnits(length);
    const rest = this.#capacity - (this.#next & this.#mask);
    const needed = rest < units ? rest + units : units;
    return this.#capacity - ((this.#next - load(this.#words, this.#headWord)) | 0) >= needed;
  }

  /** Whether messages are staged that {@link publish} has not published. */
  get hasStaged(): boolean {
    return this.#next !== this.#published;
  }

  /** Copies a message into the ring, unpublished. False when there is no room for it. */
  tryStage(message: Uint8Array): boolean {
    if (this.#claimed >= 0) this.#throwClaimed();
    const before = this.#next;
    const at = this.#reserve(message.length);
    if (at < 0) return false;
    try {
      this.#payload.copy(message, at);
    } catch (error) {
      // An array whose memory was transferred away: nothing of it is to be published.
      this.#next = before;
      this.#ahead = before;
      throw error;
    }
    if (STEPS) step('ring: message copied');
    return true;
  }

  /** Publishes everything staged, at once. */
  publish(): void {
    if (this.#next === this.#published) return;
    this.#published = this.#next;
    // publish: all records up to here are visible to whoever sees this tail.
    // pairs with: RingReader.available and RingReader.read, load of TAIL
    store(this.#words, this.#tailWord, this.#next);
  }

  /** Copies a message into the ring and publishes it, and everything staged. False when there is no room for it. */
  tryWrite(message: Uint8Array): boolean {
    if (!this.tryStage(message)) return false;
    this.#published = this.#next;
    // publish: as in publish(), which this is, without a test that is never true.
    store(this.#words, this.#tailWord, this.#next);
    return true;
  }

  /**
   * Reserves room for a message of `length` bytes, to be filled by the caller and then published by {@link commit}.
   *
   * @returns a view of shared memory, borrowed until the next call, whose content is undefined; undefined when there is no room.
   */
  tryClaim(length: number): Uint8Array | undefined {
    if (this.#claimed >= 0) this.#throwClaimed();
    if (!Number.isInteger(length) || length < 0) throw new RangeError(`a length of ${length} bytes`);
    const before = this.#next;
    const at = this.#reserve(length);
    if (at < 0) return undefined;
    this.#claimedBytes = (this.#next - before) | 0;
    this.#claimed = at;
    return this.#bytes.subarray(at, at + length);
  }

  /** Publishes the claimed message and everything staged before it. */
  commit(): void {
    if (this.#claimed < 0) throw new TypeError('commit() without a claim');
    this.#claimed = -1;
    this.publish();
  }

  /** Gives the claim back: nothing was sent. What was staged before stays staged. */
  abort(): void {
    if (this.#claimed < 0) throw new TypeError('abort() without a claim');
    this.#claimed = -1;
    this.#next = (this.#next - this.#claimedBytes) | 0;
    this.#ahead = this.#next;
  }

  /** Writes the header of a record of `length` bytes; returns the byte at which its payload belongs, or -1. */
  #reserve(length: number): number {
    if (!(length <= this.maxMessageBytes)) this.throwTooLarge(length);
    const units = recordUnits(length);
    let position = this.#next;
    let at = position & this.#mask;
    const rest = this.#capacity - at;
    const needed = rest < units ? rest + units : units;
    let free = this.#capacity - ((position - this.#head) | 0);
    if (free < needed) {
      // pairs with: RingReader, store of HEAD: what it has read is free, and it reads it no more.
      this.#head = load(this.#words, this.#headWord);
      this.#checkPositions();
      free = this.#capacity - ((position - this.#head) | 0);
      if (free < needed) return -1;
    }
    const words = this.#words;
    if (rest < units) {
      const padding = this.#dataWord + (at << UNIT_WORDS_SHIFT);
      words[padding] = rest * UNIT_BYTES - RECORD_HEADER_BYTES;
      words[padding + 1] = ~position;
      position = (position + rest) | 0;
      free -= rest;
      at = 0;
    }
    if (((this.#ahead - position) | 0) < units) this.#acquireAhead(position, at, units, free);
    const record = this.#dataWord + (at << UNIT_WORDS_SHIFT);
    words[record] = length;
    words[record + 1] = position;
    this.#next = (position + units) | 0;
    return (record << 2) + RECORD_HEADER_BYTES;
  }

  /** Stores into free lines only: nobody reads beyond TAIL. */
  #acquireAhead(position: number, at: number, units: number, free: number): void {
    const end = Math.min(at + AHEAD_UNITS, this.#capacity);
    if (units > LONGEST_AHEAD_UNITS || free < end - at) return;
    for (let unit = at + units; unit < end; unit += LINE_UNITS) {
      this.#words[this.#dataWord + (unit << UNIT_WORDS_SHIFT)] = 0;
    }
    this.#ahead = (position + (end - at)) | 0;
  }

  #checkPositions(): void {
    const used = (this.#next - this.#head) | 0;
    if (used < 0 || used > this.#capacity) {
      throw new ShmError(
        'ERR_SHM_CORRUPT',
        `the ring of ${this.#name} has tail ${this.#next} and head ${this.#head}, ${used} apart, in ${this.#capacity} units`,
      );
    }
  }

  /** @throws {@link ShmError} `ERR_SHM_TOO_LARGE` */
  throwTooLarge(length: number): never {
    throw new ShmError(
      'ERR_SHM_TOO_LARGE',
      `a message of ${length} bytes exceeds maxMessageBytes ${this.maxMessageBytes} of ${this.#name}, an eighth of its capacity`,
    );
  }

  #throwClaimed(): never {
    throw new TypeError('a claim is open: commit() or abort() it first');
  }
}
