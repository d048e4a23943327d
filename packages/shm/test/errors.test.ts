import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ShmError, ShmErrorCode } from '../src/errors.js';

describe('ShmError', () => {
  it('has a code, a message and a cause', () => {
    const cause = new Error('errno');
    const error = new ShmError('ERR_SHM_IO', 'reading failed', { cause });
    expect(error).toMatchObject({ name: 'ShmError', code: 'ERR_SHM_IO', message: 'reading failed', cause });
  });

  it('says what its code means when told nothing else', () => {
    expect(new ShmError('ERR_SHM_EXISTS').message).toBe(ShmErrorCode.ERR_SHM_EXISTS);
  });

  it('is recognised across two copies of the package', () => {
    const foreign = Object.defineProperty(new Error('x'), Symbol.for('@chat/shm/ShmError'), { value: true });
    expect(ShmError.is(foreign)).toBe(true);
    expect(ShmError.is(new ShmError('ERR_SHM_IO'))).toBe(true);
  });

  it.each([undefined, null, 'ERR_SHM_IO', new Error('ERR_SHM_IO'), { code: 'ERR_SHM_IO' }])(
    'does not take %s for one',
    (value) => {
      expect(ShmError.is(value)).toBe(false);
    },
  );
});

describe('the table of errors in the README', () => {
  it('is the one of the code', () => {
    const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
    const rows = [...readme.matchAll(/\| `(ERR_SHM_\w+)` \| ([^|]+) (?=\|)/g)].map(([, code, meaning]) => [
      code,
      meaning,
    ]);
    expect(Object.fromEntries(rows)).toEqual(ShmErrorCode);
  });
});
