/**
 * Cuts a stream of bytes into the messages of a simple framing: a length before each, or a line of text that
 * says how long the next one is. What is incomplete is copied once, into a buffer that doubles.
 */
import type { LineListener } from './line.js';

/** Where the payload of the message at `start` lies, and where the next message begins. */
export interface Cut {
  readonly payload: number;
  readonly payloadEnd: number;
  readonly end: number;
}

/** Tells where the message that begins at `start` ends; undefined when bytes up to `end` do not say. */
export type Measure = (bytes: Uint8Array, start: number, end: number) => Cut | undefined;

/** Splits a stream that arrives in any cut. */
export class MessageSplitter {
  readonly #measure: Measure;
  readonly #deliver: LineListener;
  #held: Uint8Array = new Uint8Array(65_536);
  #heldBytes = 0;

  /** @param deliver - given the payload of each message; not called for an empty one */
  constructor(measure: Measure, deliver: LineListener) {
    this.#measure = measure;
    this.#deliver = deliver;
  }

  push(chunk: Uint8Array): void {
    if (this.#heldBytes === 0) {
      const rest = this.#split(chunk, chunk.length);
      if (rest < chunk.length) this.#hold(chunk.subarray(rest));
      return;
    }
    this.#hold(chunk);
    const rest = this.#split(this.#held, this.#heldBytes);
    this.#held.copyWithin(0, rest, this.#heldBytes);
    this.#heldBytes -= rest;
  }

  #split(bytes: Uint8Array, end: number): number {
    let start = 0;
    while (start < end) {
      const cut = this.#measure(bytes, start, end);
      if (!cut || cut.end > end) break;
      if (cut.payloadEnd > cut.payload) this.#deliver(bytes, cut.payload, cut.payloadEnd);
      start = cut.end;
    }
    return start;
  }

  #hold(bytes: Uint8Array): void {
    const heldBytes = this.#heldBytes + bytes.length;
    if (heldBytes > this.#held.length) {
      const larger = new Uint8Array(heldBytes * 2);
      larger.set(this.#held.subarray(0, this.#heldBytes));
      this.#held = larger;
    }
    this.#held.set(bytes, this.#heldBytes);
    this.#heldBytes = heldBytes;
  }
}

/** Four bytes of length, little-endian, before each message. */
export const LENGTH_PREFIX_BYTES = 4;

/** Measures messages with a length before them. */
export const measureLengthPrefix: Measure = (bytes, start, end) => {
  if (end - start < LENGTH_PREFIX_BYTES) return undefined;
  const payload = start + LENGTH_PREFIX_BYTES;
  const length = new DataView(bytes.buffer, bytes.byteOffset + start).getUint32(0, true);
  return { payload, payloadEnd: payload + length, end: payload + length };
};
