/** Bytes as they are. */
import { type Codec, CodecTag } from './codec.js';

/** Passes bytes through. What it decodes is a view into the frame; `slice()` it to keep it for long. */
export const bytesCodec: Codec<Uint8Array> = {
  name: 'bytes',
  tag: CodecTag.Bytes,
  encode: (value) => {
    if (!(value instanceof Uint8Array)) throw new TypeError('the bytes codec takes a Uint8Array');
    return value;
  },
  decode: (body) => body,
};
