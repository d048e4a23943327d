/**
 * Turns a stream into frames as values, of all types. To bundle less, or to allocate nothing, use the
 * splitter alone and read the frames that it shows.
 */
import { ProtocolError } from '../errors.js';
import { decodeFrame } from '../frames/any-frame.js';
import type { Frame } from '../frames/frame.js';
import { FrameSplitter } from './splitter.js';

/**
 * Splits a stream into frames, as {@link FrameSplitter} does, and decodes them.
 *
 * @example
 * ```ts
 * import assert from 'node:assert';
 * import { encodeFrame, FrameDecoder, FrameType } from '@chat/protocol/frames';
 *
 * const decoder = new FrameDecoder();
 * const bytes = encodeFrame({ type: FrameType.Ping, nonce: 7 });
 * decoder.push(bytes.subarray(0, 5));
 * assert.equal(decoder.next(), false);
 * decoder.push(bytes.subarray(5));
 * assert.equal(decoder.next(), true);
 * assert.deepStrictEqual(decoder.frame(), { type: FrameType.Ping, nonce: 7 });
 * ```
 */
export class FrameDecoder extends FrameSplitter {
  /**
   * Decodes the current frame.
   *
   * @throws ProtocolError as {@link decodeFrame}; the decoder is poisoned then
   * @throws TypeError when there is no current frame, because {@link FrameSplitter.next} did not answer true
   */
  frame(): Frame {
    if (this.error) throw this.error;
    if (this.length === 0) throw new TypeError('there is no current frame: next() has not answered true');
    try {
      return decodeFrame(this.bytes, this.offset);
    } catch (error) {
      if (ProtocolError.is(error)) this.error = error;
      throw error;
    }
  }
}
