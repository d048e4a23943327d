import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { textCodec } from '../../src/codecs/text.js';
import { codecContract } from '../support/codec-contract.js';

codecContract(textCodec, fc.string({ unit: 'binary' }));

describe('textCodec', () => {
  it('refuses half a surrogate pair', () => {
    expect(() => textCodec.encode('\ud800')).toThrow(TypeError);
  });
});
