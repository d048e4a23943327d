import { describe, expect, it } from 'vitest';
import { encodeSent, readSent } from '../../../src/frames.js';

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

describe('the body of a notice of kind Sent', () => {
  it('is the codec, the name of the receiver and the body of the message', () => {
    const sent = { codec: 2, to: bytes(98, 111, 98), body: bytes(123, 125) };
    const encoded = encodeSent(sent);
    expect(encoded).toEqual(bytes(2, 3, 98, 111, 98, 123, 125));
    expect(readSent(encoded)).toEqual(sent);
  });

  it('is read as what there is, where it was cut', () => {
    const nothing = bytes();
    expect(readSent(bytes(1, 3, 98))).toEqual({ codec: 1, to: bytes(98), body: nothing });
    expect(readSent(nothing)).toEqual({ codec: 0, to: nothing, body: nothing });
  });
});
