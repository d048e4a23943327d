import { beforeEach, describe, expect, it } from 'vitest';
import type { ChatClient, Room } from '../../../src/index.js';
import { carryOutModeration, parseCommand, RecentMessages } from '../../../src/timeline/index.js';
import { message, notice, own } from '../../support/fake-room.js';

let recent: RecentMessages;
let asked: unknown[];
beforeEach(() => {
  recent = new RecentMessages();
  asked = [];
});

const lobby = { name: 'lobby', about: { settings: { topic: 'tea' } } } as Room;
const client = {
  moderate: (request: { readonly op: string }) => {
    asked.push(request);
    if (request.op === 'blocks') return Promise.resolve({ blocks: [{ user: 'bob' }, { user: 'Eve L' }] });
    return Promise.resolve(request.op === 'role' ? { role: 'member' } : {});
  },
} as unknown as ChatClient;
const type = (line: string, room: Room | undefined = lobby) =>
  carryOutModeration(client, room, parseCommand(line, ['Eve L']) as never, recent);

describe('carryOutModeration', () => {
  it.each([
    ['/topic coffee', { op: 'topic', room: 'lobby', topic: 'coffee' }, 'topic: coffee'],
    ['/invite bob', { op: 'invite', room: 'lobby', user: 'bob' }, 'bob is invited'],
    [
      '/mute Eve L 10m spam',
      { op: 'mute', user: 'Eve L', durationMs: 600_000, reason: 'spam' },
      'Eve L is muted',
    ],
    ['/kick bob', { op: 'kick', room: 'lobby', user: 'bob' }, 'bob is kicked'],
    ['/unban bob', { op: 'unban', room: 'lobby', banned: 'bob' }, 'bob is not banned any more'],
    ['/block "Eve L"', { op: 'block', user: 'Eve L' }, 'you block Eve L'],
    ['/unblock bob', { op: 'unblock', user: 'bob' }, 'you do not block bob any more'],
    ['/block', { op: 'blocks' }, 'you block bob, Eve L'],
    ['/role bob member', { op: 'role', user: 'bob', role: 'member' }, 'bob is member here'],
  ])('asks the server for %j', async (line, request, done) => {
    expect(await type(line)).toEqual({ done });
    expect(asked).toMatchObject([request]);
  });

  it('finds the message that is meant: the own last one, the Nth last, or that of somebody', async () => {
    for (const one of [own(1, 'a'), message(2, 'b'), own(3, 'c'), message(4, 'd')]) recent.note(one);
    for (const line of ['/edit C', '/delete', '/delete 2', '/delete bob', '/delete BOB 2']) await type(line);
    expect(asked).toMatchObject([
      { op: 'edit', seq: 3, text: 'C' },
      { op: 'take-back', seq: 3 },
      { op: 'take-back', seq: 1 },
      { op: 'take-back', seq: 4 },
      { op: 'take-back', seq: 2 },
    ]);
    recent.changed(notice(5, { kind: 'taken-back', change: { seq: 3 } }));
    await type('/delete');
    expect(asked.at(-1)).toMatchObject({ seq: 1 });
  });

  it('blocks in no room as well as in one', async () => {
    expect(await carryOutModeration(client, undefined, { type: 'block', user: 'bob' }, recent)).toEqual({
      done: 'you block bob',
    });
  });

  it('answers the last message of anybody else, or that of somebody, with its position where the server knows that', async () => {
    const sent: unknown[] = [];
    const room = { ...lobby, send: async (...said: unknown[]) => void sent.push(said) } as unknown as Room;
    for (const one of [message(1, 'a'), message(2, 'b'), own(3, 'c')]) recent.note(one);
    expect(await type('/reply yes', room)).toEqual({ done: '' });
    const knowing = { ...room, about: { features: ['rich'] } } as Room;
    for (const line of ['/reply yes', '/reply #2 well', '/reply @bob #2 no']) await type(line, knowing);
    const codec = expect.objectContaining({ tag: 5 });
    expect(sent).toEqual([
      ['yes'],
      [{ text: 'yes', reply: 2 }, { codec }],
      [{ text: 'well', reply: 1 }, { codec }],
      [{ text: 'no', reply: 1 }, { codec }],
    ]);
    expect(await type('/reply @eve no', knowing)).toEqual({ invalid: 'there is no such message here' });
  });

  it('reacts to it, or takes that back where it is there', async () => {
    const me = { id: 1, name: 'Ada' };
    Object.assign(client, me);
    recent.note(message(1, 'a'));
    await type('/react 👍');
    recent.changed(notice(2, { kind: 'reacted', member: me, change: { seq: 1, reaction: '👍' } }));
    recent.changed(notice(3, { kind: 'reacted', change: { seq: 1, reaction: '🎉' } }));
    for (const line of ['/react 👍 bob', '/react 🎉']) await type(line);
    recent.changed(
      notice(4, { kind: 'reacted', member: me, change: { seq: 1, reaction: '👍', removed: true } }),
    );
    expect(await type('/react +1')).toEqual({ done: '👍 to Bob' });
    recent.note({ ...message(5, 'b'), reactions: [{ reaction: '👍', by: [me] }] } as never);
    expect(await type('/react 👍')).toEqual({ done: '👍 is taken back' });
    const react = { op: 'react', room: 'lobby', seq: 1, reaction: '👍', remove: false };
    expect(asked).toEqual([
      react,
      { ...react, remove: true },
      { ...react, reaction: '🎉' },
      react,
      { ...react, seq: 5, remove: true },
    ]);
  });

  it('says what cannot be tried, and asks nobody', async () => {
    expect(await type('/delete')).toEqual({ invalid: 'there is no such message of yours here' });
    expect(await type('/role bob king')).toMatchObject({ invalid: expect.stringContaining('moderator') });
    expect(await carryOutModeration(client, undefined, { type: 'kick', user: 'bob' }, recent)).toEqual({
      invalid: 'you are in no room',
    });
    expect(asked).toEqual([]);
  });

  it('knows the topic of the join, and the one that was told since', async () => {
    expect(await type('/topic')).toEqual({ done: 'topic: tea' });
    recent.changed(notice(5, { kind: 'changed', change: { settings: {} } }));
    expect(await type('/topic')).toEqual({ done: 'topic: none' });
  });
});
