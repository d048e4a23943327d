import type { FeedEntry } from '@chat/server';
import { describe, expect, it } from 'vitest';
import { EventFilter } from '../../src/webhooks/events.js';

const info = { id: 'e-7', room: 'lobby', seq: 7, at: 1000 };
const sender = { id: 2, name: 'ada' };
const filter = new EventFilter({ events: ['message', 'reacted'], rooms: undefined });
const eventOf = (entry: object): unknown => filter.eventOf({ ...info, ...entry } as FeedEntry);
const message = (codec: number, value: unknown): unknown =>
  eventOf({ type: 'message', sender, codec, body: new TextEncoder().encode(JSON.stringify(value)) });

describe('an event', () => {
  it('of a message has what it answers, who reacts to it, or who has taken it back', () => {
    const event = { type: 'message', ...info, member: 2, name: 'ada' };
    const rich = { text: 'tea?', reply: 3, reactions: [{ reaction: '👍', by: [sender] }] };
    expect(message(5, rich)).toEqual({ ...event, ...rich });
    expect(message(4, { by: 'bob' })).toEqual({ ...event, takenBackBy: 'bob' });
  });

  it('of a reaction has the message and the emoji', () => {
    const change = { seq: 3, of: sender, reaction: '👍', maxBytes: 9 };
    const notice = { type: 'notice', kind: 'reacted', member: sender, oldName: undefined, change };
    expect(eventOf(notice)).toEqual({ type: 'reacted', ...info, member: 2, name: 'ada', change });
  });
});
