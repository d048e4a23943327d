/**
 * Parts of the client that a page does not load at first. Each is a module behind an `import()`, which a bundler makes
 * a file of its own, fetched when it is first needed; one that does not split puts it inside. In Node all parts are
 * there from the beginning.
 *
 * A part imports no value of the client, only types: what it needs it is given. Otherwise a bundler moves what both
 * need into a third file, and a page has more to load than without parts.
 */
import { ClientError } from '../errors.js';

/** A part, or how it is fetched. */
export type Lazy<Part extends object> = Part | (() => Promise<Part>);

/**
 * Fetches a part. The platform keeps what it has fetched, and tries again what it could not fetch.
 *
 * @throws ClientError (as a rejection) `ERR_CLIENT_LOAD_FAILED`
 */
export async function load<Part>(fetching: () => Promise<Part>): Promise<Part> {
  try {
    return await fetching();
  } catch (cause) {
    throw new ClientError('ERR_CLIENT_LOAD_FAILED', `a part of the client is missing: ${cause}`, { cause });
  }
}
