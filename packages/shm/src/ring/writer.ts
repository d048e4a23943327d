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

import { load, store } from '../platform/atomics.js';
import { STEPS, step } from '../platform/step.js';
import { checkLength } from '../record/check.js';
import { PayloadCopy } from '../record/copy.js';
import { HEAD_WORD, RECORD_LENGTH, RECORD_MARK, TAIL_WORD } from '../record/layout.js';
import { type RecordArea, Records } from '../record/records.js';
import { MESSAGE_HEADER_BYTES } from './layout.js';

/** Units acquired at a time: 8 lines of 64 bytes. */
const AHEAD_UNITS = 64;
const LINE_UNITS = 8;
/** Longer records keep enough stores under way by themselves. */
const LONGEST_AHEAD_UNITS = 32;

/** Writes to a ring; whoever makes one must be the only writer. */
export class RingWriter {
  readonly #records: Records;
  readonly #name: string;
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;
  readonly #tailWord: number;
  readonly #headWord: number;
  readonly #capacity: number;
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

  constructor(area: RecordArea) {
    const { words, bytes, base } = area;
    this.#records = new Records(area, MESSAGE_HEADER_BYTES);
    this.#name = area.name;
    this.#words = words;
    this.#bytes = bytes;
    this.#tailWord = base + TAIL_WORD;
    this.#headWord = base + HEAD_WORD;
    this.#capacity = this.#records.capacity;
    this.#payload = new PayloadCopy(words, bytes);
    this.#head = load(words, this.#headWord);
    this.#next = load(words, this.#tailWord);
    this.#published = this.#next;
    this.#ahead = this.#next;
    this.#checkPositions();
  }

  /** Whether a message of `length` bytes could be written now. */
  hasRoom(length: number): boolean {
    const needed = this.#records.needed(this.#next, this.#records.units(length));
    return this.#capacity - ((this.#next - load(this.#words, this.#headWord)) | 0) >= needed;
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
    const records = this.#records;
    if (!(length <= records.maxBytes)) this.throwTooLarge(length);
    const units = records.units(length);
    let position = this.#next;
    const needed = records.needed(position, units);
    let free = this.#capacity - ((position - this.#head) | 0);
    if (free < needed) {
      // pairs with: RingReader, store of HEAD: what it has read is free, and it reads it no more.
      this.#head = load(this.#words, this.#headWord);
      this.#checkPositions();
      free = this.#capacity - ((position - this.#head) | 0);
      if (free < needed) return -1;
    }
    if (needed !== units) {
      position = records.begin(position, units);
      free -= needed - units;
    }
    if (((this.#ahead - position) | 0) < units) this.#acquireAhead(position, units, free);
    const words = this.#words;
    const record = records.word(position);
    words[record + RECORD_LENGTH] = length;
    words[record + RECORD_MARK] = position;
    this.#next = (position + units) | 0;
    return (record << 2) + MESSAGE_HEADER_BYTES;
  }

  /** Stores into free lines only: nobody reads beyond TAIL. */
  #acquireAhead(position: number, units: number, free: number): void {
    const end = Math.min(AHEAD_UNITS, this.#records.rest(position));
    if (units > LONGEST_AHEAD_UNITS || free < end) return;
    for (let unit = units; unit < end; unit += LINE_UNITS)
      this.#words[this.#records.word(position + unit)] = 0;
    this.#ahead = (position + end) | 0;
  }

  #checkPositions(): void {
    const error = this.#records.checkSpan(this.#next, this.#head);
    if (error !== undefined) throw error;
  }

  /** @throws {@link ShmError} `ERR_SHM_TOO_LARGE` */
  throwTooLarge(length: number): never {
    const { maxBytes } = this.#records;
    checkLength(
      length,
      maxBytes,
      'a message',
      `maxMessageBytes of the ${this.#name}, an eighth of its capacity,`,
    );
    throw new RangeError(`a length of ${length} bytes`);
  }

  #throwClaimed(): never {
    throw new TypeError('a claim is open: commit() or abort() it first');
  }
}
