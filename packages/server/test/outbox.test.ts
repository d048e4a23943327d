import { decodeFrame, encodeFrame, FrameDecoder, FrameType } from '@chat/protocol';
import { describe, expect, it } from 'vitest';
import { Outbox } from '../src/outbox.js';

describe('Outbox', () => {
  it('hands over everything in order, once', () => {
    const outbox = new Outbox();
    for (let i = 1; i <= 200; i++) {
      outbox.addAck(i, i * 2, 5);
      outbox.add(encodeFrame({ type: FrameType.Pong, nonce: i }));
    }
    expect(outbox.length).toBe(200 * 36);
    const decoder = new FrameDecoder();
    decoder.push(outbox.take());
    for (let i = 1; i <= 200; i++) {
      decoder.next();
      expect(decoder.frame()).toEqual({ type: FrameType.Ack, publishId: i, seq: i * 2, at: 5 });
      decoder.next();
      expect(decoder.frame()).toEqual({ type: FrameType.Pong, nonce: i });
    }
    expect(decoder.next()).toBe(false);
    expect(outbox.length).toBe(0);
  });

  it('keeps large frames as they are, between what was there before and what comes behind', () => {
    const outbox = new Outbox();
    const large = encodeFrame({
      type: FrameType.History,
      id: 1,
      last: true,
      end: true,
      entries: new Uint8Array(60_000),
    });
    outbox.addAck(1, 1, 1);
    outbox.add(large);
    outbox.addAck(2, 2, 2);
    expect(outbox.length).toBe(24 + large.length + 24);
    const parts = outbox.takeParts();
    expect(parts.map(({ length }) => length)).toEqual([24, large.length, 24]);
    expect(parts[1]!.buffer).toBe(large.buffer);
    expect(outbox.length).toBe(0);
  });

  it('does not write again into what it has handed over', () => {
    const outbox = new Outbox();
    outbox.addAck(1, 1, 1);
    const taken = outbox.take();
    outbox.addAck(2, 2, 2);
    expect(decodeFrame(taken)).toMatchObject({ publishId: 1 });
  });
});
