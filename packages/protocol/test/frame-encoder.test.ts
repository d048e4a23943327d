import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Frame, FrameType, NoticeKind } from '../src/frame.js';
import { decodeFrame } from '../src/frame-decoder.js';
import { encodeFrame, entryBytes, writeAck, writeEntry } from '../src/frame-encoder.js';
import { ACK_BYTES } from '../src/layout.js';
import { encodeUtf8 } from '../src/utf8.js';
import { arbitraryFrame } from './support/arbitrary-frame.js';
import { holds } from './support/holds.js';

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

describe('writeEntry', () => {
  it('writes at an offset the bytes of encodeFrame, and none beside them', () => {
    const name = encodeUtf8('مريم');
    const bytes = entryBytes(name.length, body.length);
    const target = new Uint8Array(bytes + 10).fill(0xee);
    writeEntry(target, 5, FrameType.Notice, 0, NoticeKind.Renamed, 1, 2, 30, 20, 4, name, body);
    const frame = {
      ...message,
      type: FrameType.Notice,
      kind: NoticeKind.Renamed,
      name: 'مريم',
      seq: 30,
      prev: 20,
    };
    expect(target.subarray(5, 5 + bytes)).toEqual(encodeFrame(frame));
    expect([...target.subarray(0, 5), ...target.subarray(5 + bytes)]).toEqual(new Array(10).fill(0xee));
  });

  it('refuses a name of 256 bytes', () => {
    const name = new Uint8Array(256);
    expect(() =>
      writeEntry(new Uint8Array(400), 0, FrameType.Message, 0, 0, 1, 2, 3, 2, 4, name, body),
    ).toThrow(RangeError);
  });
});

describe('writeAck', () => {
  it('writes at an offset the bytes of encodeFrame, and none beside them', () => {
    const target = new Uint8Array(ACK_BYTES + 2).fill(0xee);
    writeAck(target, 1, 0xffffffff, 2 ** 48 - 1, 1_700_000_000_000);
    expect(target.subarray(1, 25)).toEqual(
      encodeFrame({ type: FrameType.Ack, publishId: 0xffffffff, seq: 2 ** 48 - 1, at: 1_700_000_000_000 }),
    );
    expect([target[0], target[25]]).toEqual([0xee, 0xee]);
  });
});
