import { describe, expect, it } from 'vitest';
import { pageAddress, serverUrl, shownAddress } from '../../src/sign-in/server-address.js';

const PLAIN = { protocol: 'http:', host: 'chat.example:8080', pathname: '/' };
const SECURE = { protocol: 'https:', host: 'chat.example', pathname: '/' };
const BELOW = { protocol: 'https:', host: 'host.example', pathname: '/chat/' };

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
    // The page of a server behind a proxy, as it stands in the address bar.
    ['host.example/chat', BELOW, 'wss://host.example/chat/ws'],
    ['host.example/chat/', SECURE, 'wss://host.example/chat/ws'],
    ['host.example/chat/ws', SECURE, 'wss://host.example/chat/ws'],
    ['https://host.example/chat/?a#b', PLAIN, 'wss://host.example/chat/ws'],
    ['ws://host.example/chat', PLAIN, 'ws://host.example/chat'],
    ['other.example', BELOW, 'wss://other.example:12345'],
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

describe('pageAddress', () => {
  it.each([
    ['/', 'host.example'],
    ['/index.html', 'host.example'],
    ['/chat/', 'host.example/chat'],
    ['/a/b/index.html', 'host.example/a/b'],
  ])('of a page at %s is %s, and leads back to its server', (pathname, address) => {
    const page = { ...BELOW, pathname };
    expect(pageAddress(page)).toBe(address);
    const url = serverUrl(address, page)!;
    expect(serverUrl(shownAddress(url), page)).toBe(url);
  });
});

describe('shownAddress', () => {
  it('leaves out what goes without saying', () => {
    expect(shownAddress('wss://chat.example:1')).toBe('chat.example:1');
  });
});
