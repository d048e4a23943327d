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

  describe('of a session that was there before the server was started again', () => {
    const refused = { code: FailureCode.Unavailable };

    it('takes what was under way although some before it, and among it, were refused', () => {
      for (const last of [0, 7]) {
        const record = new PublishRecord(4).recover(last);
        expect([record.tryTake(last), record.tryTake(59), record.tryTake(61)]).toEqual([false, true, true]);
        expect(record.outcome(60)).toMatchObject(refused);
        // Only what may have been under way then.
        expect([record.tryTake(64), record.tryTake(70), record.tryTake(65)]).toEqual([false, false, false]);
      }
    });

    it('knows what the log has, and what it would have if it had not been refused', () => {
      const record = new PublishRecord(4).recover(9);
      for (const id of [3, 5, 6, 9]) record.remember(id, id * 10, id * 100);
      expect(record.outcome(9)).toMatchObject({ seq: 90, at: 900 });
      expect(record.outcome(6)).toMatchObject({ seq: 60, at: 600 });
      // In the place of the third and the fourth.
      expect([record.outcome(7), record.outcome(8)]).toMatchObject([refused, refused]);
    });

    it('says that it does not know where the log was not read so far back', () => {
      const record = new PublishRecord(4).recover(9);
      record.remember(9, 90, 900);
      expect([7, 8, 9].map((id) => record.outcome(id))).toMatchObject([
        'forgotten',
        'forgotten',
        { seq: 90, at: 900 },
      ]);
    });
  });

  it('goes on with a session that was elsewhere: what had been taken here and did not get into the log is new', () => {
    const record = new PublishRecord(4);
    for (const id of [1, 2, 3]) record.tryTake(id);
    record.accepted(1, 10, 100);
    record.refused(3, { code: FailureCode.NotMember, message: 'no' });
    // The other process has 2 only.
    record.remember(2, 20, 200);
    record.recover(2);
    expect([record.last, record.outcome(1), record.outcome(2)]).toMatchObject([2, { seq: 10 }, { seq: 20 }]);
    expect([record.tryTake(2), record.tryTake(3)]).toEqual([false, true]);
    expect(record.outcome(3)).toBeUndefined();
    expect([...record.known()]).toEqual([
      [10, 1],
      [20, 2],
    ]);
  });

  it('knows what it took itself between two times elsewhere', () => {
    const record = new PublishRecord(8);
    record.remember(5, 50, 500);
    record.recover(5);
    for (const id of [6, 7, 8]) expect(record.tryTake(id)).toBe(true);
    record.accepted(6, 60, 600);
    record.refused(7, { code: FailureCode.TooLarge, message: 'too large' });
    record.accepted(8, 80, 800);
    record.remember(10, 100, 1000);
    record.recover(10);
    expect([6, 7, 8, 9, 10].map((id) => record.outcome(id))).toMatchObject([
      { seq: 60 },
      { code: FailureCode.TooLarge },
      { seq: 80 },
      { code: FailureCode.Unavailable },
      { seq: 100 },
    ]);
  });
});
