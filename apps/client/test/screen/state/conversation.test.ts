import { describe, expect, it } from 'vitest';
import { emptyConversation, follow } from '../../../src/screen/state/conversation.js';
import { conversationOf, followed, numbered, said, sending, snapshotOf } from '../support/states.js';

describe('follow', () => {
  it('tells when something unread speaks of this user, until all is read', () => {
    const items = [said('bob', 'hello')];
    const spoken = [...items, said('bob', 'ada?')];
    const later = [...spoken, said('bob', 'x')];
    const heard = conversationOf(items, { unread: 1 });
    expect(heard.mentioned).toBe(false);
    const mentioned = followed(heard, spoken, { unread: 2 });
    expect(mentioned.mentioned).toBe(true);
    expect(followed(mentioned, later, { unread: 3 }).mentioned).toBe(true);
    expect(followed(mentioned, later, { unread: 0 }).mentioned).toBe(false);
    expect(conversationOf(spoken, { unread: 0 }).mentioned).toBe(false);
  });

  it('takes what was said before the user came, and what the user says, for no mention', () => {
    const items = [
      said('bob', 'ada?', { history: true }),
      said('ada', 'ada', { own: true }),
      said('bob', 'x'),
    ];
    expect(conversationOf(items, { unread: 1 }).mentioned).toBe(false);
  });

  it('knows what is new also while the oldest items go and older ones come', () => {
    const old = said('bob', 'ada, this is old');
    const before = conversationOf([old, ...numbered(9)], { unread: 0 });
    const shifted = [...before.snapshot.items.slice(5), said('bob', 'new')];
    expect(followed(before, shifted, { firstIndex: 5, unread: 1 }).mentioned).toBe(false);
    const older = [...numbered(3), ...before.snapshot.items, said('bob', 'new')];
    expect(followed(before, older, { firstIndex: -3, unread: 1 }).mentioned).toBe(false);
    const spoken = [...before.snapshot.items.slice(5), said('bob', 'ada!')];
    expect(followed(before, spoken, { firstIndex: 5, unread: 1 }).mentioned).toBe(true);
  });

  it('counts everything that is said to this user alone as a mention', () => {
    expect(conversationOf([said('bob', 'psst')], { unread: 1 }, '@bob').mentioned).toBe(true);
  });

  it('counts own messages that wait, and calms the names of those who write', () => {
    const outgoing = [sending('a'), sending('b', 'sent'), sending('c', 'failed'), sending('d')];
    const typists = [{ id: 2, name: 'b\u001B[2Job' }];
    const conversation = follow(emptyConversation('lobby', 'ada'), snapshotOf([], { outgoing, typists }));
    expect(conversation.waiting).toBe(2);
    expect(conversation.typists[0]).not.toContain('\u001B');
  });
});
