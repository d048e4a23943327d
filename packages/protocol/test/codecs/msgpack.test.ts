import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { msgpackCodec } from '../../src/codecs/msgpack.js';
import { ProtocolErrorCode } from '../../src/errors.js';
import { codecContract } from '../support/codec-contract.js';

const value = fc.oneof(
  fc.jsonValue().map((json) => JSON.parse(JSON.stringify(json)) as unknown),
  fc.uint8Array(),
  fc.integer(),
  // An integer in MessagePack has no -0.
  fc.float({ noNaN: true }).map((float) => float + 0),
);

// The library refuses the key "__proto__", as it should.
codecContract(
  msgpackCodec,
  value.filter((json) => !JSON.stringify(json).includes('__proto__')),
);

describe('msgpackCodec', () => {
  it('refuses a body of nested headers that announce gigabytes, without allocating for them', () => {
    const bomb = new Uint8Array(5 * 13_000);
    for (let at = 0; at < bomb.length; at += 5) bomb.set([0xdd, 0, 0, 0xff, 0xff], at);
    const before = process.memoryUsage().rss;
    expect(() => msgpackCodec.decode(bomb)).toThrow(
      expect.objectContaining({ code: ProtocolErrorCode.InvalidBody }),
    );
    expect(process.memoryUsage().rss - before).toBeLessThan(200_000_000);
  });

  it('refuses what MessagePack cannot say', () => {
    expect(() => msgpackCodec.encode(() => 1)).toThrow(TypeError);
    expect(() => msgpackCodec.encode(1n)).toThrow(TypeError);
  });
});
