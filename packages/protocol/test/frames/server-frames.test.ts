import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeFrame } from '../../src/frames/any-frame.js';
import { FrameType } from '../../src/frames/frame.js';
import { ACK_BYTES } from '../../src/frames/layout.js';
import { readServerFrame, writeAck } from '../../src/frames/server-frames.js';
import { arbitraryFrame } from '../support/arbitrary-frame.js';
import { holds } from '../support/holds.js';

const NOT_FOR_A_CLIENT: ReadonlySet<number> = new Set([
  FrameType.Hello,
  FrameType.Publish,
  FrameType.Direct,
  FrameType.Request,
  FrameType.Message,
  FrameType.Notice,
]);

describe('readServerFrame', () => {
  it('reads what a server sends wherever it lies, and refuses everything else', () => {
    holds(
      fc.property(arbitraryFrame, fc.nat(9), (frame, offset) => {
        const encoded = encodeFrame(frame);
        const bytes = new Uint8Array(offset + encoded.length + 3).fill(0xff);
        bytes.set(encoded, offset);
        const read = () => readServerFrame(frame.type, bytes, offset, offset + encoded.length);
        if (NOT_FOR_A_CLIENT.has(frame.type)) expect(read).toThrow(/^frame type 0x\w+ is not known here$/);
        else expect(read()).toEqual(frame);
      }),
    );
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
    writeAck(target, 1, 3, 12, 1_700_000_000_000, true);
    expect(target.subarray(1, 25)).toEqual(
      encodeFrame({ type: FrameType.Ack, publishId: 3, seq: 12, at: 1_700_000_000_000, waiting: true }),
    );
  });
});
