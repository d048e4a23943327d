/**
 * Answers to one peer that go out together at the end of the turn.
 *
 * They are written behind each other into one buffer, which is handed to the socket whole and then forgotten:
 * an idle session has none.
 */
import { ACK_BYTES, writeAck } from '@chat/protocol';

const FIRST_BYTES = 128;

export class Outbox {
  #bytes: Buffer | undefined;
  #used = 0;

  /** Bytes that wait. */
  get length(): number {
    return this.#used;
  }

  /** Copies `frame` behind the others. */
  add(frame: Uint8Array): void {
    this.#reserve(frame.length).set(frame, this.#used);
    this.#used += frame.length;
  }

  addAck(publishId: number, seq: number, at: number): void {
    writeAck(this.#reserve(ACK_BYTES), this.#used, publishId, seq, at);
    this.#used += ACK_BYTES;
  }

  /** Hands over everything. */
  take(): Buffer {
    const bytes = this.#bytes!.subarray(0, this.#used);
    this.#bytes = undefined;
    this.#used = 0;
    return bytes;
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
