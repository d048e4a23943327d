/**
 * The one place that knows where the network cuts a stream.
 *
 * Bytes that arrive whole are looked at where they are; only a unit that is cut by the end of a chunk is
 * copied together, into an array in which a byte, once shown, is never written again. So what a reader was
 * shown stays valid for as long as the chunk itself does.
 *
 * That array grows with what has arrived, at most to its double: a peer that announces a long unit and sends
 * none of it costs nothing, and one that sends it byte by byte costs no more copying than one that does not.
 */
export class ByteQueue {
  #chunk: Uint8Array = EMPTY;
  #start = 0;
  /** Bytes that began in earlier chunks: those from `#heldStart` to `#heldEnd` wait to be taken. */
  #held: Uint8Array = EMPTY;
  #heldStart = 0;
  #heldEnd = 0;

  /** The bytes that {@link ByteQueue.peek} spoke of, at {@link ByteQueue.offset}. */
  bytes: Uint8Array = EMPTY;
  offset = 0;

  /** Bytes that wait to be taken. */
  get length(): number {
    return this.#heldEnd - this.#heldStart + this.#chunk.length - this.#start;
  }

  /** Adds a chunk. What is left of the chunk before is copied. */
  push(chunk: Uint8Array): void {
    if (this.#start < this.#chunk.length) this.#hold(this.#chunk.length - this.#start, 0);
    this.#chunk = chunk;
    this.#start = 0;
  }

  /**
   * Makes the next `count` bytes readable at `bytes[offset…]` without consuming them; answers whether so many
   * are there. When it answers false the chunk is let go of. `expected` says how long the whole unit will be,
   * so that a short one is allocated once.
   */
  peek(count: number, expected: number = count): boolean {
    const held = this.#heldEnd - this.#heldStart;
    const fresh = this.#chunk.length - this.#start;
    if (held === 0 && fresh >= count) {
      this.bytes = this.#chunk;
      this.offset = this.#start;
      return true;
    }
    if (held + fresh < count) {
      if (fresh > 0) this.#hold(fresh, expected);
      this.#chunk = EMPTY;
      this.#start = 0;
      this.bytes = EMPTY;
      this.offset = 0;
      return false;
    }
    if (held < count) this.#hold(count - held, expected);
    this.bytes = this.#held;
    this.offset = this.#heldStart;
    return true;
  }

  /** Consumes `count` bytes that {@link ByteQueue.peek} has shown. */
  take(count: number): void {
    if (this.#heldEnd === 0) {
      this.#start += count;
      return;
    }
    this.#heldStart += count;
    if (this.#heldStart === this.#heldEnd) {
      this.#held = EMPTY;
      this.#heldStart = 0;
      this.#heldEnd = 0;
    }
  }

  /** Moves `count` bytes of the chunk behind the held ones. */
  #hold(count: number, expected: number): void {
    if (this.#held.length - this.#heldEnd < count) {
      const needed = this.#heldEnd - this.#heldStart + count;
      const room = Math.max(2 * needed, MIN_ROOM_BYTES);
      // A unit whose length is known needs no room behind it.
      const grown = new Uint8Array(expected >= needed ? Math.min(expected, room) : room);
      grown.set(this.#held.subarray(this.#heldStart, this.#heldEnd));
      this.#held = grown;
      this.#heldStart = 0;
      this.#heldEnd = needed - count;
    }
    this.#held.set(this.#chunk.subarray(this.#start, this.#start + count), this.#heldEnd);
    this.#heldEnd += count;
    this.#start += count;
  }
}

const EMPTY = new Uint8Array(0);
const MIN_ROOM_BYTES = 256;
