import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ProtocolError, ProtocolErrorCode } from '../../src/errors.js';
import { encodeFrame } from '../../src/frames/any-frame.js';
import { type Frame, FrameType } from '../../src/frames/frame.js';
import { FrameDecoder } from '../../src/stream/decoder.js';
import { arbitraryFrame, arbitraryGarbage } from '../support/arbitrary-frame.js';
import { concat, cutAt, cutEvery, cutPoints, hex } from '../support/cuts.js';
import { holds } from '../support/holds.js';

const ping = encodeFrame({ type: FrameType.Ping, nonce: 7 });

function decodeAll(chunks: readonly Uint8Array[], decoder = new FrameDecoder()): Frame[] {
  const frames: Frame[] = [];
  for (const chunk of chunks) {
    decoder.push(chunk);
    while (decoder.next()) frames.push(decoder.frame());
  }
  return frames;
}

describe('FrameDecoder', () => {
  it('yields nothing until the frame is complete', () => {
    const decoder = new FrameDecoder();
    for (const chunk of cutEvery(ping.subarray(0, 11), 1)) {
      decoder.push(chunk);
      expect(decoder.next()).toBe(false);
    }
    expect(decoder.pendingBytes).toBe(11);
    decoder.push(ping.subarray(11));
    expect(decoder.next()).toBe(true);
    expect(decoder).toMatchObject({ length: 12, type: FrameType.Ping, pendingBytes: 0 });
  });

  it('gives back any frames through any cut', () => {
    holds(
      fc.property(fc.array(arbitraryFrame, { maxLength: 6 }), cutPoints, (frames, points) => {
        const bytes = concat(frames.map(encodeFrame));
        expect(decodeAll(cutAt(bytes, points))).toEqual(frames);
      }),
    );
  });

  it('gives back any frames whole and byte by byte', () => {
    holds(
      fc.property(fc.array(arbitraryFrame, { maxLength: 3 }), (frames) => {
        const bytes = concat(frames.map(encodeFrame));
        expect(decodeAll([bytes])).toEqual(frames);
        expect(decodeAll(cutEvery(bytes, 1))).toEqual(frames);
      }),
      { numRuns: 50 },
    );
  });

  it('gives back frames that are read only after several chunks', () => {
    holds(
      fc.property(fc.array(arbitraryFrame, { maxLength: 4 }), cutPoints, (frames, points) => {
        const decoder = new FrameDecoder();
        for (const chunk of cutAt(concat(frames.map(encodeFrame)), points)) decoder.push(chunk);
        const read: Frame[] = [];
        while (decoder.next()) read.push(decoder.frame());
        expect(read).toEqual(frames);
      }),
    );
  });

  it('keeps bodies intact while later chunks arrive', () => {
    holds(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 100 }), { maxLength: 8 }),
        cutPoints,
        (bodies, points) => {
          const frames = bodies.map((body, room) =>
            encodeFrame({ type: FrameType.Publish, room, publishId: 1, codec: 0, body }),
          );
          const read = decodeAll(cutAt(concat(frames), points));
          expect(read.map((frame) => (frame as { body: Uint8Array }).body)).toEqual(bodies);
        },
      ),
    );
  });

  it('answers garbage with frames, "need more" or a coded error, in any cut, and holds no more than its limit', () => {
    const maxFrameBytes = 4096;
    holds(
      fc.property(fc.array(arbitraryGarbage(encodeFrame), { maxLength: 5 }), cutPoints, (parts, points) => {
        const decoder = new FrameDecoder({ maxFrameBytes });
        try {
          for (const chunk of cutAt(concat(parts), points)) {
            decoder.push(chunk);
            while (decoder.next()) {
              expect(decoder.length).toBeLessThanOrEqual(maxFrameBytes);
              decoder.frame();
            }
            expect(decoder.pendingBytes).toBeLessThanOrEqual(maxFrameBytes);
          }
        } catch (error) {
          expect(ProtocolError.is(error)).toBe(true);
          expect(() => decoder.next()).toThrow(error as Error);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('gives garbage the same outcome in every cut', () => {
    const outcome = (chunks: readonly Uint8Array[]): unknown[] => {
      const decoder = new FrameDecoder({ maxFrameBytes: 4096 });
      const seen: unknown[] = [];
      try {
        for (const chunk of chunks) {
          decoder.push(chunk);
          while (decoder.next()) seen.push(decoder.frame());
        }
        return [...seen, decoder.pendingBytes];
      } catch (error) {
        return [...seen, (error as ProtocolError).code];
      }
    };
    holds(
      fc.property(arbitraryGarbage(encodeFrame), cutPoints, (bytes, points) => {
        expect(outcome(cutAt(bytes, points))).toEqual(outcome([bytes]));
        expect(outcome(cutEvery(bytes, 1))).toEqual(outcome([bytes]));
      }),
    );
  });

  it('accepts a frame of exactly maxFrameBytes and refuses one byte more', () => {
    const publish = (bodyBytes: number): Uint8Array =>
      encodeFrame({
        type: FrameType.Publish,
        room: 1,
        publishId: 1,
        codec: 0,
        body: new Uint8Array(bodyBytes),
      });
    expect(decodeAll([publish(4096 - 16)], new FrameDecoder({ maxFrameBytes: 4096 }))).toHaveLength(1);
    expect(() => decodeAll([publish(4097 - 16)], new FrameDecoder({ maxFrameBytes: 4096 }))).toThrow(
      'frame of 4097 bytes exceeds maxFrameBytes 4096',
    );
  });

  it.each<[keyof typeof FrameType, number]>([
    ['Hello', 10],
    ['Welcome', 10],
    ['Close', 16],
    ['GoAway', 16],
    ['Ping', 12],
    ['Pong', 12],
    ['Publish', 16],
    ['Message', 36],
    ['Notice', 36],
    ['Ack', 24],
    ['Nack', 14],
    ['Direct', 12],
    ['Signal', 16],
    ['Gap', 24],
    ['Request', 14],
    ['Response', 13],
    ['Failed', 14],
    ['History', 12],
  ])('refuses a %s of less than %d bytes as soon as its type is there', (name, leastBytes) => {
    const header = (length: number): Uint8Array => Uint8Array.of(length, 0, 0, 0, FrameType[name]);
    const tooShort = expect.objectContaining({ code: ProtocolErrorCode.FrameTooShort });
    expect(() => decodeAll([header(leastBytes - 1)])).toThrow(tooShort);
    expect(decodeAll([header(leastBytes)])).toEqual([]);
  });

  it('refuses a length over the limit before the rest has arrived', () => {
    expect(() => decodeAll([hex('ff ff ff ff 10')])).toThrow(
      expect.objectContaining({ code: ProtocolErrorCode.FrameTooLarge }),
    );
  });

  it('is poisoned by an error: every later call throws the same one', () => {
    const decoder = new FrameDecoder();
    decoder.push(hex('08 00 00 00 7f'));
    let first: unknown;
    try {
      decoder.next();
    } catch (error) {
      first = error;
    }
    expect(first).toMatchObject({ code: ProtocolErrorCode.FrameUnknown });
    for (const call of [() => decoder.next(), () => decoder.push(ping), () => decoder.frame()]) {
      expect(call).toThrow(first as Error);
    }
  });

  it('is poisoned by a frame that does not decode', () => {
    const decoder = new FrameDecoder();
    decoder.push(Uint8Array.of(...hex('0a 00 00 00 01 00 00 00 5b 5d'), ...ping));
    expect(decoder.next()).toBe(true);
    expect(() => decoder.frame()).toThrow('JSON must be of type object, got array');
    expect(() => decoder.next()).toThrow('JSON must be of type object, got array');
  });

  it('skips extensions of any length, in any cut', () => {
    holds(
      fc.property(
        fc.integer({ min: 0x80, max: 0xff }),
        fc.uint8Array({ maxLength: 300 }),
        cutPoints,
        (type, rest, points) => {
          const extension = Uint8Array.of(
            8 + rest.length,
            (8 + rest.length) >> 8,
            0,
            0,
            type,
            0,
            0,
            0,
            ...rest,
          );
          const bytes = concat([ping, extension, ping]);
          expect(decodeAll(cutAt(bytes, points))).toHaveLength(2);
        },
      ),
    );
  });

  it('counts an extension against the limit', () => {
    expect(() => decodeAll([hex('01 00 01 00 80')])).toThrow(
      expect.objectContaining({ code: ProtocolErrorCode.FrameTooLarge }),
    );
  });

  it('has no current frame before the first and after the last', () => {
    const decoder = new FrameDecoder();
    expect(() => decoder.frame()).toThrow(TypeError);
    decodeAll([ping], decoder);
    expect(() => decoder.frame()).toThrow(TypeError);
    expect(decoder.bytes.length).toBe(0);
    decoder.push(ping);
    expect(decoder.next()).toBe(true);
  });

  it.each([0, 4095, 268_435_457, 4096.5, Number.NaN, -1])('refuses maxFrameBytes %d', (maxFrameBytes) => {
    expect(() => new FrameDecoder({ maxFrameBytes })).toThrow(RangeError);
  });
});
