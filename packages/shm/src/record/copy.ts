/**
 * Copies messages into shared memory, the fastest way for each size.
 *
 * `set` costs a call into C++, some tens of nanoseconds, which for a small message is more than the copy itself. Small messages
 * therefore go word by word through an Int32Array on the source. Making such a view costs more than it saves, so it is kept, and used
 * when the same array is sent again, as a sender with a buffer of its own does. Everything else is `set`.
 *
 * Always plain stores: what publishes them is a store of `atomics.ts` by the caller.
 */

/** Longest message that is worth copying word by word. */
const WORDWISE_BYTES = 192;
const NOTHING: Uint8Array = new Uint8Array(0);
const NO_WORDS: Int32Array = new Int32Array(0);

/** Copies into one mapped segment. */
export class PayloadCopy {
  readonly #bytes: Uint8Array;
  readonly #words: Int32Array;
  #source: Uint8Array = NOTHING;
  #sourceBytes = 0;
  #sourceWords: Int32Array = NO_WORDS;

  constructor(words: Int32Array, bytes: Uint8Array) {
    this.#words = words;
    this.#bytes = bytes;
  }

  /** Copies `source` to byte `at`, a multiple of 4. */
  copy(source: Uint8Array, at: number): void {
    const length = source.length;
    if (length <= WORDWISE_BYTES && source === this.#source && length === this.#sourceBytes) {
      const from = this.#sourceWords;
      const words = this.#words;
      const whole = length >> 2;
      const first = at >> 2;
      for (let i = 0; i < whole; i++) words[first + i] = from[i] as number;
      const bytes = this.#bytes;
      for (let i = whole << 2; i < length; i++) bytes[at + i] = source[i] as number;
      return;
    }
    if (length <= WORDWISE_BYTES) this.#remember(source, length);
    this.#bytes.set(source, at);
  }

  /** The second time in a row the same array comes, its words are at hand; the first time costs nothing but this. */
  #remember(source: Uint8Array, length: number): void {
    if (source !== this.#source) {
      this.#source = source;
      this.#sourceBytes = -1;
      return;
    }
    if ((source.byteOffset & 3) !== 0) return;
    this.#sourceWords = new Int32Array(source.buffer, source.byteOffset, length >> 2);
    this.#sourceBytes = length;
  }
}
