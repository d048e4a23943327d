/**
 * MessagePack, by the library `@msgpack/msgpack`, which is built in: there is nothing to install. A subpath of its own,
 * so that only its users load it: `import { msgpackCodec } from '@chat/protocol/msgpack'`.
 *
 * A header of MessagePack announces a count, for which a decoder allocates at once; a few hundred nested
 * headers would cost gigabytes. So the headers are walked first, and a body that announces more values than
 * it has bytes is refused before anything is allocated.
 */
import { decode, encode } from '@msgpack/msgpack';
import { ProtocolError, ProtocolErrorCode } from '../errors.js';
import { type Codec, CodecTag } from './codec.js';
import { announcesTooMuch } from './msgpack-size-check.js';

/**
 * Any value that MessagePack can say, but not a map or a set, which would become an empty object, and not
 * `undefined`, which comes back as `null`. Binary values that it decodes are views into the body.
 *
 * @throws TypeError from `encode` when MessagePack has no form for the value
 * @throws ProtocolError `ERR_PROTOCOL_INVALID_BODY` from `decode`
 *
 * @example
 * ```ts
 * import assert from 'node:assert';
 * import { msgpackCodec } from '@chat/protocol/msgpack';
 *
 * const body = msgpackCodec.encode({ x: 1, tags: ['a', 'b'] });
 * assert.equal(body.length, 14);
 * assert.deepStrictEqual(msgpackCodec.decode(body), { x: 1, tags: ['a', 'b'] });
 * ```
 */
export const msgpackCodec: Codec<unknown> = {
  name: 'msgpack',
  tag: CodecTag.MsgPack,
  encode: (value) => {
    try {
      return encode(value);
    } catch (cause) {
      throw new TypeError(`MessagePack has no form for this ${typeof value}`, { cause });
    }
  },
  decode: (body) => {
    if (announcesTooMuch(body)) {
      throw new ProtocolError(
        ProtocolErrorCode.InvalidBody,
        `a body of ${body.length} bytes announces more MessagePack values than it can hold`,
      );
    }
    try {
      return decode(body);
    } catch (cause) {
      throw new ProtocolError(
        ProtocolErrorCode.InvalidBody,
        `a body of ${body.length} bytes is not MessagePack`,
        { cause },
      );
    }
  },
};
