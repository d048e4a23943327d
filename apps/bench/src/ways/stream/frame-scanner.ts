/**
 * Steps through a stream of frames that arrives in any cut: the one place that knows about cuts.
 *
 * Subscribers of the fan-out share the machine with the server that they measure, so they do not decode: a
 * scanner steps from header to header, counts, and looks at nothing else. Given a listener, it assembles each
 * message whole and hands its payload over: to the far end of a pair, or to a run that checks every byte.
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

/** Given the payload of a message, `bytes[start … end)`, borrowed until it returns. */
export type PayloadListener = (bytes: Uint8Array, start: number, end: number) => void;

/** What a scanner answers pings through. */
export interface ByteSink {
  write(bytes: Uint8Array | string): unknown;
}

/** Bytes of a header that was cut; longer than the longest header of any dialect. */
const HOLD_BYTES = 256;
const NEWLINE = 0x0a;

/** The part that is the same for every dialect; `measure` knows the headers. */
export abstract class FrameScanner implements Scanner {
  /** Bytes of the payload of the frame that was measured last; behind it come the bytes of the tail. */
  protected payloadBytes: number;
  readonly #tailBytes: number;
  readonly #listener: PayloadListener | undefined;
  /** Bytes of the current frame that need not be looked at. */
  #skip = 0;
  /** Whether the frame that is being skipped counts when its last byte is there. */
  #skipsMessage = false;
  #held: Uint8Array = new Uint8Array(HOLD_BYTES);
  #heldBytes = 0;

  /**
   * @param payloadBytes - 0 where messages differ in size, and `measure` sets it
   * @param tailBytes - bytes between the end of a payload and the end of its message
   */
  constructor(payloadBytes: number, tailBytes: number, listener?: PayloadListener) {
    this.payloadBytes = payloadBytes;
    this.#tailBytes = tailBytes;
    this.#listener = listener;
  }

  /**
   * Measures the frame that begins at `offset`, of which the bytes up to `end` are there.
   *
   * @returns the bytes of a whole frame: positive for a message that counts, negative for anything else, 0
   *   when more bytes are needed to tell. A frame that needs an answer is reported as 0 until it is whole.
   * @throws Error when this is not the dialect
   */
  protected abstract measure(bytes: Uint8Array, offset: number, end: number): number;

  /** Told of each message that is there whole, when somebody listens. */
  protected onMessage(bytes: Uint8Array, offset: number, length: number): void {
    const end = offset + length - this.#tailBytes;
    this.#listener?.(bytes, end - this.payloadBytes, end);
  }

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
      const wanted = size === 0 || (this.#listener !== undefined && offset + length > end);
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
        if (this.#listener !== undefined) this.onMessage(bytes, offset, length);
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
    const there = Math.min(missing, end - offset - 1);
    this.#skipsMessage = size > 0;
    if (this.#listener === undefined) {
      this.#heldBytes = 0;
      this.#skip = missing - there;
      return offset + 1 + there;
    }
    this.#hold(bytes, offset + 1, offset + 1 + there);
    if (there === missing) {
      if (size > 0) this.onMessage(this.#held, 0, length);
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

/** Measures a line of text that is no message: negative, or 0 when its end is not there. */
export function measureTextLine(bytes: Uint8Array, offset: number, end: number): number {
  const newline = bytes.indexOf(NEWLINE, offset);
  return newline === -1 || newline >= end ? 0 : -(newline + 1 - offset);
}

/** Four bytes of length, little-endian, before each message: the least that messages on a stream need. */
export class LengthPrefixScanner extends FrameScanner {
  static readonly PREFIX_BYTES = 4;

  constructor(listener: PayloadListener) {
    super(0, 0, listener);
  }

  protected measure(bytes: Uint8Array, offset: number, end: number): number {
    if (end - offset < LengthPrefixScanner.PREFIX_BYTES) return 0;
    this.payloadBytes = new DataView(bytes.buffer, bytes.byteOffset + offset).getUint32(0, true);
    return LengthPrefixScanner.PREFIX_BYTES + this.payloadBytes;
  }
}
