import { hostname } from 'node:os';
import { describe, expect, it } from 'vitest';
import { hostOf, PageGuard } from '../../../src/dialects/http/page-guard.js';

/** The option that refuses a page, or nothing. */
function asks(
  host: string | undefined,
  origin: string | undefined,
  {
    origins = [] as string[],
    hosts = [] as string[],
    localPort = 12_345 as number | undefined,
    isSecure = false,
  } = {},
): string | undefined {
  return new PageGuard(origins, hosts).refusesPage({ host, origin, localPort, isSecure })?.option;
}

describe('PageGuard', () => {
  it.each([
    ['chat.example.org:443', 'https://chat.example.org'],
    ['chat.example.org:80', 'http://chat.example.org'],
    ['CHAT.example.org', 'https://chat.example.org'],
    ['chat.example.org.', 'https://chat.example.org'],
    ['chat.example.org:8443', 'https://chat.example.org:8443'],
    // A proxy that drops the port: a browser that spoke to 12345 directly would have written it.
    ['chat.example.org', 'https://chat.example.org:8443'],
    ['bücher.example', 'https://xn--bcher-kva.example'],
    ['localhost:12345', 'http://localhost:12345'],
    ['app.localhost:12345', 'http://app.localhost:12345'],
    ['192.168.1.5:12345', 'http://192.168.1.5:12345'],
    ['[::1]:12345', 'http://[::1]:12345'],
    [`${hostname()}:12345`, `http://${hostname().toLowerCase()}:12345`],
    [undefined, undefined],
    ['anything:1', undefined],
  ])('lets a page in whose host is %s and origin %s', (host, origin) => {
    expect(asks(host, origin)).toBeUndefined();
  });

  it.each([
    ['chat.example.org', 'https://evil.example', 'allowedOrigins'],
    ['chat.example.org:443', 'http://chat.example.org', 'allowedOrigins'],
    ['chat.example.org:8443', 'https://chat.example.org', 'allowedOrigins'],
    ['chat.example.org.evil.example', 'https://chat.example.org', 'allowedOrigins'],
    ['127.0.0.1:12345', 'http://127.0.0.1:8080', 'allowedOrigins'],
    ['localhost:12345', 'null', 'allowedOrigins'],
    ['localhost:12345', 'file://', 'allowedOrigins'],
    ['localhost', 'tauri://localhost', 'allowedOrigins'],
    [undefined, 'http://localhost', 'allowedOrigins'],
    ['a b', 'http://a', 'allowedOrigins'],
    // DNS rebinding: the page is of the host, and the host leads here, but nobody said that it may.
    ['evil.example:12345', 'http://evil.example:12345', 'allowedHosts'],
    ['EVIL.example:12345', 'http://evil.example:12345', 'allowedHosts'],
    ['evil.example:8080', 'http://evil.example:8080', 'allowedHosts'],
    ['127.0.0.1.evil.example:12345', 'http://127.0.0.1.evil.example:12345', 'allowedHosts'],
    ['localhost.evil.example:12345', 'http://localhost.evil.example:12345', 'allowedHosts'],
  ])('refuses a page whose host is %s and origin %s', (host, origin, option) => {
    expect(asks(host, origin)).toBe(option);
  });

  it('refuses a rebound page of port 80 only where this server has that port', () => {
    const [host, origin] = ['evil.example', 'http://evil.example'];
    expect(asks(host, origin, { localPort: 80 })).toBe('allowedHosts');
    expect(asks(host, origin, { localPort: 12_345 })).toBeUndefined();
    expect(asks(host, origin, { localPort: undefined })).toBeUndefined();
  });

  it('knows a port that was dropped from one that is the default of this server', () => {
    const [host, origin] = ['a.example', 'https://a.example:8443'];
    expect(asks(host, origin, { localPort: 443, isSecure: true })).toBe('allowedOrigins');
    expect(asks(host, origin, { localPort: 443, isSecure: false })).toBeUndefined();
  });

  it('is strict once hosts are listed', () => {
    const hosts = ['Chat.example.org:443', '*.example.net', '2001:db8::1'];
    const of = (name: string): string | undefined => asks(name, `https://${name}`, { hosts });
    expect(of('chat.example.org')).toBeUndefined();
    expect(of('a.example.net')).toBeUndefined();
    expect(of('a.b.example.net')).toBeUndefined();
    expect(of('example.net')).toBe('allowedHosts');
    expect(of('evil.example')).toBe('allowedHosts');
    expect(asks('localhost:12345', 'http://localhost:12345', { hosts })).toBeUndefined();
    expect(asks('evil.example', 'https://evil.example', { hosts: ['*'] })).toBeUndefined();
    expect(asks('evil.example:12345', 'http://evil.example:12345', { hosts: ['*'] })).toBeUndefined();
  });

  it('lets the origins in that are listed, in any spelling, whatever the host is', () => {
    const origins = ['https://Chat.example:443', 'tauri://localhost'];
    expect(asks('127.0.0.1:12345', 'https://chat.example', { origins })).toBeUndefined();
    expect(asks('127.0.0.1:12345', 'tauri://localhost', { origins })).toBeUndefined();
    expect(asks('127.0.0.1:12345', 'https://other.example', { origins })).toBe('allowedOrigins');
    expect(asks('evil.example:12345', 'http://evil.example:12345', { origins: ['*'] })).toBeUndefined();
  });

  it('says what to do', () => {
    const guard = new PageGuard([], []);
    const here = { localPort: 12_345, isSecure: false };
    const host = { ...here, host: 'chat.example:12345', origin: 'http://chat.example:12345' };
    expect(guard.refusesPage(host)?.remedy).toContain('--allowed-host chat.example');
    const origin = { ...here, host: '127.0.0.1:12345', origin: 'https://chat.example' };
    expect(guard.refusesPage(origin)?.remedy).toContain('allow the origin https://chat.example');
  });

  it('shows a page to whoever may use it, and to programs', () => {
    const refuses = (
      host: string | undefined,
      isNavigation: boolean,
      hosts: string[] = [],
      isSecure = false,
    ) =>
      new PageGuard([], hosts).refusesHost(
        { host, origin: undefined, localPort: 12_345, isSecure },
        isNavigation,
      )?.option;
    expect(refuses('chat.example:12345', true)).toBe('allowedHosts');
    expect(refuses('chat.example:12345', false)).toBeUndefined();
    expect(refuses('chat.example:12345', true, [], true)).toBeUndefined();
    expect(refuses('chat.example', true)).toBeUndefined();
    expect(refuses('localhost:12345', true)).toBeUndefined();
    expect(refuses(undefined, true)).toBeUndefined();
    expect(refuses('chat.example:12345', true, ['chat.example'])).toBeUndefined();
    expect(refuses('other.example', false, ['chat.example'])).toBe('allowedHosts');
  });
});

describe('hostOf', () => {
  it.each([
    ['Chat.Example:80', { name: 'chat.example', port: 80 }],
    ['[2001:DB8::1]:7', { name: '[2001:db8::1]', port: 7 }],
    ['2001:db8::1', { name: '[2001:db8::1]', port: undefined }],
    ['*.Example', { name: '*.example', port: undefined }],
    ['a/b', undefined],
    ['a@b', undefined],
    ['', undefined],
    [undefined, undefined],
  ])('reads %s', (host, expected) => {
    expect(hostOf(host)).toEqual(expected);
  });
});
