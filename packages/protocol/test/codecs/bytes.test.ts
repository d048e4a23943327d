import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytesCodec } from '../../src/codecs/bytes.js';
import { codecContract } from '../support/codec-contract.js';

codecContract(bytesCodec, fc.uint8Array());

describe('bytesCodec', () => {
  it('copies nothing', () => {
    const body = Uint8Array.of(1, 2);
    expect(bytesCodec.encode(body)).toBe(body);
    expect(bytesCodec.decode(body)).toBe(body);
  });

  it('refuses what is not bytes', () => {
    expect(() => bytesCodec.encode('text' as never)).toThrow(TypeError);
  });
});
