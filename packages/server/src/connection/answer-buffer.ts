/**
 * Answers to one peer that go out together at the end of the turn.
 *
 * Small ones are written behind each other into one buffer, which is handed to the socket whole and then forgotten:
 * an idle session has none. Large ones stay what they are, since a copy would be as much again, and so do the bytes
 * of the log in a page of history: they are never copied.
 */
import { ACK_BYTES, writeAck } from '@chat/protocol/frames';

const FIRST_BYTES = 128;
/** From here on a frame is not copied. */
const LARGE_BYTES = 4096;

/** Whole frames; or the head of one, and the rest of it. */
export type AnswerPart = Buffer | readonly [head: Buffer, rest: Buffer];

export class AnswerBuffer {
  #bytes: Buffer | undefined;
  #used = 0;
  /** Parts that come before the bytes. */
  #parts: AnswerPart[] | undefined;
  #partBytes = 0;

  /** Bytes that wait. */
  get length(): number {
    return this.#partBytes + this.#used;
  }

  /** Adds `frame` behind the others. A large one is kept as it is, and must not be written to any more. */
  add(frame: Uint8Array): void {
    if (frame.length >= LARGE_BYTES) {
      this.#closePart();
      this.#addPart(Buffer.from(frame.buffer, frame.byteOffset, frame.length), frame.length);
      return;
    }
    this.#reserve(frame.length).set(frame, this.#used);
    this.#used += frame.length;
  }

  /** Adds a frame whose end lies elsewhere, and is not copied. */
  addParts(head: Uint8Array, rest: Buffer): void {
    this.#closePart();
    this.#addPart([Buffer.from(head.buffer, head.byteOffset, head.length), rest], head.length + rest.length);
  }

  addAck(publishId: number, seq: number, at: number, isWaiting = false): void {
    writeAck(this.#reserve(ACK_BYTES), this.#used, publishId, seq, at, isWaiting);
    this.#used += ACK_BYTES;
  }

  /** Hands over everything, in order. */
  takeParts(): readonly AnswerPart[] {
    this.#closePart();
    const parts = this.#parts ?? [];
    this.#parts = undefined;
    this.#partBytes = 0;
    return parts;
  }

  #closePart(): void {
    if (this.#used === 0) return;
    const bytes = this.#bytes!.subarray(0, this.#used);
    this.#bytes = undefined;
    this.#used = 0;
    this.#addPart(bytes, bytes.length);
  }

  #addPart(part: AnswerPart, bytes: number): void {
    this.#parts ??= [];
    this.#parts.push(part);
    this.#partBytes += bytes;
  }

  #reserve(count: number): Buffer {
    const needed = this.#used + count;
    if (this.#bytes && this.#bytes.length >= needed) return this.#bytes;
    const grown = Buffer.allocUnsafe(Math.max(FIRST_BYTES, needed, (this.#bytes?.length ?? 0) * 2));
    if (this.#bytes) this.#bytes.copy(grown, 0, 0, this.#used);
    this.#bytes = grown;
    return grown;
  }
}
