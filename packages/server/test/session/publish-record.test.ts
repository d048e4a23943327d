import { FailureCode } from '@chat/protocol';
import { describe, expect, it } from 'vitest';
import { PublishRecord } from '../../src/session/publish-record.js';

describe('PublishRecord', () => {
  it('takes numbers in order, each once', () => {
    const record = new PublishRecord(4);
    expect(record.tryTake(2)).toBe(false);
    expect(record.tryTake(0)).toBe(false);
    expect(record.tryTake(1)).toBe(true);
    expect(record.tryTake(1)).toBe(false);
    expect(record.tryTake(2)).toBe(true);
    expect(record.last).toBe(2);
  });

  it('knows what became of the latest, and says so when it is too long ago', () => {
    const record = new PublishRecord(4);
    const failure = { code: FailureCode.NotMember, message: 'no' };
    for (let id = 1; id <= 6; id++) {
      record.tryTake(id);
      if (id === 5) record.refused(id, failure);
      else if (id !== 6) record.accepted(id, id * 10, id * 100);
    }
    expect([1, 2, 3, 4, 5, 6].map((id) => record.outcome(id))).toEqual([
      'forgotten',
      'forgotten',
      { seq: 30, at: 300, isWaiting: false },
      { seq: 40, at: 400, isWaiting: false },
      failure,
      undefined,
    ]);
  });

  it('knows which direct messages were to wait', () => {
    const record = new PublishRecord(2);
    for (let id = 1; id <= 3; id++) {
      record.tryTake(id);
      record.accepted(id, id, id, id === 1);
    }
    // The third has the slot of the first.
    expect(record.outcome(3)).toEqual({ seq: 3, at: 3, isWaiting: false });
    record.tryTake(4);
    record.accepted(4, 4, 4, true);
    expect(record.outcome(4)).toMatchObject({ isWaiting: true });
  });

  it('does not let anybody wait for the answer to a publish of before a restart', () => {
    const record = new PublishRecord(8, 5);
    record.accepted(4, 40, 400);
    expect(record.outcome(4)).toMatchObject({ seq: 40 });
    expect(record.outcome(3)).toBe('forgotten');
    expect(record.tryTake(7)).toBe(true);
    expect(record.tryTake(9)).toBe(false);
    expect([record.outcome(7), record.outcome(6)]).toEqual([undefined, undefined]);
  });
});
