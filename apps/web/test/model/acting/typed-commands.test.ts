import { ClientError } from '@chat/client';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  type CommandHost,
  type LineOutcome,
  TypedCommands,
  type Words,
} from '../../../src/model/acting/typed-commands.js';
import { FakeClient, FakeRoom } from '../../support/fake-client.js';

let done: unknown[];
let told: Words[];
let client: FakeClient;
let room: FakeRoom;
let commands: TypedCommands;
beforeEach(() => {
  done = [];
  told = [];
  client = new FakeClient('Ada');
  room = new FakeRoom('lobby');
  commands = new TypedCommands();
});

function type(line: string): Promise<LineOutcome> {
  const host = {
    client: client.asClient(),
    room,
    names: ['Eve L'],
    tell: (words: Words) => told.push(words),
    send: (text: string) => done.push(['send', text]),
    whisper: (to: string, text: string) => done.push(['whisper', to, text]),
    join: async (name: string) => void done.push(['join', name]),
    leave: async (name: string | undefined) => done.push(['leave', name]) > 0 && name !== 'nowhere',
    disconnect: () => done.push(['disconnect']),
  };
  return commands.run(host as unknown as CommandHost, line);
}

describe('TypedCommands', () => {
  it.each([
    ['//etc', [['send', '/etc']]],
    ['/me waves', [['send', '/me waves']]],
    ['/msg Eve L hi', [['whisper', 'Eve L', 'hi']]],
    ['/join tea', [['join', 'tea']]],
    ['/leave', [['leave', undefined]]],
    ['/quit', [['disconnect']]],
  ])('has the page do %j', async (line, expected) => {
    expect(await type(line)).toBe('done');
    expect([done, told]).toEqual([expected, []]);
  });

  it('asks the server for what takes a role, and tells what was done', async () => {
    await type('/mute Eve L 10m spam');
    expect(client.asked).toEqual([
      { op: 'mute', room: 'lobby', user: 'Eve L', durationMs: 600_000, reason: 'spam' },
    ]);
    expect(told).toEqual([{ tone: 'answer', text: 'Eve L is muted' }]);
  });

  it('leaves to the room what it tells everybody', async () => {
    await type('/topic tea');
    await type('/role bob member');
    expect([client.asked.length, told]).toEqual([2, []]);
    await type('/topic');
    expect(told).toMatchObject([{ text: expect.stringContaining('topic:') }]);
  });

  it('tells what the server refuses, in its words', async () => {
    client.answer = new ClientError('ERR_CLIENT_FORBIDDEN', 'your role in lobby does not allow kick');
    await type('/kick bob');
    expect(told).toEqual([{ tone: 'problem', text: 'Your role in lobby does not allow kick.' }]);
  });

  it('keeps a line that it does not understand, and says why', async () => {
    expect(await type('/etc/hosts')).toBe('kept');
    expect(told).toMatchObject([{ tone: 'problem', text: expect.stringContaining('/help') }]);
  });

  it('hands a search to the page', async () => {
    expect(await type('/search tea')).toEqual({ search: 'tea' });
  });

  it('tells whom and what there is', async () => {
    room.members.set(2, { id: 2, name: 'bob' });
    for (const line of ['/who', '/ping', '/leave nowhere', '/help']) await type(line);
    expect(told.map(({ text }) => text)).toMatchObject([
      'in lobby: bob',
      'the server answered within 3 ms',
      'you are not in nowhere',
      expect.stringContaining('/kick NAME'),
    ]);
  });
});
