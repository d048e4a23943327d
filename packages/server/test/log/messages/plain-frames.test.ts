import { jsonCodec, textCodec } from '@chat/protocol';
import { decodeFrame, type Entry, encodeFrame, FrameType } from '@chat/protocol/frames';
import { describe, expect, it } from 'vitest';
import { plainFrames, plainSlice } from '../../../src/log/messages/plain-frames.js';

const message = (seq: number, codec: number, body: Uint8Array): Buffer =>
  Buffer.from(
    encodeFrame({
      type: FrameType.Message,
      room: 1,
      sender: 2,
      name: 'مريم',
      seq,
      prev: seq - 1,
      at: 9,
      codec,
      body,
    }),
  );
const text = message(1, 1, textCodec.encode('hi'));
const answer = message(2, 5, jsonCodec.encode({ text: 'ho', reply: 1, later: [] }));

describe('plainFrames', () => {
  it('are the same bytes where no message is of codec 5', () => {
    const frames = Buffer.concat([text, text]);
    expect(plainFrames(frames)).toBe(frames);
  });

  it('have the text, and all else as it was', () => {
    const frames = plainFrames(Buffer.concat([text, answer, text, answer]));
    const plain = message(2, 1, textCodec.encode('ho'));
    expect(frames).toEqual(Buffer.concat([text, plain, text, plain]));
    expect(decodeFrame(plain) as Entry).toMatchObject({ name: 'مريم', seq: 2, prev: 1, at: 9 });
  });

  it('are made once for all readers of a slice', () => {
    const slice = { bytes: answer, entries: 1 };
    expect(plainSlice(slice)).toBe(plainSlice(slice));
    expect(plainSlice(slice)).not.toBe(slice);
    const without = { bytes: text, entries: 1 };
    expect(plainSlice(without)).toBe(without);
  });
});
