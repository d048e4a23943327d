import { describe, expect, it } from 'vitest';
import { serverUrl, shownAddress } from '../../src/model/server-address.js';

const PLAIN = { protocol: 'http:', host: 'chat.example:8080' };
const SECURE = { protocol: 'https:', host: 'chat.example' };

describe('serverUrl', () => {
  it.each([
    ['chat.example:8080', PLAIN, 'ws://chat.example:8080'],
    ['chat.example', SECURE, 'wss://chat.example'],
    ['other.example', PLAIN, 'ws://other.example:12345'],
    ['other.example', SECURE, 'wss://other.example:12345'],
    ['10.0.0.7:9000', PLAIN, 'ws://10.0.0.7:9000'],
    ['[::1]', PLAIN, 'ws://[::1]:12345'],
    ['[::1]:80', PLAIN, 'ws://[::1]'],
    [' ws://other.example/ ', PLAIN, 'ws://other.example'],
    ['wss://other.example:1/chat', PLAIN, 'wss://other.example:1/chat'],
    ['https://other.example', PLAIN, 'wss://other.example'],
    ['http://other.example:81', SECURE, 'ws://other.example:81'],
  ])('makes of %s, on %o, %s', (typed, page, url) => {
    expect(serverUrl(typed, page)).toBe(url);
  });

  it.each(['', ' ', 'two words', 'ftp://x', 'javascript://x', 'user@host', 'http://', 'host:99999', 'a\\b'])(
    'refuses %j',
    (typed) => {
      expect(serverUrl(typed, PLAIN)).toBeUndefined();
    },
  );
});

describe('shownAddress', () => {
  it('leaves out what goes without saying', () => {
    expect(shownAddress('wss://chat.example:1')).toBe('chat.example:1');
  });
});
