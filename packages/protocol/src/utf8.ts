/**
 * UTF-8, strict in both directions: bytes that are not UTF-8 and strings that have no UTF-8 form are errors,
 * never replaced by U+FFFD in silence.
 */
import { ProtocolError, ProtocolErrorCode } from './errors.js';

// The two classes exist in Node and in every browser; the compiler knows them only together with the DOM.
declare const TextEncoder: new () => { encode(text: string): Uint8Array };
declare const TextDecoder: new (
  label: string,
  options: { readonly fatal: boolean; readonly ignoreBOM: boolean },
) => { decode(bytes: Uint8Array): string };

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

const LONE_SURROGATE = /\p{Surrogate}/u;

/** @throws TypeError when `text` has a lone surrogate. */
export function encodeUtf8(text: string): Uint8Array {
  if (LONE_SURROGATE.test(text)) throw new TypeError('the text has a lone surrogate and no UTF-8 form');
  return encoder.encode(text);
}

/** @throws ProtocolError `ERR_PROTOCOL_INVALID_UTF8` */
export function decodeUtf8(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw new ProtocolError(ProtocolErrorCode.InvalidUtf8, `${bytes.length} bytes are not valid UTF-8`, {
      cause,
    });
  }
}
