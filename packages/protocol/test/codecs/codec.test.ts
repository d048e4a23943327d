import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type StandardSchema, withSchema } from '../../src/codecs/codec.js';
import { jsonCodec } from '../../src/codecs/json.js';
import { ProtocolErrorCode } from '../../src/errors.js';

const codec = withSchema(jsonCodec, z.object({ x: z.number(), at: z.object({ y: z.string() }) }));

describe('withSchema', () => {
  it('keeps name and tag of the codec below', () => {
    expect(codec).toMatchObject({ name: 'json', tag: jsonCodec.tag });
  });

  it('refuses to decode what does not fit, and says where', () => {
    const body = jsonCodec.encode({ x: 1, at: { y: 2 } });
    expect(() => codec.decode(body)).toThrow(
      expect.objectContaining({
        code: ProtocolErrorCode.InvalidBody,
        message: expect.stringContaining('at.y: ') as string,
      }),
    );
  });

  it('refuses to encode what does not fit', () => {
    expect(() => codec.encode({ x: 'one' } as never)).toThrow(
      expect.objectContaining({ code: ProtocolErrorCode.InvalidBody }),
    );
  });

  it('delivers what the schema makes of the value', () => {
    const trimmed = withSchema(jsonCodec, z.string().trim());
    expect(trimmed.decode(jsonCodec.encode(' a '))).toBe('a');
  });

  it('refuses a schema that answers later, and leaves no rejection behind', () => {
    const later: StandardSchema<string> = {
      '~standard': { version: 1, vendor: 'test', validate: () => Promise.reject(new Error('late')) },
    };
    expect(() => withSchema(jsonCodec, later).encode('a')).toThrow(TypeError);
  });

  it('reads issues without a path, with keys and with path segments', () => {
    const strict = (path: readonly unknown[] | undefined): StandardSchema<string> => ({
      '~standard': { version: 1, vendor: 'test', validate: () => ({ issues: [{ message: 'no', path }] }) },
    });
    expect(() => withSchema(jsonCodec, strict(undefined)).encode('a')).toThrow(/schema: no$/);
    expect(() => withSchema(jsonCodec, strict(['a', { key: 0 }])).encode('a')).toThrow(/schema: a\.0: no$/);
  });
});
