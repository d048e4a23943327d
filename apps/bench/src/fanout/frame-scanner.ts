/**
 * Counts messages in a stream of bytes, as cheaply as it can be done honestly.
 *
 * Subscribers share the machine with the server that they measure, so they do not decode: a scanner steps
 * from header to header and looks at nothing else. Given a `check`, it assembles each frame whole and hands
 * it over instead, which is how a run proves that every byte arrived.
 */

/** Steps through a stream that arrives in any cut. */
export interface Scanner {
  /**
   * Scans `bytes[start … end)`. The bytes are borrowed: they may be overwritten after the call.
   *
   * @returns how many messages were completed by these bytes
   */
  scan(bytes: Uint8Array, start: number, end: number): number;
}

/** Given each whole message of a stream, `bytes[offset … offset + length)`, borrowed. */
export type MessageCheck = (bytes: Uint8Array, offset: number, length: number) => void;

/** Bytes of a header that was cut; longer than the longest header of any dialect. */
const HOLD_BYTES = 256;

/** The part that is the same for every dialect; `measure` knows the headers. */
export abstract class FrameScanner implements Scanner {
  /** Bytes of the current frame that need not be looked at. */
  #skip = 0;
  /** Whether the frame that is being skipped counts when its last byte is there. */
  #skipsMessage = false;
  #held: Uint8Array = new Uint8Array(HOLD_BYTES);
  #heldBytes = 0;
  readonly #check: MessageCheck | undefined;

  constructor(check?: MessageCheck) {
    this.#check = check;
  }

  /**
   * Measures the frame that begins at `offset`, of which the bytes up to `end` are there.
   *
   * @returns the bytes of a whole frame: positive for a message that counts, negative for anything else, 0
   *   when more bytes are needed to tell. A frame that needs an answer is reported as 0 until it is whole.
   * @throws Error when this is not the dialect
   */
  protected abstract measure(bytes: Uint8Array, offset: number, end: number): number;

  scan(bytes: Uint8Array, start: number, end: number): number {
    let offset = start;
    let messages = 0;
    if (this.#skip > 0) {
      const skipped = Math.min(this.#skip, end - offset);
      offset += skipped;
      this.#skip -= skipped;
      if (this.#skip > 0) return 0;
      if (this.#skipsMessage) messages++;
    }
    while (this.#heldBytes > 0 && offset < end) {
      offset = this.#continueHeld(bytes, offset, end);
      if (this.#heldBytes === 0 && this.#skip === 0 && this.#skipsMessage) messages++;
    }
    while (offset < end) {
      const size = this.measure(bytes, offset, end);
      const length = size < 0 ? -size : size;
      const wanted = size === 0 || (this.#check !== undefined && offset + length > end);
      if (wanted) {
        this.#hold(bytes, offset, end);
        break;
      }
      if (offset + length > end) {
        this.#skip = offset + length - end;
        this.#skipsMessage = size > 0;
        break;
      }
      if (size > 0) {
        messages++;
        this.#check?.(bytes, offset, length);
      }
      offset += length;
    }
    return messages;
  }

  /** Adds one byte after another to the cut frame until it can be measured. */
  #continueHeld(bytes: Uint8Array, offset: number, end: number): number {
    this.#hold(bytes, offset, offset + 1);
    const size = this.measure(this.#held, 0, this.#heldBytes);
    if (size === 0) return offset + 1;
    const length = size < 0 ? -size : size;
    const missing = length - this.#heldBytes;
    this.#skipsMessage = size > 0;
    if (this.#check === undefined) {
      const there = Math.min(missing, end - offset - 1);
      this.#heldBytes = 0;
      this.#skip = missing - there;
      return offset + 1 + there;
    }
    const there = Math.min(missing, end - offset - 1);
    this.#hold(bytes, offset + 1, offset + 1 + there);
    if (there === missing) {
      if (size > 0) this.#check(this.#held, 0, length);
      this.#heldBytes = 0;
    }
    return offset + 1 + there;
  }

  #hold(bytes: Uint8Array, start: number, end: number): void {
    const heldBytes = this.#heldBytes + end - start;
    if (heldBytes > this.#held.length) {
      const larger = new Uint8Array(heldBytes * 2);
      larger.set(this.#held);
      this.#held = larger;
    }
    this.#held.set(bytes.subarray(start, end), this.#heldBytes);
    this.#heldBytes = heldBytes;
  }
}
