/**
 * MessagePack, through the optional peer `@msgpack/msgpack`. A subpath of its own, so that who does not use
 * it need not install it: `import { msgpackCodec } from '@chat/protocol/msgpack'`.
 */
import { decode, encode } from '@msgpack/msgpack';
import { type Codec, CodecTag } from '../codec.js';
import { ProtocolError, ProtocolErrorCode } from '../errors.js';

/** Any value that MessagePack can say. Maps and sets are not among them: they would become empty objects. */
export const msgpackCodec: Codec<unknown> = {
  name: 'msgpack',
  tag: CodecTag.MsgPack,
  encode: (value) => encode(value),
  decode: (body) => {
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
