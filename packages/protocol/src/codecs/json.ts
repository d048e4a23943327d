/** JSON as UTF-8. Combine with `withSchema` for values that are typed and checked. */
import { decodeJson, encodeJson } from '../bytes/json.js';
import { type Codec, CodecTag } from './codec.js';

/** Any JSON value. `encode` throws a TypeError for what JSON cannot say (undefined, functions, cycles). */
export const jsonCodec: Codec<unknown> = {
  name: 'json',
  tag: CodecTag.Json,
  encode: encodeJson,
  decode: (body) => decodeJson(body, 'ERR_PROTOCOL_INVALID_BODY'),
};
