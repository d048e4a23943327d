import { describe, expect, it } from 'vitest';
import { decodeJson, encodeJson } from '../../src/bytes/json.js';
import { encodeUtf8 } from '../../src/bytes/utf8.js';

describe('JSON', () => {
  it('comes back as it went', () => {
    const value = { name: 'مريم', list: [1, null, true] };
    expect(decodeJson(encodeJson(value), 'ERR_PROTOCOL_INVALID_BODY')).toEqual(value);
  });

  it.each([undefined, () => 1, 1n])('has no form for %s', (value) => {
    expect(() => encodeJson(value)).toThrow(TypeError);
  });

  it('is refused with the code of the caller where it is none, and as text where it is no text', () => {
    expect(() => decodeJson(encodeUtf8('{{'), 'ERR_PROTOCOL_FRAME_MALFORMED')).toThrow(
      expect.objectContaining({ code: 'ERR_PROTOCOL_FRAME_MALFORMED', message: '2 bytes are not JSON' }),
    );
    expect(() => decodeJson(Uint8Array.of(0xff), 'ERR_PROTOCOL_FRAME_MALFORMED')).toThrow(
      expect.objectContaining({ code: 'ERR_PROTOCOL_INVALID_UTF8' }),
    );
  });
});
