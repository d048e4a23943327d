import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ClientError, ClientErrorCode } from '../src/index.js';

const codes = new Set<string>(Object.values(ClientErrorCode));

describe('ClientError', () => {
  it('is known across copies of the package, and nothing else is', () => {
    const copy = Object.assign(new Error('other copy'), { code: 'ERR_CLIENT_CLOSED' });
    expect(ClientError.is(copy)).toBe(false);
    Object.defineProperty(copy, Symbol.for('@chat/client.ClientError'), { value: true });
    expect(ClientError.is(copy)).toBe(true);
    expect(ClientError.is(undefined)).toBe(false);
    expect(ClientError.is(new ClientError('ERR_CLIENT_CLOSED', 'closed'))).toBe(true);
  });
});

describe('the table of codes in the README', () => {
  it('has every code once and no other', () => {
    const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
    const table = readme.slice(readme.indexOf('| code | when |'), readme.indexOf('An aborted call rejects'));
    const rows = table.match(/^\| `ERR.*$/gm) ?? [];
    const named = rows.flatMap((row) => row.split(' | ')[0]!.match(/ERR_CLIENT_\w+/g) ?? []);
    expect(named.slice().sort()).toEqual([...codes].sort());
  });
});
