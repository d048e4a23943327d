import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ProtocolError, ProtocolErrorCode } from '../../src/errors.js';
import { decodeFrame, encodeFrame } from '../../src/frames/any-frame.js';
import { type Frame, FrameType } from '../../src/frames/frame.js';
import { arbitraryFrame, arbitraryGarbage } from '../support/arbitrary-frame.js';
import { concat, hex } from '../support/cuts.js';
import { holds } from '../support/holds.js';

const ping = encodeFrame({ type: FrameType.Ping, nonce: 7 });
const body = new Uint8Array(2);
const message = {
  type: FrameType.Message,
  room: 1,
  sender: 2,
  name: 'ada',
  seq: 3,
  prev: 2,
  at: 4,
  codec: 1,
  body,
};

describe('encodeFrame', () => {
  it('gives an array that holds exactly the frame, which decodes to the same', () => {
    holds(
      fc.property(arbitraryFrame, (frame) => {
        const bytes = encodeFrame(frame);
        expect(new DataView(bytes.buffer).getUint32(0, true)).toBe(bytes.length);
        expect(decodeFrame(bytes)).toEqual(frame);
      }),
    );
  });

  it.each<[string, Frame]>([
    ['a negative room', { ...message, room: -1 }],
    ['a fractional seq', { ...message, seq: 1.5 }],
    ['a seq of 2^48', { ...message, seq: 2 ** 48 }],
    ['a prev that is no number', { ...message, prev: Number.NaN }],
    ['a codec of 256', { ...message, codec: 256 }],
    ['a sender of 2^32', { ...message, sender: 2 ** 32 }],
    ['a publishId of 2^32', { type: FrameType.Publish, room: 1, publishId: 2 ** 32, codec: 0, body }],
    ['a nonce of -1', { type: FrameType.Ping, nonce: -1 }],
    ['a request id of 2^32', { type: FrameType.Request, id: 2 ** 32, request: { op: 'leave', room: 'a' } }],
    ['a close code of 65536', { type: FrameType.Close, code: 65_536, retryAfterMs: 0, reason: '' }],
    ['an infinite delay', { type: FrameType.GoAway, code: 1001, retryAfterMs: Infinity, reason: '' }],
    ['a name of 256 bytes', { ...message, name: 'a'.repeat(256) }],
    ['a target of 256 bytes', { type: FrameType.Direct, publishId: 1, codec: 0, to: 'é'.repeat(128), body }],
  ])('refuses %s instead of cutting it to size', (_what, frame) => {
    expect(() => encodeFrame(frame)).toThrow(RangeError);
  });

  it('takes a name of 255 bytes', () => {
    expect(decodeFrame(encodeFrame({ ...message, name: 'a'.repeat(255) }))).toMatchObject({
      name: 'a'.repeat(255),
    });
  });

  it.each<[string, Frame]>([
    ['half a surrogate in a name', { ...message, name: 'a\ud800' }],
    [
      'half a surrogate in a reason',
      { type: FrameType.Close, code: 1000, retryAfterMs: 0, reason: '\udc00' },
    ],
    ['undefined as a response', { type: FrameType.Response, id: 1, response: undefined }],
    ['a function as a response', { type: FrameType.Response, id: 1, response: () => 1 }],
    ['a bigint in a response', { type: FrameType.Response, id: 1, response: { id: 1n } }],
  ])('refuses %s', (_what, frame) => {
    expect(() => encodeFrame(frame)).toThrow(TypeError);
  });
});

describe('decodeFrame', () => {
  it('reads a frame anywhere in an array', () => {
    expect(decodeFrame(concat([new Uint8Array(3), ping, new Uint8Array(9)]), 3)).toEqual({
      type: FrameType.Ping,
      nonce: 7,
    });
  });

  it('refuses a frame that is not there whole', () => {
    for (let bytes = 0; bytes < ping.length; bytes++) {
      expect(() => decodeFrame(ping.subarray(0, bytes))).toThrow(
        expect.objectContaining({ code: ProtocolErrorCode.FrameTooShort }),
      );
    }
    expect(() => decodeFrame(ping, 40)).toThrow(ProtocolError);
  });

  it('refuses an extension, which has no layout', () => {
    expect(() => decodeFrame(hex('08 00 00 00 80 00 00 00'))).toThrow(
      expect.objectContaining({ code: ProtocolErrorCode.FrameUnknown }),
    );
  });

  it('answers garbage with a frame or a coded error', () => {
    holds(
      fc.property(arbitraryGarbage(encodeFrame), fc.nat({ max: 20 }), (bytes, offset) => {
        try {
          decodeFrame(bytes, offset);
        } catch (error) {
          expect(ProtocolError.is(error)).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('survives JSON nested as deeply as a frame allows', () => {
    const depth = 30_000;
    const json = new TextEncoder().encode(`${'['.repeat(depth)}${']'.repeat(depth)}`);
    const bytes = Uint8Array.of(...hex('00 00 00 00 21 00 00 00 01 00 00 00'), ...json);
    new DataView(bytes.buffer).setUint32(0, bytes.length, true);
    expect(decodeFrame(bytes)).toMatchObject({ type: FrameType.Response, id: 1 });
  });

  it('does not let JSON reach a prototype', () => {
    const bytes = encodeFrame({
      type: FrameType.Response,
      id: 1,
      response: JSON.parse('{"__proto__":{"polluted":true}}') as unknown,
    });
    const { response } = decodeFrame(bytes) as { response: { polluted?: boolean } };
    expect(response.polluted).toBeUndefined();
    expect(Object.getPrototypeOf(response)).toBe(Object.prototype);
  });
});
