import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LIMITS, UNLIMITED } from '@chat/server';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { parseArguments, UsageError } from '../../src/command-line/args.js';

const parse = (...argv: string[]) => parseArguments(argv, '1.2.3');

describe('parseArguments', () => {
  it('has a default for everything', () => {
    expect(parse()).toMatchObject({ host: undefined, port: 12345, unix: undefined, json: false, limits: {} });
  });

  it('takes every limit by its name', () => {
    const { limits } = parse(
      '--max-sessions',
      '5',
      '--idle-timeout-ms',
      '7',
      '--slow-consumer',
      'skip',
      '--coalesce-ms',
      '0',
      '--duplicate-names',
      'suffix',
      '--line-charset',
      'windows-1255',
      '--line-idle-ms',
      '0',
    );
    expect(limits).toEqual({
      maxSessions: 5,
      idleTimeoutMs: 7,
      slowConsumer: 'skip',
      coalesceMs: 0,
      duplicateNames: 'suffix',
      lineCharset: 'windows-1255',
      lineIdleMs: 0,
    });
    expect(() => parse('--duplicate-names', 'maybe')).toThrow(/refuse, suffix, takeover/);
  });

  it('says who may come in', () => {
    expect(parse().people).toBeUndefined();
    expect(parse('--data', 'd').people).toEqual({
      accountFile: join('d', 'accounts.json'),
      passwordFile: undefined,
      tokens: undefined,
      certificates: false,
      guests: true,
    });
    expect(parse('--data', 'd', '--accounts', 'a', '--guests', 'off').people).toMatchObject({
      accountFile: 'a',
      guests: false,
    });
    expect(parse('--password-file', 'p').people).toMatchObject({ passwordFile: 'p', guests: false });
    expect(() => parse('--guests', 'off')).toThrow(/nobody could come in/);
    expect(() => parse('--guests', 'on', '--password-file', 'p')).toThrow(/--guests on would let/);
    const tls = ['--tls-cert', 'c', '--tls-key', 'k', '--tls-client-ca', 'a'];
    expect(parse(...tls, '--tls-client-name').people).toMatchObject({ certificates: true, guests: false });
    expect(() => parse('--tls-client-name')).toThrow('--tls-client-name needs --tls-client-ca');
    expect(() => parse('--guests', 'maybe')).toThrow(/on, off/);
  });

  it('lifts limits with --unlimited, but for those that are given', () => {
    expect(parse('--unlimited', '--max-sessions', '5').limits).toEqual({ ...UNLIMITED, maxSessions: 5 });
  });

  it('takes TLS only where there is a certificate, and the names of the server', () => {
    expect(() => parse('--tls-only')).toThrow('--tls-only needs --tls-cert and --tls-key');
    const tls = ['--tls-cert', 'c', '--tls-key', 'k'];
    expect([parse(...tls).tlsOnly, parse(...tls, '--tls-only').tlsOnly]).toEqual([false, true]);
    expect(parse('--allowed-host', 'a.example', '*.b.example').allowedHost).toEqual([
      'a.example',
      '*.b.example',
    ]);
    expect(parse('--keep-alive-timeout-ms', '90000', '--max-signal-bytes', '100')).toMatchObject({
      keepAliveTimeoutMs: 90_000,
      limits: { maxSignalBytes: 100 },
    });
  });

  describe('the metrics token', () => {
    let folder: string;
    beforeEach(() => {
      folder = mkdtempSync(join(tmpdir(), 'chat-server-args-'));
      vi.stubEnv('CHAT_METRICS_TOKEN', undefined);
    });
    afterEach(() => {
      vi.unstubAllEnvs();
      rmSync(folder, { recursive: true, force: true });
    });
    const file = (text: string): string => {
      writeFileSync(join(folder, 'token'), text);
      return join(folder, 'token');
    };

    it('is none, or comes from the command line, a file or the environment', () => {
      expect(parse().metricsToken).toBeUndefined();
      expect(parse('--metrics-token', 'abc').metricsToken).toEqual({ value: 'abc', isOnCommandLine: true });
      const hidden = { value: 'abc', isOnCommandLine: false };
      expect(parse('--metrics-token-file', file('abc\n')).metricsToken).toEqual(hidden);
      expect(parse('--metrics-token-file', file('abc')).metricsToken).toEqual(hidden);
      vi.stubEnv('CHAT_METRICS_TOKEN', 'from outside');
      expect(parse().metricsToken).toEqual({ value: 'from outside', isOnCommandLine: false });
      expect(parse('--metrics-token-file', file('abc')).metricsToken).toEqual(hidden);
      expect(parse('--metrics-token', 'abc').metricsToken?.value).toBe('abc');
    });

    it('is refused where it is empty, two, more than a line or not there', () => {
      expect(() => parse('--metrics-token', '')).toThrow('the metrics token in --metrics-token is empty');
      expect(() => parse('--metrics-token-file', file('\n'))).toThrow(
        /^the metrics token in the file .* is empty$/,
      );
      expect(() => parse('--metrics-token-file', file('one\ntwo'))).toThrow(/has more than one line$/);
      expect(() => parse('--metrics-token-file', join(folder, 'none'))).toThrow(
        /^cannot read the metrics token: ENOENT/,
      );
      expect(() => parse('--metrics-token', 'a', '--metrics-token-file', file('b'))).toThrow(
        '--metrics-token and --metrics-token-file say two things',
      );
      vi.stubEnv('CHAT_METRICS_TOKEN', '');
      expect(() => parse()).toThrow('the metrics token in CHAT_METRICS_TOKEN is empty');
    });

    it('is in no message, also where its option is mistyped', () => {
      for (const argv of [
        ['--metrics-tokn=s3cret'],
        ['--metrics-tokn', 's3cret'],
        ['--metrics-token', 's3cret', '--nope'],
        ['--metrics-token', 's3cret', '--metrics-token-file', file('s3cret')],
        ['--metrics-token-file', file('s3cret\nmore')],
      ]) {
        const refused = (): unknown => parse(...argv);
        expect(refused, argv.join(' ')).toThrow(UsageError);
        expect(refused, argv.join(' ')).not.toThrow(/s3cret/);
      }
      expect(() => parse('--metrics-tokn=s3cret')).toThrow(/^unknown option '--metrics-tokn'$/);
      expect(() => parse('--metrics-tokn', 's3cret')).toThrow('(Did you mean --metrics-token?)');
    });
  });

  it('takes permissions and a group for a Unix socket, where there is one', () => {
    expect(parse('--unix', '/x', '--unix-mode', '660', '--unix-group', 'chat')).toMatchObject({
      unix: '/x',
      unixMode: 0o660,
      unixGroup: 'chat',
    });
    expect(() => parse('--unix', '/x', '--unix-mode', '999')).toThrow(/three octal digits/);
    expect(() => parse('--unix-mode', '660')).toThrow('--unix-mode and --unix-group need --unix');
  });

  it.each(Object.entries(LIMITS))(
    'takes a number for %s, and Infinity where it lifts that',
    (name, limit) => {
      const flag = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
      expect(parse(flag, '7').limits).toEqual({ [name]: 7 });
      expect(() => parse(flag, 'many')).toThrow('a whole number is needed');
      const lift = (): unknown => parse(flag, 'Infinity').limits;
      if (limit.mayBeInfinite) expect(lift()).toEqual({ [name]: Number.POSITIVE_INFINITY });
      else expect(lift).toThrow('a whole number is needed');
    },
  );

  it('names every limit in its help, with the default', () => {
    const written = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    try {
      expect(() => parse('--help')).toThrow(expect.objectContaining({ exitCode: 0 }));
      const help = written.mock.calls.join('').replace(/\s+/g, ' ');
      expect(help).toContain(
        '--max-sessions <number> sessions at a time, those away included (default: 10000)',
      );
      expect(help).toContain('(default: 2000, or 20 × --max-messages-per-second where that is more)');
      expect(help.match(/ --[a-z-]+ <(bytes|ms|number)>/g)!.length).toBeGreaterThan(
        Object.keys(LIMITS).length,
      );
    } finally {
      written.mockRestore();
    }
  });

  it('takes several origins', () => {
    expect(parse('--allow-origin', 'https://a', 'https://b').allowOrigin).toEqual(['https://a', 'https://b']);
  });

  it('takes several proxies and exempt addresses, and leaves what is not said to the server', () => {
    const { limits } = parse('--trusted-proxy', '10.0.0.0/8', '::1', '--exempt-address', '192.0.2.1');
    expect(limits).toEqual({ trustedProxies: ['10.0.0.0/8', '::1'], exemptAddresses: ['192.0.2.1'] });
    expect(parse().limits).toEqual({});
  });

  it('takes pages that may frame the page, and nothing that could end their directive', () => {
    const framed = parse(
      '--frame-ancestor',
      'self',
      'https://*.example.org',
      'http://[::1]:8080',
    ).frameAncestor;
    expect(framed).toEqual(["'self'", 'https://*.example.org', 'http://[::1]:8080']);
    for (const wrong of ['https://a.example; script-src *', 'example.org', "'none'", 'data:']) {
      expect(() => parse('--frame-ancestor', wrong)).toThrow('an origin such as');
    }
  });

  it('puts the admin socket into the data folder, or where it is told, and is without one otherwise', () => {
    expect(parse().adminSocket).toBeUndefined();
    const inFolder =
      process.platform === 'win32' ? undefined : { path: join('data', 'admin.sock'), isWanted: false };
    expect(parse('--data', 'data').adminSocket).toEqual(inFolder);
    const told = { path: '/run/chat.sock', isWanted: true };
    expect(parse('--data', 'data', '--admin-socket', '/run/chat.sock').adminSocket).toEqual(told);
  });

  it('knows where NATS is, and what does not go together with it', () => {
    expect(parse().nats).toBeUndefined();
    expect(parse('--nats', 'nats://a:4222', 'nats://b:4222').nats).toEqual({
      servers: ['nats://a:4222', 'nats://b:4222'],
    });
    expect(parse('--nats', 'nats://a', '--nats-stream', 'team').nats).toMatchObject({ stream: 'team' });
    expect(() => parse('--nats-stream', 'team')).toThrow('--nats-stream needs --nats');
    expect(parse('--nats', 'nats://a', '--workers', '2')).toMatchObject({ workers: 2 });
    expect(() => parse('--nats', 'nats://a', '--data', 'folder')).toThrow(
      '--nats does not go together with --data: the stream of NATS keeps what is said, for all servers alike',
    );
  });

  it('refuses a store that gives up being one together with workers', () => {
    expect(() => parse('--workers', '2', '--data', 'folder', '--on-store-failure', 'memory')).toThrow(
      '--on-store-failure memory does not go together with --workers',
    );
    expect(parse('--workers', '2', '--data', 'folder').adminSocket).toMatchObject({ isWanted: false });
  });

  it('takes an address for the metrics, and the PROXY protocol with its proxies', () => {
    expect(parse().metricsAddress).toBeUndefined();
    expect(parse('--metrics-port', '9090').metricsAddress).toEqual({ host: '127.0.0.1', port: 9090 });
    expect(parse('--metrics-port', '0', '--metrics-host', '::1').metricsAddress).toEqual({
      host: '::1',
      port: 0,
    });
    expect(parse('--proxy-protocol', '--trusted-proxy', '192.0.2.1').limits).toEqual({
      proxyProtocol: true,
      trustedProxies: ['192.0.2.1'],
    });
  });

  it('wants a certificate of its own where it asks for those of clients', () => {
    expect(() => parse('--tls-client-ca', 'ca.pem')).toThrow(
      expect.objectContaining({ exitCode: 2, message: '--tls-client-ca needs --tls-cert and --tls-key' }),
    );
    const files = ['--tls-cert', 'c.pem', '--tls-key', 'k.pem', '--tls-client-ca', 'ca.pem'];
    expect(parse(...files).tlsClientCa).toBe('ca.pem');
  });

  it('speaks of its errors in one line, with the exit code', () => {
    expect(() => parse('--prot', '1')).toThrow(
      expect.objectContaining({ exitCode: 2, message: "unknown option '--prot' (Did you mean --port?)" }),
    );
  });
});
