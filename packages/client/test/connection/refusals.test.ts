import { CloseCode, closeCodeInfo, FailureCode } from '@chat/protocol';
import { describe, expect, it } from 'vitest';
import { closeError, failureError, mayRetry } from '../../src/connection/refusals.js';
import { ClientError, ClientErrorCode } from '../../src/index.js';

const codes = new Set<string>(Object.values(ClientErrorCode));

describe('a refusal', () => {
  it('has a code for every failure and every close of the protocol', () => {
    for (const code of Object.values(FailureCode)) {
      expect(codes).toContain(failureError({ code, message: 'no' }).code);
    }
    for (const code of Object.values(CloseCode)) expect(codes).toContain(closeError(code, '', 0).code);
  });

  it('has the code of that name for a close code', () => {
    const named = Object.entries(CloseCode).map(([name, code]) => [name, closeError(code, '', 0).code]);
    const same = named.filter(([name, code]) => code === `ERR_CLIENT_${constantCase(name!)}`);
    expect(same.map(([name]) => name)).toEqual([
      'GoingAway',
      'Unauthorized',
      'Forbidden',
      'NameTaken',
      'NameInvalid',
      'Kicked',
      'Banned',
      'SessionReplaced',
      'CredentialsExpired',
      'SlowConsumer',
      'RateLimited',
      'Overloaded',
      'Internal',
    ]);
    expect(Object.fromEntries(named.filter((pair) => !same.includes(pair)))).toEqual({
      Normal: 'ERR_CLIENT_SERVER_CLOSED',
      ProtocolError: 'ERR_CLIENT_PROTOCOL',
      UnsupportedVersion: 'ERR_CLIENT_VERSION_UNSUPPORTED',
      HandshakeTimeout: 'ERR_CLIENT_CONNECT_TIMEOUT',
      FrameTooLarge: 'ERR_CLIENT_PROTOCOL',
      UnknownFrame: 'ERR_CLIENT_PROTOCOL',
      MalformedFrame: 'ERR_CLIENT_PROTOCOL',
      InvalidUtf8: 'ERR_CLIENT_PROTOCOL',
      IdleTimeout: 'ERR_CLIENT_CONNECTION_LOST',
      TooManyConnections: 'ERR_CLIENT_OVERLOADED',
    });
  });

  it('of a later version says no more than that', () => {
    expect(failureError({ code: 'brand-new' as never, message: 'no' }).code).toBe('ERR_CLIENT_INTERNAL');
    expect(closeError(4777, '', 0)).toMatchObject({
      code: 'ERR_CLIENT_SERVER_CLOSED',
      message: 'the server closed the connection (4777)',
    });
  });

  it('carries its numbers', () => {
    const failure = { code: 'too-large', message: 'no', max: 1, actual: 2, retryAfterMs: 3 } as const;
    expect(failureError(failure)).toMatchObject({ max: 1, actual: 2, retryAfterMs: 3 });
    expect(closeError(CloseCode.Overloaded, 'full', 500)).toMatchObject({
      closeCode: CloseCode.Overloaded,
      retryAfterMs: 500,
      message: `full (${CloseCode.Overloaded})`,
    });
  });

  it('may pass where the protocol says so, and where this version does not know it', () => {
    for (const code of [...Object.values(CloseCode), 4777]) {
      expect(mayRetry(closeError(code, '', 0)), `${code}`).toBe(closeCodeInfo(code).retry);
    }
  });

  it('of this side may pass where the connection, and nothing else, is in the way', () => {
    expect(mayRetry(new ClientError('ERR_CLIENT_CONNECT_FAILED', ''))).toBe(true);
    expect(mayRetry(new ClientError('ERR_CLIENT_CONNECTION_LOST', ''))).toBe(true);
    expect(mayRetry(new ClientError('ERR_CLIENT_PROTOCOL', ''))).toBe(false);
    expect(mayRetry(new ClientError('ERR_CLIENT_IDENTITY', ''))).toBe(false);
  });
});

function constantCase(name: string): string {
  return name.replace(/\B[A-Z]/g, '_$&').toUpperCase();
}
