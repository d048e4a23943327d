/**
 * UTF-8, strict in both directions: bytes that are not UTF-8 and strings that have no UTF-8 form are errors,
 * never replaced by U+FFFD in silence.
 */
import { ProtocolError } from '../errors.js';

// The two classes exist in Node and in every browser; the compiler knows them only together with the DOM.
declare class TextEncoder {
  encode(text: string): Uint8Array;
}
declare class TextDecoder {
  constructor(label: string, options: { readonly fatal: boolean; readonly ignoreBOM: boolean });
  decode(bytes: Uint8Array): string;
}

// Made at the first call, so that the package loads where the classes are missing, as in old versions of jsdom.
let encoder: TextEncoder | undefined;
let decoder: TextDecoder | undefined;

const LONE_SURROGATE = /[\uD800-\uDFFF]/u;

// Up to here a loop beats TextEncoder, which allocates outside the heap; most names and many messages are that short.
const SHORT_ASCII_LENGTH = 64;

/** @throws TypeError when `text` is not a string, or has a lone surrogate. */
export function encodeUtf8(text: string): Uint8Array {
  if (typeof text !== 'string') throw new TypeError(`a string is needed, not a value of type ${typeof text}`);
  if (text.length <= SHORT_ASCII_LENGTH) {
    const bytes = new Uint8Array(text.length);
    let i = 0;
    for (; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      if (unit > 0x7f) break;
      bytes[i] = unit;
    }
    if (i === text.length) return bytes;
  }
  if (LONE_SURROGATE.test(text)) throw new TypeError('a lone surrogate has no UTF-8 form');
  encoder ??= new TextEncoder();
  return encoder.encode(text);
}

/** @throws ProtocolError `ERR_PROTOCOL_INVALID_UTF8` */
export function decodeUtf8(bytes: Uint8Array): string {
  decoder ??= new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw new ProtocolError('ERR_PROTOCOL_INVALID_UTF8', `${bytes.length} bytes are not valid UTF-8`, {
      cause,
    });
  }
}
