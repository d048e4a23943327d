/** Text as UTF-8, strict in both directions. */

import { decodeUtf8, encodeUtf8 } from '../bytes/utf8.js';
import { type Codec, CodecTag } from './codec.js';

/** The codec of chat messages: strings. `encode` throws a TypeError for a lone surrogate. */
export const textCodec: Codec<string> = {
  name: 'text',
  tag: CodecTag.Text,
  encode: encodeUtf8,
  decode: decodeUtf8,
};
