/**
 * Reads bytes that hold whole frames: a message of a WebSocket, the entries of a history. They need none of what
 * `FrameSplitter` keeps to put cut frames together.
 */
import { malformed } from '../errors.js';
import { FIRST_SKIPPABLE_TYPE } from '../frames/frame.js';
import { TYPE_OFFSET } from '../frames/layout.js';
import { readLength } from '../frames/lengths.js';

/**
 * Calls `take` for each frame of a known type in `bytes`, in order. The frame lies at `offset … offset + length`.
 *
 * @throws ProtocolError as {@link FrameSplitter.next}, and `ERR_PROTOCOL_FRAME_MALFORMED` when the bytes end inside a
 *   frame; what stands before it has been taken
 *
 * @example
 * ```ts
 * import assert from 'node:assert';
 * import { encodePing, readFrames } from '@chat/protocol/frames';
 *
 * const types: number[] = [];
 * readFrames(encodePing(7), 65_536, (type) => types.push(type));
 * assert.deepStrictEqual(types, [8]);
 * assert.throws(() => readFrames(encodePing(7).subarray(0, 9), 65_536, () => {}), {
 *   code: 'ERR_PROTOCOL_FRAME_MALFORMED',
 * });
 * ```
 */
export function readFrames(
  bytes: Uint8Array,
  maxFrameBytes: number,
  take: (type: number, offset: number, length: number) => void,
): void {
  for (let offset = 0; offset < bytes.length; ) {
    const left = bytes.length - offset;
    const length = left > TYPE_OFFSET ? readLength(bytes, offset, maxFrameBytes) : Infinity;
    if (length > left) throw malformed(`${bytes.length} bytes end inside a frame`);
    const type = bytes[offset + TYPE_OFFSET]!;
    if (type < FIRST_SKIPPABLE_TYPE) take(type, offset, length);
    offset += length;
  }
}
