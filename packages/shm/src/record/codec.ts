/**
 * What values become in shared memory, and back: the typed form of every structure that carries content.
 *
 * Without a codec a structure carries `Uint8Array`s as they are. With one, values are encoded before anything else happens, so a value that
 * cannot be encoded is refused alone; and what cannot be decoded is an error of its own, which names the codec's error as
 * its `cause` and does not stop the reader from going on behind it.
 */
import { deserialize, serialize } from 'node:v8';
import { ShmError } from '../errors.js';
import { checkBytes, checkLength } from './check.js';

/** Encodes and decodes values of one type. Both sides of a structure use the same. */
export interface Codec<T> {
  /** Returns bytes that nobody changes any more. What it throws, the sender gets. */
  encode(value: T): Uint8Array;
  /** Is given bytes that it may keep. What it throws is the `cause` of `ERR_SHM_PAYLOAD`. */
  decode(bytes: Uint8Array): T;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Strings, as UTF-8. A lone surrogate becomes U+FFFD. */
export const textCodec: Codec<string> = {
  encode(value) {
    if (typeof value !== 'string') throw new TypeError(`a text is a string, not ${typeof value}`);
    return encoder.encode(value);
  },
  decode: (bytes) => decoder.decode(bytes),
};

/** What JSON can say. The type is not checked: see {@link schemaCodec}. */
export function jsonCodec<T = unknown>(): Codec<T> {
  return {
    encode(value) {
      const text = JSON.stringify(value) as string | undefined;
      if (text === undefined) throw new TypeError(`JSON has no ${typeof value}`);
      return encoder.encode(text);
    },
    decode: (bytes) => JSON.parse(decoder.decode(bytes)) as T,
  };
}

/**
 * What `structuredClone` takes: also Map, Set, Date, BigInt, typed arrays and cycles. In the format of V8, which newer versions of Node
 * read from older ones and not always the other way round.
 *
 * @example
 * ```ts
 * import assert from 'node:assert';
 * import { cloneCodec, openLatest, unlink } from '@chat/shm';
 *
 * const scores = openLatest('scores', { codec: cloneCodec<Map<string, Date>>() });
 * scores.write(new Map([['ada', new Date(0)]]));
 * assert.equal(scores.read()?.get('ada')?.getTime(), 0);
 * scores.close();
 * unlink('scores');
 * ```
 */
export function cloneCodec<T = unknown>(): Codec<T> {
  return { encode: (value) => serialize(value), decode: (bytes) => deserialize(bytes) as T };
}

/** A validator of the Standard Schema (https://standardschema.dev), as Zod, Valibot and ArkType make them, as far as it is used here. */
export interface StandardSchema<T> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    /** Returns the value, or what is wrong with it. */
    readonly validate: (value: unknown) => SchemaResult<T> | Promise<SchemaResult<T>>;
    readonly types?: { readonly input: T; readonly output: T } | undefined;
  };
}

/** What a {@link StandardSchema} says of a value. */
export type SchemaResult<T> =
  | { readonly value: T; readonly issues?: undefined }
  | {
      readonly issues: readonly {
        readonly message: string;
        readonly path?: readonly unknown[] | undefined;
      }[];
    };

/**
 * Values that `schema` accepts, carried by `codec`: checked before they are sent and after they are received. The validator must not be
 * asynchronous.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { openChannel, schemaCodec, type StandardSchema } from '@chat/shm';
 *
 * // Usually made by Zod, Valibot or ArkType.
 * const Point: StandardSchema<{ x: number }> = {
 *   '~standard': {
 *     version: 1,
 *     vendor: 'example',
 *     validate: (value) =>
 *       typeof (value as { x?: unknown })?.x === 'number'
 *         ? { value: value as { x: number } }
 *         : { issues: [{ message: 'x is a number' }] },
 *   },
 * };
 * using points = openChannel('points', { side: 'a', codec: schemaCodec(Point) });
 * assert.throws(() => points.trySend({ x: 'left' } as never), TypeError);
 * points.unlink();
 * ```
 */
export function schemaCodec<T>(schema: StandardSchema<T>, codec: Codec<unknown> = jsonCodec()): Codec<T> {
  const checked = (value: unknown): T => {
    const result = schema['~standard'].validate(value);
    if (result instanceof Promise)
      throw new TypeError('a schema that validates asynchronously cannot be used here');
    if (result.issues === undefined) return result.value;
    const issues = result.issues.map(({ message, path }) => {
      const keys = path?.map((key) =>
        typeof key === 'object' && key !== null && 'key' in key ? key.key : key,
      );
      return keys === undefined || keys.length === 0 ? message : `${keys.join('.')}: ${message}`;
    });
    throw new TypeError(`not what the schema accepts: ${issues.join('; ')}`);
  };
  return { encode: (value) => codec.encode(checked(value)), decode: (bytes) => checked(codec.decode(bytes)) };
}

/** Content of one structure on its way in and out. */
export class Content<T> {
  readonly #codec: Codec<T> | undefined;
  readonly #what: string;
  readonly #maxBytes: number;
  readonly #limit: string;

  /** `what` names it in messages, for example `a message`, and `limit` says what bounds it. */
  constructor(codec: Codec<T> | undefined, what: string, maxBytes: number, limit: string) {
    if (codec !== undefined && (typeof codec?.encode !== 'function' || typeof codec.decode !== 'function')) {
      throw new TypeError('a codec has the functions encode and decode');
    }
    this.#codec = codec;
    this.#what = what;
    this.#maxBytes = maxBytes;
    this.#limit = limit;
  }

  /** The first thing in every writer: a wrong value is refused alone. @throws {@link ShmError} `ERR_SHM_TOO_LARGE` */
  encode(value: T): Uint8Array {
    // What a busy sender sends: nothing else is compiled into its loop.
    const isPlain = this.#codec === undefined && value instanceof Uint8Array;
    return isPlain && value.length <= this.#maxBytes ? value : this.#encode(value);
  }

  #encode(value: T): Uint8Array {
    const bytes: unknown = this.#codec === undefined ? value : this.#codec.encode(value);
    checkBytes(bytes, this.#what);
    checkLength(bytes.length, this.#maxBytes, this.#what, this.#limit);
    return bytes;
  }

  /** @throws {@link ShmError} `ERR_SHM_PAYLOAD` */
  decode(bytes: Uint8Array): T {
    if (this.#codec === undefined) return bytes as T;
    try {
      return this.#codec.decode(bytes);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new ShmError(
        'ERR_SHM_PAYLOAD',
        `${this.#what} of ${bytes.length} bytes cannot be decoded: ${reason}`,
        { cause: error },
      );
    }
  }
}
