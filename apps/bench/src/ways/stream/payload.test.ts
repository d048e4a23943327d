import { describe, expect, it } from 'vitest';
import { checkPayload, createPayload, writePayloadNumber } from './payload.js';

describe('payload', () => {
  it('carries its number through', () => {
    const bytes = createPayload(16);
    for (const number of [0, 1, 99_999, 4_294_967_296]) {
      writePayloadNumber(bytes, 0, number);
      expect(checkPayload(bytes, 0, 16)).toBe(number);
    }
  });

  it('is refused when one byte differs', () => {
    const bytes = createPayload(16);
    bytes[12] = 0;
    expect(() => checkPayload(bytes, 0, 16)).toThrow('byte 12 of message 0 is 0');
  });

  it('cannot be shorter than its number', () => {
    expect(() => createPayload(9)).toThrow(RangeError);
  });
});
