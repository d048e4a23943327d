import { encodePing, encodePreface } from '@chat/protocol/frames';
import { describe, expect, it } from 'vitest';
import { cutter } from '../../src/connection/cutter.js';

const FRAMES = Uint8Array.from([1, 2, 3].flatMap((nonce) => [...encodePing(nonce)]));
const FRAME_BYTES = 12;

/** What comes out for each of the chunks. */
function cut(chunks: readonly Uint8Array[], maxFrameBytes = 4096): number[][] {
  const stream = cutter(maxFrameBytes);
  return chunks.map((chunk) => [...stream.cut(chunk)]);
}

describe('cutter', () => {
  it('begins a stream as the protocol does', () => {
    expect(cutter(4096).preface).toEqual(encodePreface());
  });

  it('gives whole frames through any two cuts, and none that is not whole', () => {
    const wrong: number[][] = [];
    for (let a = 0; a <= FRAMES.length; a++) {
      for (let b = a; b <= FRAMES.length; b++) {
        const given = cut([FRAMES.subarray(0, a), FRAMES.subarray(a, b), FRAMES.subarray(b)]);
        const isWhole = given.every(({ length }) => length % FRAME_BYTES === 0);
        if (!isWhole || given.flat().join() !== FRAMES.join()) wrong.push([a, b]);
      }
    }
    expect(wrong).toEqual([]);
  });

  it('gives frames that come byte by byte', () => {
    const given = cut([...FRAMES].map((byte) => Uint8Array.of(byte)));
    expect(given.filter(({ length }) => length > 0)).toHaveLength(3);
    expect(given.flat()).toEqual([...FRAMES]);
  });

  it('copies nothing that is whole', () => {
    const given = cutter(4096).cut(FRAMES);
    expect(given.buffer).toBe(FRAMES.buffer);
  });

  it('leaves alone what it gave', () => {
    const stream = cutter(4096);
    stream.cut(FRAMES.subarray(0, 7));
    const first = stream.cut(FRAMES.subarray(7, 20));
    stream.cut(FRAMES.subarray(20));
    expect([...first]).toEqual([...FRAMES.subarray(0, FRAME_BYTES)]);
  });

  it.each([
    ['too long', [0, 0x20, 0, 0, 8]],
    ['too short', [4, 0, 0, 0, 8]],
    ['nothing', [0, 0, 0, 0, 8]],
  ])('gives a length that is %s at once, for the reader of frames to refuse', (_, header) => {
    expect(cut(header.map((byte) => Uint8Array.of(byte))).at(-1)).toEqual(header);
  });
});
