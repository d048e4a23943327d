import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jsonCodec } from '../../src/codecs/json.js';
import { codecContract } from '../support/codec-contract.js';

codecContract(
  jsonCodec,
  fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value)) as unknown),
);

describe('jsonCodec', () => {
  it.each([undefined, () => 1, Symbol('a'), 1n])('refuses a value that JSON cannot say', (value) => {
    expect(() => jsonCodec.encode(value)).toThrow(TypeError);
  });

  it('refuses a cycle', () => {
    const cycle: { self?: unknown } = {};
    cycle.self = cycle;
    expect(() => jsonCodec.encode(cycle)).toThrow(TypeError);
  });
});
