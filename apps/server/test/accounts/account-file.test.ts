/** The file with the accounts: whole at any instant, for its user alone, and changed by one command at a time. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type Account,
  AccountFileError,
  accountFileIn,
  changeAccounts,
  readAccounts,
  stampOf,
} from '../../src/accounts/account-file.js';

const HASH = `$scrypt$ln=4,r=8,p=1$${'A'.repeat(22)}$${'A'.repeat(43)}`;
const account = (name: string): Account => ({ name, password: HASH, createdAt: '2026-01-02T03:04:05.000Z' });

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'chat-accounts-'));
  path = accountFileIn(folder);
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('changeAccounts', () => {
  it('writes what readAccounts reads, for its user alone, and leaves nothing beside it', async () => {
    expect(readAccounts(path)).toEqual([]);
    expect(stampOf(path)).toBe('');
    await changeAccounts(path, () => [account('ada')]);
    const stamp = stampOf(path);
    await changeAccounts(path, (accounts) => [...accounts, account('Bob Müller')]);
    expect(stampOf(path)).not.toBe(stamp);
    expect(readAccounts(path)).toEqual([account('ada'), account('Bob Müller')]);
    if (process.platform !== 'win32') expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toEqual(['accounts.json']);
  });

  it('loses nothing of commands at the same time', async () => {
    const names = Array.from({ length: 8 }, (_, i) => `user ${i}`);
    await Promise.all(names.map((name) => changeAccounts(path, (accounts) => [...accounts, account(name)])));
    expect(
      readAccounts(path)
        .map(({ name }) => name)
        .sort(),
    ).toEqual(names);
  });

  it('changes nothing when the change is refused', async () => {
    await changeAccounts(path, () => [account('ada')]);
    const refuse = changeAccounts(path, () => {
      throw new Error('not like this');
    });
    await expect(refuse).rejects.toThrow('not like this');
    expect(readAccounts(path)).toEqual([account('ada')]);
    expect(readdirSync(folder)).toEqual(['accounts.json']);
  });

  it('goes on after a command that was killed while it wrote', async () => {
    writeFileSync(`${path}.draft`, '{"version":1,"acc');
    const longAgo = new Date(Date.now() - 60_000);
    utimesSync(`${path}.draft`, longAgo, longAgo);
    await changeAccounts(path, () => [account('ada')]);
    expect(readAccounts(path)).toEqual([account('ada')]);
  });

  it('says why when the folder cannot be written', async () => {
    const nowhere = join(folder, 'missing', 'accounts.json');
    await expect(changeAccounts(nowhere, () => [])).rejects.toThrow(AccountFileError);
  });
});

describe('readAccounts', () => {
  it.each([
    ['nothing', ''],
    ['half a file', '{"version":1,"accounts":[{"na'],
    ['another version', '{"version":2,"accounts":[]}'],
    ['no list', '{"version":1,"accounts":{}}'],
    [
      'a password in plain text',
      JSON.stringify({ version: 1, accounts: [{ ...account('ada'), password: 'hunter2' }] }),
    ],
    ['a name that is none', JSON.stringify({ version: 1, accounts: [{ ...account('ada'), name: 'a:b' }] })],
    ['null', 'null'],
  ])('refuses %s, and repeats nothing of it', (_what, text) => {
    writeFileSync(path, text);
    const read = (): unknown => readAccounts(path);
    expect(read).toThrow(AccountFileError);
    expect(read).not.toThrow(/hunter2/);
  });

  it('reads what somebody wrote by hand', () => {
    writeFileSync(path, JSON.stringify({ version: 1, accounts: [account('ada')], note: 'ours' }));
    expect(readAccounts(path)).toEqual([account('ada')]);
    expect(readFileSync(path, 'utf8')).toContain('ours');
  });
});
