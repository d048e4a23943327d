/** JSON as UTF-8. Combine with `withSchema` for values that are typed and checked. */
import { type Codec, CodecTag } from '../codec.js';
import { ProtocolError, type ProtocolErrorCode } from '../errors.js';
import { decodeUtf8, encodeUtf8 } from '../utf8.js';

/** Any JSON value. `encode` throws a TypeError for what JSON cannot say (undefined, functions, cycles). */
export const jsonCodec: Codec<unknown> = {
  name: 'json',
  tag: CodecTag.Json,
  encode: (value) => {
    const text: string | undefined = JSON.stringify(value);
    if (text === undefined) throw new TypeError(`JSON has no form for a ${typeof value}`);
    return encodeUtf8(text);
  },
  decode: (body) => parseJson(body, 'ERR_PROTOCOL_INVALID_BODY'),
};

/** The value that `bytes` are; a frame and a body have different codes for what is not JSON. */
export function parseJson(bytes: Uint8Array, code: ProtocolErrorCode): unknown {
  const text = decodeUtf8(bytes);
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ProtocolError(code, `${bytes.length} bytes are not JSON`, { cause });
  }
}
