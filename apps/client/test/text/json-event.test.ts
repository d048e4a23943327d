import { describe, expect, it } from 'vitest';
import type { SessionEvent } from '../../src/session/session.js';
import { jsonEvent } from '../../src/text/json-event.js';

describe('jsonEvent', () => {
  it('carries every character, and has none that a terminal obeys', () => {
    const all = Array.from({ length: 0x2100 }, (_, unit) => String.fromCharCode(unit)).join('');
    const event: SessionEvent = { type: 'members', room: all, names: [all], count: 1 };
    const line = jsonEvent(event)!;
    expect(line).not.toMatch(/[\u0000-\u001F\u007F-\u009F\u061C\u200E\u200F\u2028-\u202E\u2066-\u2069]/);
    expect(JSON.parse(line)).toEqual(event);
  });

  it('tells what was found', () => {
    const hit = { id: 'e-1', room: 'lobby', seq: 1, at: 2, snippet: 'the fox', marks: [[4, 7]] as const };
    const page = { hits: [{ ...hit, sender: { id: 3, name: 'bob' } }], cursor: 1 };
    expect(JSON.parse(jsonEvent({ type: 'found', query: 'fox', page })!)).toEqual({
      type: 'found',
      query: 'fox',
      hits: [{ ...hit, from: 'bob' }],
      cursor: 1,
    });
  });
});
