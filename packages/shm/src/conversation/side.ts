/**
 * One side of a conversation as it lies in the segment: its flags, and the messages that it wrote last.
 *
 * Only where things are, and how they are read and stored; what the flags mean, and in which order they are stored, is decided in
 * `conversation.ts`. See `layout.ts` for the picture.
 */
import { load, store } from '../platform/atomics.js';
import { WORD_BYTES } from '../segment/layout.js';
import type { SharedSegment } from '../segment/shared-segment.js';
import { SIDE_WORDS, SLOT_HEADER_BYTES, SLOTS_OFFSET, slotBytes } from './layout.js';

/** The memory of a side. Whoever stores or fills a slot has the lock, or is the side itself. */
export class ConversationSide {
  readonly #segment: SharedSegment;
  readonly #flagsWord: number;
  readonly #slotsOffset: number;
  readonly #slotBytes: number;
  readonly #capacity: number;

  /** `index` is 0 for side a, 1 for side b. */
  constructor(segment: SharedSegment, index: 0 | 1, maxMessageBytes: number, capacity: number) {
    this.#segment = segment;
    this.#flagsWord = segment.segment.payloadOffset / WORD_BYTES + index * SIDE_WORDS;
    this.#slotBytes = slotBytes(maxMessageBytes);
    this.#slotsOffset = SLOTS_OFFSET + index * capacity * this.#slotBytes;
    this.#capacity = capacity;
  }

  /** The index of a flag in the words of the segment. */
  wordOf(flag: number): number {
    return this.#flagsWord + flag;
  }

  /** Reads a flag. @throws {@link ShmError} `ERR_SHM_CLOSED` */
  load(flag: number): number {
    return load(this.#segment.segment.words, this.#flagsWord + flag);
  }

  /** Stores a flag, after everything that was written before. @throws {@link ShmError} `ERR_SHM_CLOSED` */
  store(flag: number, value: number): void {
    store(this.#segment.segment.words, this.#flagsWord + flag, value);
  }

  /** Where message `number` lies: its length, the number that it answers, and its text. @throws {@link ShmError} `ERR_SHM_CLOSED` */
  slot(number: number): { readonly header: Int32Array; readonly text: Uint8Array } {
    const { payload } = this.#segment;
    const offset = payload.byteOffset + this.#slotsOffset + (number % this.#capacity) * this.#slotBytes;
    return {
      header: new Int32Array(payload.buffer, offset, SLOT_HEADER_BYTES / WORD_BYTES),
      text: new Uint8Array(payload.buffer, offset + SLOT_HEADER_BYTES, this.#slotBytes - SLOT_HEADER_BYTES),
    };
  }
}
