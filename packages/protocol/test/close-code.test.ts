import { describe, expect, it } from 'vitest';
import { CLOSE_CODE_OF_ERROR, CloseCode, closeCodeInfo } from '../src/close-code.js';

describe('closeCodeInfo', () => {
  it('has a kebab-case name of its own for every code', () => {
    const names = Object.values(CloseCode).map((code) => closeCodeInfo(code).name);
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) expect(name).toMatch(/^[a-z]+(-[a-z0-9]+)*$/);
  });

  it('says after which of them a client may come back', () => {
    const known = Object.values(CloseCode).map((code) => closeCodeInfo(code));
    expect(known.filter(({ retry }) => retry).map(({ name }) => name)).toEqual([
      'going-away',
      'handshake-timeout',
      'credentials-expired',
      'slow-consumer',
      'rate-limited',
      'idle-timeout',
      'overloaded',
      'too-many-connections',
      'internal',
    ]);
    expect(known.filter(({ retry }) => !retry).map(({ name }) => name)).toEqual([
      'normal',
      'protocol-error',
      'unsupported-version',
      'frame-too-large',
      'unknown-frame',
      'malformed-frame',
      'invalid-utf8',
      'unauthorized',
      'forbidden',
      'name-taken',
      'name-invalid',
      'kicked',
      'banned',
      'session-replaced',
    ]);
  });

  it('lets a client come back after a code that it does not know', () => {
    expect(closeCodeInfo(4999)).toEqual({ name: 'code-4999', retry: true });
  });

  it('uses only numbers that a WebSocket may carry', () => {
    for (const code of Object.values(CloseCode)) {
      expect(code === 1000 || code === 1001 || (code >= 4000 && code <= 4999)).toBe(true);
    }
  });
});

it('answers each kind of malformed input by the code of that name', () => {
  expect(CLOSE_CODE_OF_ERROR).toEqual({
    ERR_PROTOCOL_FRAME_TOO_LARGE: CloseCode.FrameTooLarge,
    ERR_PROTOCOL_FRAME_TOO_SHORT: CloseCode.MalformedFrame,
    ERR_PROTOCOL_FRAME_UNKNOWN: CloseCode.UnknownFrame,
    ERR_PROTOCOL_FRAME_MALFORMED: CloseCode.MalformedFrame,
    ERR_PROTOCOL_BAD_PREFACE: CloseCode.ProtocolError,
    ERR_PROTOCOL_VERSION_UNSUPPORTED: CloseCode.UnsupportedVersion,
    ERR_PROTOCOL_INVALID_UTF8: CloseCode.InvalidUtf8,
    ERR_PROTOCOL_INVALID_BODY: CloseCode.MalformedFrame,
    ERR_PROTOCOL_LINE_TOO_LONG: CloseCode.FrameTooLarge,
  });
});
