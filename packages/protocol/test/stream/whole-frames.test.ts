import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeFrame, encodeFrame } from '../../src/frames/any-frame.js';
import { type Frame, FrameType } from '../../src/frames/frame.js';
import { readFrames } from '../../src/stream/whole-frames.js';
import { arbitraryFrame } from '../support/arbitrary-frame.js';
import { concat } from '../support/cuts.js';
import { holds } from '../support/holds.js';

const PING = encodeFrame({ type: FrameType.Ping, nonce: 7 });
/** A frame of an extension, of the least length. */
const EXTENSION = Uint8Array.of(8, 0, 0, 0, 0x80, 0, 0, 0);

function readAll(bytes: Uint8Array, maxFrameBytes = 65_536): Frame[] {
  const frames: Frame[] = [];
  readFrames(bytes, maxFrameBytes, (type, offset, length) => {
    const frame = decodeFrame(bytes, offset);
    expect([type, length]).toEqual([frame.type, encodeFrame(frame).length]);
    frames.push(frame);
  });
  return frames;
}

describe('readFrames', () => {
  it('gives back any frames', () => {
    holds(
      fc.property(fc.array(arbitraryFrame, { maxLength: 6 }), (frames) => {
        expect(readAll(concat(frames.map(encodeFrame)))).toEqual(frames);
      }),
      { numRuns: 50 },
    );
  });

  it('passes over frames of extensions', () => {
    expect(readAll(concat([EXTENSION, PING, EXTENSION]))).toHaveLength(1);
  });

  it('takes what is whole, and refuses bytes that end inside a frame', () => {
    for (let end = 1; end < PING.length; end++) {
      let taken = 0;
      const read = () => readFrames(concat([PING, PING.subarray(0, end)]), 65_536, () => taken++);
      expect(read).toThrow(expect.objectContaining({ code: 'ERR_PROTOCOL_FRAME_MALFORMED' }));
      expect(taken).toBe(1);
    }
  });

  it.each([
    ['ERR_PROTOCOL_FRAME_TOO_LARGE', [0, 0x20, 0, 0, 8]],
    ['ERR_PROTOCOL_FRAME_TOO_SHORT', [4, 0, 0, 0, 8]],
    ['ERR_PROTOCOL_FRAME_UNKNOWN', [12, 0, 0, 0, 7]],
  ])('refuses with %s as soon as the length and the type are there', (code, bytes) => {
    expect(() => readAll(Uint8Array.from(bytes), 4096)).toThrow(expect.objectContaining({ code }));
  });
});
