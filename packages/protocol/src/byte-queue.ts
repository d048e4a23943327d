/**
 * The one place that knows where the network cuts a stream.
 *
 * Bytes that arrive whole are looked at where they are; only a unit that is cut by the end of a chunk is
 * copied together, into an array of its own that is never written again. So what a reader was shown stays
 * valid for as long as the chunk itself does.
 */
export class ByteQueue {
  #chunk: Uint8Array = EMPTY;
  #start = 0;
  /** Bytes of a unit that began in earlier chunks: `#heldBytes` of them are valid. */
  #held: Uint8Array = EMPTY;
  #heldBytes = 0;

  /** The bytes that {@link ByteQueue.take} or {@link ByteQueue.peek} spoke of, at {@link ByteQueue.offset}. */
  bytes: Uint8Array = EMPTY;
  offset = 0;

  /** Bytes that wait to be taken. */
  get length(): number {
    return this.#heldBytes + this.#chunk.length - this.#start;
  }

  /** Adds a chunk. What is left of the chunk before must have been taken or held. */
  push(chunk: Uint8Array): void {
    if (this.#start < this.#chunk.length) this.#hold(this.#chunk.length - this.#start, 0);
    this.#chunk = chunk;
    this.#start = 0;
  }

  /**
   * Makes the next `count` bytes readable at `bytes[offset…]` without consuming them; answers whether so many
   * are there. `expected` says how long the whole unit will be, so that it is allocated once.
   */
  peek(count: number, expected: number = count): boolean {
    if (this.#heldBytes === 0 && this.#chunk.length - this.#start >= count) {
      this.bytes = this.#chunk;
      this.offset = this.#start;
      return true;
    }
    if (this.length < count) {
      if (this.#start < this.#chunk.length) this.#hold(this.#chunk.length - this.#start, expected);
      return false;
    }
    if (this.#heldBytes < count) this.#hold(count - this.#heldBytes, expected);
    this.bytes = this.#held;
    this.offset = 0;
    return true;
  }

  /** Consumes `count` bytes that {@link ByteQueue.peek} has shown. */
  take(count: number): void {
    if (this.#heldBytes === 0) {
      this.#start += count;
    } else {
      // A held unit is always taken whole, but for a peek that showed more than the caller took.
      if (this.#heldBytes > count) {
        this.#held = this.#held.slice(count, this.#heldBytes);
        this.#heldBytes -= count;
      } else {
        this.#held = EMPTY;
        this.#heldBytes = 0;
      }
    }
  }

  /** Moves `count` bytes of the chunk behind the held ones. */
  #hold(count: number, expected: number): void {
    const needed = this.#heldBytes + count;
    if (this.#held.length < needed) {
      const grown = new Uint8Array(Math.max(needed, expected));
      grown.set(this.#held.subarray(0, this.#heldBytes));
      this.#held = grown;
    }
    this.#held.set(this.#chunk.subarray(this.#start, this.#start + count), this.#heldBytes);
    this.#heldBytes = needed;
    this.#start += count;
  }
}

const EMPTY = new Uint8Array(0);
