import type { MessageItem } from '@chat/client/timeline';
import { describe, expect, it } from 'vitest';
import { memberActions, messageActions } from '../../../src/model/acting/actions.js';

const message = (own: boolean, id = 'e1-7'): MessageItem => ({
  ...{ kind: 'message', key: 'm', id, seq: 7, at: 0, value: 'hi', own, history: false },
  sender: { id: 1, name: 'Ada' },
});

describe('messageActions', () => {
  it.each([
    [true, 'guest', ['copy', 'edit', 'take-back']],
    [false, 'member', ['copy']],
    [false, 'moderator', ['copy', 'take-back']],
    [true, 'owner', ['copy', 'edit', 'take-back']],
  ] as const)('own: %s, by a %s', (own, role, actions) => {
    expect(messageActions(message(own), { epoch: 'e1', role })).toEqual(actions);
  });

  it('offers to answer where the server knows answers', () => {
    const about = { epoch: 'e1', role: 'guest', features: ['rich'] } as const;
    expect(messageActions(message(false), about)).toEqual(['answer', 'copy']);
    const reacts = { ...about, features: ['reactions'] };
    expect(messageActions(message(false), reacts)).toEqual(['react', 'copy']);
  });

  it('leaves alone what is of a log that is no more: its position means another message', () => {
    expect(messageActions(message(true, 'e0-7'), { epoch: 'e1', role: 'owner' })).toEqual(['copy']);
  });
});

it('lets everybody write to a member, a moderator show it out, and an owner give it a role', () => {
  expect(memberActions(undefined)).toEqual(['write']);
  expect(memberActions('member')).toEqual(['write']);
  expect(memberActions('moderator')).toEqual(['write', 'mute', 'unmute', 'kick', 'ban']);
  expect(memberActions('owner')).toEqual(['write', 'mute', 'unmute', 'kick', 'ban', 'role']);
});
