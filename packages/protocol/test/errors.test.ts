import { describe, expect, it } from 'vitest';
import { CLOSE_CODE_OF_ERROR, closeCodeInfo } from '../src/close-code.js';
import { ProtocolError, ProtocolErrorCode } from '../src/errors.js';
import { readme, table } from './support/protocol-document.js';

describe('ProtocolError', () => {
  it('recognises errors of another copy of the package, and nothing else', () => {
    const foreign = Object.defineProperty(new Error('x'), Symbol.for('@chat/protocol.ProtocolError'), {
      value: true,
    });
    expect(ProtocolError.is(foreign)).toBe(true);
    expect(ProtocolError.is(new ProtocolError(ProtocolErrorCode.BadPreface, 'x'))).toBe(true);
    for (const value of [new Error('x'), undefined, null, 'ERR_PROTOCOL_BAD_PREFACE', { code: 'x' }]) {
      expect(ProtocolError.is(value)).toBe(false);
    }
  });

  it('keeps its cause', () => {
    const cause = new Error('below');
    expect(new ProtocolError(ProtocolErrorCode.InvalidBody, 'x', { cause })).toMatchObject({
      name: 'ProtocolError',
      message: 'x',
      code: 'ERR_PROTOCOL_INVALID_BODY',
      cause,
    });
  });

  it('has the codes and close codes that the README lists', () => {
    const rows = table(readme, 'code').map(([code, , close]) => [code, close]);
    expect(rows).toEqual(
      Object.values(ProtocolErrorCode).map((code) => [code, closeCodeInfo(CLOSE_CODE_OF_ERROR[code]).name]),
    );
  });
});
