import { describe, expect, it } from 'vitest';
import { FrameType } from '../../src/frames/frame.js';
import { assertMaxFrameBytes, minFrameBytes } from '../../src/frames/lengths.js';

describe('minFrameBytes', () => {
  it('knows the least length of each type, and of no other', () => {
    const lengths = Array.from({ length: 256 }, (_, type) => [type, minFrameBytes(type)] as const);
    expect(Object.fromEntries(lengths.filter(([, bytes]) => bytes > 0))).toEqual({
      [FrameType.Hello]: 10,
      [FrameType.Welcome]: 10,
      [FrameType.Close]: 16,
      [FrameType.GoAway]: 16,
      [FrameType.Ping]: 12,
      [FrameType.Pong]: 12,
      [FrameType.Publish]: 16,
      [FrameType.Message]: 36,
      [FrameType.Notice]: 36,
      [FrameType.Ack]: 24,
      [FrameType.Nack]: 14,
      [FrameType.Direct]: 12,
      [FrameType.Signal]: 16,
      [FrameType.Gap]: 24,
      [FrameType.Request]: 14,
      [FrameType.Response]: 13,
      [FrameType.Failed]: 14,
      [FrameType.History]: 12,
    });
  });
});

describe('assertMaxFrameBytes', () => {
  it('accepts both bounds and nothing beyond', () => {
    for (const value of [4096, 65_536, 268_435_456]) expect(() => assertMaxFrameBytes(value)).not.toThrow();
    for (const value of [4095, 268_435_457, 5000.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => assertMaxFrameBytes(value)).toThrow(RangeError);
    }
  });
});
