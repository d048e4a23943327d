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
      { seq: 30, at: 300 },
      { seq: 40, at: 400 },
      failure,
      undefined,
    ]);
  });
});
