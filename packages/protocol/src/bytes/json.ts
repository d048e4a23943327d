/** JSON as UTF-8. What the value is, is for its receiver to check. */
import { ProtocolError, type ProtocolErrorCode } from '../errors.js';
import { decodeUtf8, encodeUtf8 } from './utf8.js';

/** @throws TypeError for what JSON cannot say: undefined, functions, cycles */
export function encodeJson(value: unknown): Uint8Array {
  const text: string | undefined = JSON.stringify(value);
  if (text === undefined) throw new TypeError(`JSON has no form for a ${typeof value}`);
  return encodeUtf8(text);
}

/**
 * @param code of the error where the bytes are UTF-8 and not JSON: a frame and a body have different ones
 * @throws ProtocolError `code`, `ERR_PROTOCOL_INVALID_UTF8`
 */
export function decodeJson(bytes: Uint8Array, code: ProtocolErrorCode): unknown {
  const text = decodeUtf8(bytes);
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ProtocolError(code, `${bytes.length} bytes are not JSON`, { cause });
  }
}
