/**
 * Turns a stream into whole frames. Its chunks may be cut anywhere.
 *
 * `FrameSplitter` finds the borders of frames and checks each length before anything is allocated for it. It does not
 * look inside: `FrameDecoder` does that for all types, `readServerFrame` for those that a client receives. After an
 * error a splitter is poisoned: the stream has no frame border any more, so every later call throws the same error.
 */

import type { ProtocolError } from '../errors.js';
import { FIRST_SKIPPABLE_TYPE } from '../frames/frame.js';
import { HEADER_BYTES, TYPE_OFFSET } from '../frames/layout.js';
import { assertMaxFrameBytes, readLength } from '../frames/lengths.js';
import { DEFAULT_MAX_FRAME_BYTES } from '../limits.js';
import { ByteQueue } from './byte-queue.js';

const EMPTY = new Uint8Array(0);

/** Options of {@link FrameSplitter} and {@link FrameDecoder}. */
export interface FrameSplitterOptions {
  /** Largest whole frame that is accepted. @defaultValue 65536 */
  readonly maxFrameBytes?: number;
}

/**
 * Splits a stream into frames.
 *
 * `push` a chunk, then call `next` until it answers false. While it answers true, the frame lies at
 * `bytes[offset … offset + length]`. These bytes are borrowed from the chunk, or lie in an array that is
 * never written again when the frame was cut: they stay valid as long as the caller leaves its chunks alone.
 *
 * @example
 * ```ts
 * import assert from 'node:assert';
 * import { encodeFrame, FrameSplitter, FrameType } from '@chat/protocol/frames';
 *
 * const splitter = new FrameSplitter();
 * const bytes = encodeFrame({ type: FrameType.Ping, nonce: 7 });
 * splitter.push(bytes.subarray(0, 5));
 * assert.equal(splitter.next(), false);
 * splitter.push(bytes.subarray(5));
 * assert.equal(splitter.next(), true);
 * assert(splitter.type === FrameType.Ping && splitter.length === 12);
 * ```
 */
export class FrameSplitter {
  readonly #queue = new ByteQueue();
  readonly #maxFrameBytes: number;

  /** What broke the stream. Once it is set, every call throws it. */
  error: ProtocolError | undefined;

  /** Where the current frame lies. Empty while there is none. */
  bytes: Uint8Array = EMPTY;
  /** First byte of the current frame in {@link FrameSplitter.bytes}. */
  offset = 0;
  /** Bytes of the current frame, header included; 0 while there is none. */
  length = 0;
  /** Type of the current frame; 0 while there is none. */
  type = 0;
  /** Frames of extensions that were passed over so far. */
  skipped = 0;

  /** @throws RangeError when `maxFrameBytes` is out of bounds; TypeError for another option */
  constructor({ maxFrameBytes = DEFAULT_MAX_FRAME_BYTES, ...others }: FrameSplitterOptions = {}) {
    for (const name in others) throw new TypeError(`unknown option "${name}"; there is maxFrameBytes`);
    this.#maxFrameBytes = maxFrameBytes;
    assertMaxFrameBytes(maxFrameBytes);
  }

  /** Bytes of an incomplete frame that wait for the rest. */
  get pendingBytes(): number {
    return this.#queue.length;
  }

  /**
   * Adds bytes, cut anywhere. Whole frames of the chunk before that have not been read yet are copied, and not
   * counted against any limit: read them first.
   *
   * @throws ProtocolError the error that poisoned the decoder
   */
  push(chunk: Uint8Array): void {
    if (this.error) throw this.error;
    this.#queue.push(chunk);
  }

  /**
   * Moves on to the next whole frame of a known type.
   *
   * @returns false while bytes are missing
   * @throws ProtocolError `ERR_PROTOCOL_FRAME_TOO_LARGE`, `ERR_PROTOCOL_FRAME_TOO_SHORT`,
   *   `ERR_PROTOCOL_FRAME_UNKNOWN`; the decoder is poisoned then
   */
  next(): boolean {
    if (this.error) throw this.error;
    const queue = this.#queue;
    for (;;) {
      // protocol.md, "Frame header": the length is checked as soon as its four bytes and the type are there.
      if (!queue.peek(TYPE_OFFSET + 1, HEADER_BYTES)) return this.#more();
      const type = queue.bytes[queue.offset + TYPE_OFFSET]!;
      const length = this.#readLength();
      if (!queue.peek(length)) return this.#more();
      queue.take(length);
      if (type >= FIRST_SKIPPABLE_TYPE) {
        this.skipped++;
        continue;
      }
      this.bytes = queue.bytes;
      this.offset = queue.offset;
      this.length = length;
      this.type = type;
      return true;
    }
  }

  /** A length that breaks the rules poisons the splitter. */
  #readLength(): number {
    try {
      return readLength(this.#queue.bytes, this.#queue.offset, this.#maxFrameBytes);
    } catch (error) {
      this.error = error as ProtocolError;
      throw error;
    }
  }

  /** Lets go of the last frame, so that an idle connection does not keep the chunk it lay in. */
  #more(): false {
    this.bytes = EMPTY;
    this.offset = 0;
    this.length = 0;
    this.type = 0;
    return false;
  }
}
