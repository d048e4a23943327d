import { readFileSync } from 'node:fs';
import { CloseCode, FailureCode } from '@chat/protocol';
import { describe, expect, it } from 'vitest';
import { closeError, failureError, mayRetry } from '../src/errors.js';
import { ClientError, ClientErrorCode } from '../src/index.js';

const codes = new Set<string>(Object.values(ClientErrorCode));

describe('ClientError', () => {
  it('has a code for every refusal and every close of the protocol', () => {
    for (const code of Object.values(FailureCode)) {
      expect(codes).toContain(failureError({ code, message: 'no' }).code);
    }
    for (const code of Object.values(CloseCode)) expect(codes).toContain(closeError(code, '', 0).code);
  });

  it('says no more than that about refusals of a later version', () => {
    expect(failureError({ code: 'brand-new' as never, message: 'no' }).code).toBe('ERR_CLIENT_INTERNAL');
    expect(closeError(4777, '', 0).code).toBe('ERR_CLIENT_SERVER_CLOSED');
  });

  it('is known across copies of the package, and nothing else is', () => {
    const copy = Object.assign(new Error('other copy'), { code: 'ERR_CLIENT_CLOSED' });
    expect(ClientError.is(copy)).toBe(false);
    Object.defineProperty(copy, Symbol.for('@chat/client.ClientError'), { value: true });
    expect(ClientError.is(copy)).toBe(true);
    expect(ClientError.is(undefined)).toBe(false);
    expect(ClientError.is(new ClientError('ERR_CLIENT_CLOSED', 'closed'))).toBe(true);
  });

  it('carries the numbers of a refusal', () => {
    const failure = { code: 'too-large', message: 'no', max: 1, actual: 2, retryAfterMs: 3 } as const;
    expect(failureError(failure)).toMatchObject({ max: 1, actual: 2, retryAfterMs: 3 });
    expect(closeError(CloseCode.Overloaded, 'full', 500)).toMatchObject({
      closeCode: CloseCode.Overloaded,
      retryAfterMs: 500,
      message: 'full (overloaded)',
    });
  });

  it('tells what may pass', () => {
    expect(mayRetry(closeError(CloseCode.GoingAway, '', 0))).toBe(true);
    expect(mayRetry(closeError(CloseCode.Kicked, '', 0))).toBe(false);
    expect(mayRetry(new ClientError('ERR_CLIENT_CONNECT_FAILED', ''))).toBe(true);
    expect(mayRetry(new ClientError('ERR_CLIENT_PROTOCOL', ''))).toBe(false);
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
