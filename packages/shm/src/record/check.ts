/**
 * The one check of what a user hands over to be written: bytes, and not too many of them.
 *
 * It comes first in every public writer, before anything is queued, claimed or copied. So a wrong argument is refused alone, at its
 * own call, and nothing that was written or waits beside it is touched.
 */
import { isUint8Array } from 'node:util/types';
import { ShmError } from '../errors.js';

/** @throws {TypeError} when `content` is not a `Uint8Array`, of this realm or another. `what` names it, for example `a message`. */
export function checkBytes(content: unknown, what: string): asserts content is Uint8Array {
  // The first test is the fast one; the second knows arrays of other realms, as `node:vm` makes them.
  if (content instanceof Uint8Array || isUint8Array(content)) return;
  const seen = content === null ? 'null' : Array.isArray(content) ? 'an array' : `a ${typeof content}`;
  throw new TypeError(`${what} is a Uint8Array, not ${seen}: encode it first`);
}

/** @throws {@link ShmError} `ERR_SHM_TOO_LARGE`. `limit` is the name of the limit and says whose it is. */
export function checkLength(length: number, maxBytes: number, what: string, limit: string): void {
  if (length <= maxBytes) return;
  throw new ShmError('ERR_SHM_TOO_LARGE', `${what} of ${length} bytes exceeds ${limit} ${maxBytes}`);
}
