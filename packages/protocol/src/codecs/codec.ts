/**
 * What a message body means. The server never looks inside: a codec is an agreement between the members of a
 * room, and its tag travels with each message so that a reader can tell bodies apart.
 */
import { ProtocolError, ProtocolErrorCode } from '../errors.js';

/**
 * Tags of the codecs that come with this package, of what is left of a message that was taken back, and of a text with
 * what belongs to it (a `RichText`). 16–255 are free for applications.
 */
export const CodecTag = { Bytes: 0, Text: 1, Json: 2, MsgPack: 3, Withdrawn: 4, Rich: 5 } as const;

/** Turns values into message bodies and back. */
export interface Codec<T> {
  /** For error messages. */
  readonly name: string;
  /** 0–255, travels with each message. */
  readonly tag: number;
  /** @returns the body; owned by the caller unless the value itself is bytes */
  encode(value: T): Uint8Array;
  /** @throws ProtocolError `ERR_PROTOCOL_INVALID_BODY` or `ERR_PROTOCOL_INVALID_UTF8` */
  decode(body: Uint8Array): T;
}

/**
 * The part of Standard Schema v1 (standardschema.dev) that is used here: zod, valibot, arktype and others
 * implement it.
 */
export interface StandardSchema<Output> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    /** Answers the value as the schema makes it, or what is wrong with it. */
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>;
    readonly types?: { readonly input: unknown; readonly output: Output } | undefined;
  };
}

/** What a {@link StandardSchema} answers. */
export type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | {
      readonly issues: readonly {
        readonly message: string;
        readonly path?: readonly unknown[] | undefined;
      }[];
    };

/**
 * Restricts a codec to values that a schema accepts, on both sides: `encode` refuses to send, `decode` to
 * deliver, what does not fit.
 *
 * @throws ProtocolError `ERR_PROTOCOL_INVALID_BODY` from `encode` and `decode`, with the schema's messages
 * @throws TypeError from `encode` and `decode` when the schema validates asynchronously
 *
 * @example
 * ```ts
 * import assert from 'node:assert';
 * import { jsonCodec, withSchema } from '@chat/protocol';
 * import { z } from 'zod';
 *
 * const move = withSchema(jsonCodec, z.object({ x: z.number(), y: z.number() }));
 * assert.deepStrictEqual(move.decode(move.encode({ x: 1, y: 2 })), { x: 1, y: 2 });
 * assert.throws(() => move.decode(jsonCodec.encode({ x: 'one' })), { code: 'ERR_PROTOCOL_INVALID_BODY' });
 * ```
 */
export function withSchema<T>(codec: Codec<unknown>, schema: StandardSchema<T>): Codec<T> {
  const check = (value: unknown): T => {
    const result = schema['~standard'].validate(value);
    if ('then' in result) {
      result.then(undefined, () => {});
      throw new TypeError('a schema that validates asynchronously cannot be used in a codec');
    }
    if (result.issues === undefined) return result.value;
    const reasons = result.issues.map((issue) => {
      const path = issue.path?.map((part) => (isKeyed(part) ? part.key : part)).join('.');
      return path ? `${path}: ${issue.message}` : issue.message;
    });
    throw new ProtocolError(
      ProtocolErrorCode.InvalidBody,
      `${codec.name} does not fit its schema: ${reasons.join('; ')}`,
    );
  };
  return {
    name: codec.name,
    tag: codec.tag,
    encode: (value) => codec.encode(check(value)),
    decode: (body) => check(codec.decode(body)),
  };
}

function isKeyed(part: unknown): part is { key: unknown } {
  return typeof part === 'object' && part !== null && 'key' in part;
}
