import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readServerFrame } from '../src/decode-server-frames.js';
import { FrameType } from '../src/frame.js';
import { encodeFrame } from '../src/frame-encoder.js';
import { arbitraryFrame } from './support/arbitrary-frame.js';
import { holds } from './support/holds.js';

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
        if (NOT_FOR_A_CLIENT.has(frame.type)) expect(read).toThrow(/0x.. is not for a client|0x. is not/);
        else expect(read()).toEqual(frame);
      }),
    );
  });
});
