import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseArguments, UsageError } from '../src/args.js';

const parse = (...argv: string[]) => parseArguments(argv, '1.2.3');

function refusal(...argv: string[]): UsageError {
  try {
    parse(...argv);
  } catch (error) {
    if (error instanceof UsageError) return error;
    throw error;
  }
  throw new Error('accepted');
}

describe('parseArguments', () => {
  it('leaves to be asked what is not said', () => {
    expect(parse()).toEqual({
      server: undefined,
      name: undefined,
      room: 'lobby',
      history: undefined,
      plain: false,
      json: false,
      follow: false,
      tlsCa: undefined,
      notify: 'bell',
      login: false,
      password: undefined,
    });
  });

  it('takes the password from a file or the environment, and repeats nothing of it', () => {
    const folder = mkdtempSync(join(tmpdir(), 'chat-args-'));
    const file = join(folder, 'password');
    writeFileSync(file, 'correct horse\n');
    const environment = { CHAT_PASSWORD: 'battery staple' };
    const passwordOf = (...argv: string[]): unknown => parseArguments(argv, '1.2.3', environment).password;
    expect([passwordOf(), passwordOf('--password-file', file)]).toEqual(['battery staple', 'correct horse']);
    expect(parse('--login')).toMatchObject({ login: true, password: undefined });
    for (const text of ['', '\n', 'hunter2\nhunter3\n']) {
      writeFileSync(file, text);
      expect(() => passwordOf('--password-file', file)).toThrow(/must have one line: the password$/);
    }
    expect(refusal('--password-file', join(folder, 'missing'))).toMatchObject({ exitCode: 2 });
    expect(refusal('--password', 'hunter2')).toMatchObject({ exitCode: 2 });
    rmSync(folder, { recursive: true });
  });

  it('says how to draw attention', () => {
    expect(['bell', 'desktop', 'off'].map((way) => parse('--notify', way).notify)).toEqual([
      'bell',
      'desktop',
      'off',
    ]);
    expect(refusal('--notify', 'loudly').message).toContain('one of bell, desktop, off is needed');
  });

  it('takes the server as an argument or an option', () => {
    expect(parse('host:1').server).toEqual({ url: 'tcp://host:1' });
    expect(parse('--server', 'host:1').server).toEqual({ url: 'tcp://host:1' });
    expect(parse('host:1', '--server', 'host:1').server).toEqual({ url: 'tcp://host:1' });
    expect(refusal('one', '--server', 'two')).toMatchObject({ exitCode: 2 });
  });

  it('prefers what an option says to what the address says', () => {
    expect(parse('ada@host#tea')).toMatchObject({ name: 'ada', room: 'tea' });
    expect(parse('ada@host#tea', '--name', 'bob', '--room', 'x')).toMatchObject({ name: 'bob', room: 'x' });
  });

  it.each([
    [['--nope']],
    [['--history', 'many']],
    [['--notify', 'loudly']],
    [['--history', '1001']],
    [['host:port']],
    [['one', 'two']],
    [['--name']],
  ])('refuses %j with one line and code 2', (argv) => {
    const error = refusal(...argv);
    expect(error.exitCode).toBe(2);
    expect(error.message).not.toBe('');
    expect(error.message).not.toContain('\n');
  });
});
