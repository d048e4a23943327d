/** `chat-server user`: what operators type, what they are told, and that no password is repeated. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SecretReader } from '../../src/accounts/ask-secret.js';
import { PasswordHasher } from '../../src/accounts/password-hash.js';
import { runUserCommand } from '../../src/accounts/user-command.js';
import { UsageError } from '../../src/command-line/usage-error.js';

const hasher = new PasswordHasher({ cost: { ln: 4, r: 8, p: 1 } });

let folder: string;
let printed: string[];
let complained: string[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'chat-user-'));
  printed = [];
  complained = [];
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** @param piped what comes by standard input */
function run(argv: readonly string[], piped = '', environment: Record<string, string> = {}): Promise<number> {
  const input = new PassThrough();
  input.end(piped);
  return runUserCommand(argv, {
    print: (line) => void printed.push(line),
    complain: (line) => void complained.push(line),
    secrets: new SecretReader({ input, output: new PassThrough() }),
    environment,
    hasher,
  });
}

/** The only account that there is. */
function kept(): { readonly name: string; readonly password: string } {
  return JSON.parse(readFileSync(join(folder, 'new', 'accounts.json'), 'utf8')).accounts[0];
}

describe('chat-server user', () => {
  it('adds, lists, changes and removes', async () => {
    const data = ['--data', join(folder, 'new')];
    expect(await run(['add', 'ada', ...data], 'correct horse\n')).toBe(0);
    expect(await hasher.verify('correct horse', kept().password)).toBe(true);
    expect(await run(['list', ...data])).toBe(0);
    expect(printed.at(-1)).toMatch(/^ada\t\d{4}-\d\d-\d\d$/);
    expect(await run(['passwd', 'ADA', ...data], 'battery staple\n')).toBe(0);
    expect(kept().name).toBe('ada');
    expect(await hasher.verify('battery staple', kept().password)).toBe(true);
    expect(await run(['remove', 'ada', ...data])).toBe(0);
    printed = [];
    expect(await run(['list', ...data])).toBe(0);
    expect(printed).toEqual([]);
  });

  it('takes the password from a file, or from the environment', async () => {
    const file = join(folder, 'password');
    writeFileSync(file, 'from the file\n');
    const data = ['--data', join(folder, 'new')];
    await run(['add', 'ada', ...data, '--password-file', file]);
    expect(await hasher.verify('from the file', kept().password)).toBe(true);
    await run(['passwd', 'ada', ...data], '', { CHAT_PASSWORD: 'from the environment' });
    expect(await hasher.verify('from the environment', kept().password)).toBe(true);
  });

  it.each([
    ['a name that is taken', ['add', 'Ada'], /^ada has an account already$/],
    ['a look-alike', ['add', 'аdа'], /^аdа looks like ada, who has an account$/],
    ['no name', ['add', 'a:b'], /colon/],
    ['somebody who is not there', ['passwd', 'bob'], /^bob has no account$/],
    ['somebody who only looks like it', ['remove', 'аdа'], /has no account$/],
  ])('refuses %s', async (_what, argv, message) => {
    const data = ['--data', join(folder, 'new')];
    await run(['add', 'ada', ...data], 'correct horse\n');
    await expect(run([...argv, ...data], 'another horse\n')).rejects.toThrow(message);
    expect(await hasher.verify('correct horse', kept().password)).toBe(true);
  });

  it.each([
    ['too short', 'short\n', /8 to 1024 characters, got 5/],
    ['with a space at its end', 'correct horse \n', /space/],
    ['missing', '', /no password was given/],
  ])('refuses a password that is %s, and does not repeat it', async (_what, piped, message) => {
    const added = run(['add', 'ada', '--data', join(folder, 'new')], piped);
    const error = await added.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(UsageError);
    expect((error as Error).message).toMatch(message);
    expect((error as Error).message).not.toMatch(/correct|short/);
  });

  it.each([
    [[]],
    [['frobnicate']],
    [['add']],
    [['add', 'ada']],
    [['add', 'ada', 'hunter2', '--data', 'x']],
    [['add', 'ada', '--password', 'hunter2', '--data', 'x']],
    [['add', 'ada', '--data', 'x', '--accounts', 'y']],
    [['list', '--data', 'x', '--password-file', 'y']],
    [['constructor']],
  ])('says how it is used for %j', async (argv) => {
    const error = await run(argv).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(UsageError);
    expect((error as Error).message).toMatch(/^usage: chat-server user /);
    expect((error as Error).message).not.toContain('hunter2');
  });

  it('says why when a file cannot be used, and ends with 1', async () => {
    writeFileSync(join(folder, 'accounts.json'), 'not JSON');
    expect(await run(['list', '--data', folder])).toBe(1);
    expect(complained[0]).toMatch(/^chat-server: .+accounts/);
  });

  it('has help', async () => {
    expect(await run(['--help'])).toBe(0);
    expect(printed[0]).toContain('user passwd <name>');
  });
});
