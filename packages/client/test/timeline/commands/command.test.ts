import { describe, expect, it } from 'vitest';
import { COMMANDS, parseCommand } from '../../../src/timeline/index.js';

describe('parseCommand', () => {
  it.each([
    ['hello', { type: 'text', text: 'hello' }],
    ['  hello  ', { type: 'text', text: '  hello  ' }],
    ['//etc/hosts', { type: 'text', text: '/etc/hosts' }],
    ['', { type: 'nothing' }],
    ['   ', { type: 'nothing' }],
    ['/nick Ada Lovelace', { type: 'nick', name: 'Ada Lovelace' }],
    ['/join #tea', { type: 'join', room: '#tea' }],
    ['/leave', { type: 'leave', room: undefined }],
    ['/part tea', { type: 'leave', room: 'tea' }],
    ['/rooms', { type: 'rooms', prefix: '' }],
    ['/list t', { type: 'rooms', prefix: 't' }],
    ['/who', { type: 'who' }],
    ['/WHO', { type: 'who' }],
    ['/search', { type: 'search', query: '' }],
    ['/find "the fox" qu*', { type: 'search', query: '"the fox" qu*' }],
    ['/me waves', { type: 'me', text: 'waves' }],
    ['/msg bob hi there', { type: 'msg', to: 'bob', text: 'hi there' }],
    ['/msg "Ada L" hi', { type: 'msg', to: 'Ada L', text: 'hi' }],
    ['/ping', { type: 'ping' }],
    ['/help', { type: 'help' }],
    ['/?', { type: 'help' }],
    ['/topic', { type: 'topic', topic: undefined }],
    ['/topic all about tea', { type: 'topic', topic: 'all about tea' }],
    ['/topic -', { type: 'topic', topic: '' }],
    ['/mute eve', { type: 'mute', user: 'eve' }],
    ['/mute eve 10m spam, again', { type: 'mute', user: 'eve', durationMs: 600_000, reason: 'spam, again' }],
    ['/mute "Eve L" 2h', { type: 'mute', user: 'Eve L', durationMs: 7_200_000 }],
    ['/ban eve 3 strikes', { type: 'ban', user: 'eve', reason: '3 strikes' }],
    ['/kick eve 10m', { type: 'kick', user: 'eve', reason: '10m' }],
    ['/unban Eve L', { type: 'unban', user: 'Eve L' }],
    ['/role bob', { type: 'role', user: 'bob', role: undefined }],
    ['/role bob Moderator', { type: 'role', user: 'bob', role: 'moderator' }],
    ['/edit what I meant', { type: 'edit', text: 'what I meant' }],
    ['/reply yes', { type: 'reply', user: undefined, nth: 1, text: 'yes' }],
    ['/reply @"Eve L" #2 2 of them', { type: 'reply', user: 'Eve L', nth: 2, text: '2 of them' }],
    ['/reply #3 yes', { type: 'reply', user: undefined, nth: 3, text: 'yes' }],
    ['/react 👍', { type: 'react', reaction: '👍', user: undefined, nth: 1 }],
    ['/react +1 bob 2', { type: 'react', reaction: '👍', user: 'bob', nth: 2 }],
    ['/react :heart: @Eve L #2', { type: 'react', reaction: '❤️', user: 'Eve L', nth: 2 }],
    ['/delete', { type: 'delete', user: undefined, nth: 1 }],
    ['/delete 3', { type: 'delete', user: undefined, nth: 3 }],
    ['/delete Eve L 2', { type: 'delete', user: 'Eve L', nth: 2 }],
    ['/quit', { type: 'quit' }],
    ['/exit now', { type: 'quit' }],
  ])('understands %j', (line, command) => {
    expect(parseCommand(line)).toEqual(command);
  });

  it('takes the longest known name that follows /msg, spaces and all', () => {
    const users = ['Ada', 'Ada L', 'bob'];
    expect(parseCommand('/msg ada l hi', users)).toEqual({ type: 'msg', to: 'Ada L', text: 'hi' });
    expect(parseCommand('/msg ada hi', users)).toEqual({ type: 'msg', to: 'Ada', text: 'hi' });
    expect(parseCommand('/msg adam hi', users)).toEqual({ type: 'msg', to: 'adam', text: 'hi' });
  });

  it.each([
    '/mute',
    '/role',
    '/edit',
    '/invite',
    '/nick',
    '/join',
    '/me',
    '/msg',
    '/msg bob',
    '/reply',
    '/reply @bob #2',
    '/react',
    '/msg bob  ',
    '/',
  ])('says what %j lacks', (line) => {
    expect(parseCommand(line)).toMatchObject({ type: 'invalid' });
  });

  it.each(['/constructor', '/__proto__', '/nonsense'])('does not know %s', (line) => {
    expect(parseCommand(line)).toMatchObject({ type: 'invalid', reason: expect.stringContaining('/help') });
  });

  it('understands every command that help lists', () => {
    for (const name of COMMANDS.keys()) expect(parseCommand(`/${name} a b`).type).toBe(name);
  });
});
