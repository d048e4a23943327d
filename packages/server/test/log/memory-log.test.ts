import { describe, expect, it } from 'vitest';
import { inboxKey, inboxMember } from '../../src/log/entry.js';
import { createMemoryLog } from '../../src/log/memory-log.js';
import { describeEventLog, draft } from '../support/event-log-contract.js';

describeEventLog('createMemoryLog()', createMemoryLog);

describe('createMemoryLog()', () => {
  it('begins at 1, leaves no number out, and lives in an epoch that no other has', () => {
    const log = createMemoryLog();
    const positions: number[] = [];
    void log.open((entries) => positions.push(...entries.map(({ seq }) => seq)));
    for (let i = 0; i < 3; i++) log.append(draft('lobby', 'text'));
    expect(positions).toEqual([1, 2, 3]);
    expect(createMemoryLog().epoch).not.toBe(log.epoch);
  });
});

describe('inboxKey', () => {
  it('names an inbox that no room can be taken for', () => {
    expect(inboxMember(inboxKey(7))).toBe(7);
    expect(inboxMember('7')).toBeUndefined();
    expect(inboxMember('lobby')).toBeUndefined();
  });
});
