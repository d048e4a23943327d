/** Passwords as they are kept: what is written, what is compared, and how many are at work at once. */
import { scryptSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { isPasswordHash, PasswordHasher, TooBusy } from '../../src/accounts/password-hash.js';

const CHEAP = { ln: 4, r: 8, p: 1 };

describe('PasswordHasher', () => {
  it('keeps parameters and a salt of its own beside each hash, and knows the password again', async () => {
    const hasher = new PasswordHasher({ cost: CHEAP });
    const [one, two] = [await hasher.hash('correct horse'), await hasher.hash('correct horse')];
    expect(one).toMatch(/^\$scrypt\$ln=4,r=8,p=1\$[\w+/]{22}\$[\w+/]{43}$/);
    expect(one).not.toBe(two);
    expect(await hasher.verify('correct horse', one)).toBe(true);
    expect(await hasher.verify('correct horse ', one)).toBe(false);
    expect(await hasher.verify('', one)).toBe(false);
    // Another program reads it the same way.
    const [, , , salt, hash] = one.split('$') as [string, string, string, string, string];
    const derived = scryptSync('correct horse', Buffer.from(salt, 'base64'), 32, { N: 16, r: 8, p: 1 });
    expect(derived.equals(Buffer.from(hash, 'base64'))).toBe(true);
  });

  it('costs 32 MiB and three rounds by default, and reads hashes of another cost', async () => {
    const kept = await new PasswordHasher().hash('correct horse');
    expect(kept).toContain('$ln=15,r=8,p=3$');
    const cheap = await new PasswordHasher({ cost: CHEAP }).hash('correct horse');
    expect(await new PasswordHasher().verify('correct horse', cheap)).toBe(true);
  });

  it('takes letters that are written in two ways for the same', async () => {
    const hasher = new PasswordHasher({ cost: CHEAP });
    expect(await hasher.verify('cafe\u0301 au lait', await hasher.hash('caf\u00e9 au lait'))).toBe(true);
  });

  it('says no where nothing is kept, after the same work', async () => {
    const hasher = new PasswordHasher({ cost: CHEAP });
    const answer = hasher.verify('anything', undefined);
    expect(hasher.working).toBe(1);
    expect(await answer).toBe(false);
    expect(hasher.working).toBe(0);
  });

  it('has few at work at once, some in line, and sends the others away', async () => {
    const hasher = new PasswordHasher({ cost: CHEAP, atOnce: 2, maxWaiting: 3 });
    const kept = await hasher.hash('right');
    let most = 0;
    const all = Array.from({ length: 8 }, () => {
      const answer = hasher.verify('right', kept).catch((error: unknown) => error);
      most = Math.max(most, hasher.working);
      return answer;
    });
    const answers = await Promise.all(all);
    expect(most).toBe(2);
    expect(answers.filter((answer) => answer === true)).toHaveLength(5);
    expect(answers.filter((answer) => answer instanceof TooBusy)).toHaveLength(3);
    expect(hasher.working).toBe(0);
    expect(await hasher.verify('right', kept)).toBe(true);
  });
});

describe('isPasswordHash', () => {
  const end = `$${'A'.repeat(22)}$${'A'.repeat(43)}`;

  it('takes what may be paid for', () => {
    expect(isPasswordHash(`$scrypt$ln=15,r=8,p=3${end}`)).toBe(true);
  });

  it.each([
    '',
    'secret',
    `$scrypt$ln=22,r=8,p=1${end}`,
    `$scrypt$ln=15,r=8,p=99${end}`,
    '$scrypt$ln=15,r=8,p=1$$',
  ])('refuses %j', (text) => {
    expect(isPasswordHash(text)).toBe(false);
  });
});
