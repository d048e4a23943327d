import { decodeFrame, encodeFrame, FrameDecoder, FrameType } from '@chat/protocol/frames';
import { describe, expect, it } from 'vitest';
import { AnswerBuffer } from '../../src/connection/answer-buffer.js';

describe('AnswerBuffer', () => {
  it('hands over everything in order, once', () => {
    const answers = new AnswerBuffer();
    for (let i = 1; i <= 200; i++) {
      answers.addAck(i, i * 2, 5);
      answers.add(encodeFrame({ type: FrameType.Pong, nonce: i }));
    }
    expect(answers.length).toBe(200 * 36);
    const decoder = new FrameDecoder();
    decoder.push(Buffer.concat(answers.takeParts().flat()));
    for (let i = 1; i <= 200; i++) {
      decoder.next();
      expect(decoder.frame()).toEqual({ type: FrameType.Ack, publishId: i, seq: i * 2, at: 5 });
      decoder.next();
      expect(decoder.frame()).toEqual({ type: FrameType.Pong, nonce: i });
    }
    expect(decoder.next()).toBe(false);
    expect(answers.length).toBe(0);
  });

  it('keeps large frames as they are, between what was there before and what comes behind', () => {
    const answers = new AnswerBuffer();
    const large = encodeFrame({
      type: FrameType.History,
      id: 1,
      last: true,
      end: true,
      entries: new Uint8Array(60_000),
    });
    answers.addAck(1, 1, 1);
    answers.add(large);
    answers.addAck(2, 2, 2);
    expect(answers.length).toBe(24 + large.length + 24);
    const parts = answers.takeParts();
    expect(parts.map(({ length }) => length)).toEqual([24, large.length, 24]);
    expect((parts[1] as Buffer).buffer).toBe(large.buffer);
    expect(answers.length).toBe(0);
  });

  it('does not write again into what it has handed over', () => {
    const answers = new AnswerBuffer();
    answers.addAck(1, 1, 1);
    const taken = Buffer.concat(answers.takeParts().flat());
    answers.addAck(2, 2, 2);
    expect(decodeFrame(taken)).toMatchObject({ publishId: 1 });
  });
});
