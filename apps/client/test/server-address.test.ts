import { describe, expect, it } from 'vitest';
import { displayAddress, parseServerAddress } from '../src/server-address.js';

describe('parseServerAddress', () => {
  it.each([
    ['localhost', 'tcp://localhost'],
    ['192.168.1.5:4000', 'tcp://192.168.1.5:4000'],
    ['  chat.example.org  ', 'tcp://chat.example.org'],
    ['::1', 'tcp://[::1]'],
    ['fe80::1', 'tcp://[fe80::1]'],
    ['[::1]:12345', 'tcp://[::1]:12345'],
    ['tcp://host:1', 'tcp://host:1'],
    ['tls://host', 'tls://host'],
    ['ws://host/ws', 'ws://host/ws'],
    ['http://localhost:12345', 'ws://localhost:12345'],
    ['https://chat.example.org/', 'wss://chat.example.org/'],
    ['unix:/run/chat.sock', 'unix:/run/chat.sock'],
    ['/run/chat.sock', 'unix:/run/chat.sock'],
    ['./chat.sock', 'unix:./chat.sock'],
    ['\\\\.\\pipe\\chat', 'unix:\\\\.\\pipe\\chat'],
  ])('takes %s for %s', (text, url) => {
    expect(parseServerAddress(text)).toEqual({ url });
  });

  it('takes the name and the room that stand around the host', () => {
    expect(parseServerAddress('ada@host:1#tea')).toEqual({ url: 'tcp://host:1', name: 'ada', room: 'tea' });
    expect(parseServerAddress('host#tea')).toEqual({ url: 'tcp://host', room: 'tea' });
  });

  it.each([
    '',
    '   ',
    'two words',
    'host:port',
    'host:99999',
    'host:0',
    ':1',
    'tcp://',
    'unix:',
    '@host',
    'host#',
  ])('does not take %j for an address', (text) => {
    expect(parseServerAddress(text)).toBeUndefined();
  });
});

describe('displayAddress', () => {
  it('leaves out what is meant anyway', () => {
    expect(displayAddress('tcp://localhost:12345')).toBe('localhost:12345');
    expect(displayAddress('wss://host/ws')).toBe('wss://host/ws');
  });
});
