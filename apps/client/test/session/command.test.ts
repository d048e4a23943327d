import { describe, expect, it } from 'vitest';
import { COMMANDS, parseCommand } from '../../src/session/command.js';

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

  it.each(['/nick', '/join', '/me', '/msg', '/msg bob', '/msg bob  ', '/'])('says what %j lacks', (line) => {
    expect(parseCommand(line)).toMatchObject({ type: 'invalid' });
  });

  it.each(['/constructor', '/__proto__', '/nonsense'])('does not know %s', (line) => {
    expect(parseCommand(line)).toMatchObject({ type: 'invalid', reason: expect.stringContaining('/help') });
  });

  it('understands every command that help lists', () => {
    for (const name of COMMANDS.keys()) expect(parseCommand(`/${name} a b`).type).toBe(name);
  });
});
