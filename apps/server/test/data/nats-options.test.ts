import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { parseArguments } from '../../src/command-line/args.js';

const folder = mkdtempSync(join(tmpdir(), 'chat-nats-options-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const file = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};
const secret = file('secret', 's3cret\n');
const empty = file('empty', '\n');
const pem = file('pem', 'a certificate');

const parse = (...flags: string[]): ReturnType<typeof parseArguments>['nats'] =>
  parseArguments(['--nats', 'nats://a:4222', ...flags], '0.0.0', { environment: {} }).nats;

it('says who the server is, with what is in files at that moment', () => {
  const of = (login: object): object =>
    Object.fromEntries(
      Object.entries(login).map(([name, value]) => [name, typeof value === 'function' ? value() : value]),
    );
  expect(parse()).toEqual({ servers: ['nats://a:4222'] });
  expect(of(parse('--nats-credentials', secret)!.login!)).toEqual({ credentials: 's3cret\n' });
  expect(of(parse('--nats-nkey', secret)!.login!)).toEqual({ nkey: 's3cret' });
  expect(of(parse('--nats-token-file', secret)!.login!)).toEqual({ token: 's3cret' });
  const { login } = parse('--nats-user', 'chat', '--nats-password-file', file('renewed', 'one'))!;
  expect(of(login!)).toEqual({ user: 'chat', password: 'one' });
  file('renewed', 'two');
  expect(of(login!)).toEqual({ user: 'chat', password: 'two' });
});

it('knows certificates and replicas', () => {
  expect(parse('--nats-tls-ca', pem)!.tls).toEqual({ ca: 'a certificate' });
  const all = parse('--nats-tls-ca', pem, '--nats-tls-cert', pem, '--nats-tls-key', pem)!.tls;
  expect(all).toEqual({ ca: 'a certificate', cert: 'a certificate', key: 'a certificate' });
  expect(parse('--nats-replicas', '3')).toMatchObject({ replicas: 3 });
});

it.each([
  [['--nats-user', 'chat'], '--nats-user and --nats-password-file go together'],
  [['--nats-tls-cert', pem], '--nats-tls-cert and --nats-tls-key go together'],
  [['--nats-nkey', secret, '--nats-token-file', secret], 'choose one'],
  [['--nats-replicas', '6'], '--nats-replicas must be from 1 to 5'],
  [['--nats-token-file', empty], 'the token for NATS in the file'],
  [['--nats-token-file', join(folder, 'nowhere')], 'cannot read the token for NATS'],
  [['--nats-credentials', join(folder, 'nowhere')], 'cannot read the credentials for NATS'],
  [['--nats-tls-ca', join(folder, 'nowhere')], 'cannot read the authority of NATS'],
])('refuses %j', (flags, message) => {
  expect(() => parse(...flags)).toThrow(message);
});

it('needs NATS for what is said of it', () => {
  const alone = (): unknown => parseArguments(['--nats-tls-ca', pem], '0.0.0', { environment: {} });
  expect(alone).toThrow('--nats-tls-ca needs --nats');
});

it('refuses an address with a password in it, and does not repeat it', () => {
  const parseSecret = (): unknown => parse('nats://chat:s3cret@b:4222');
  expect(parseSecret).toThrow('--nats must have no user and no password in it');
  expect(parseSecret).not.toThrow('s3cret');
});
