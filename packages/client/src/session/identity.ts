/**
 * How a server recognises a client that comes back as a new session: by a secret that all hellos of the
 * client share.
 *
 * A session whose connection broke keeps its name for a while. The client that has the secret of the
 * session's hello gets this name at once, in a new session. So a client that keeps the secret over a
 * restart, or a reload of its page, comes back as itself. Hellos are counted, over restarts as well, so
 * that one that was held up on its way does not undo a later one.
 */
import type { Clock } from '../clock.js';
import { ClientError, missing } from '../errors.js';

/**
 * The part of a client that outlives its process or page. To be given back as it was; of no use to be looked
 * into.
 */
export interface ClientIdentity {
  /** Known to the client and the server alone. */
  readonly secret: string;
  /** How often a process, or a page, has begun with it. */
  readonly run: number;
}

/** Keeps the identity of a client, which belongs to one process or page at a time. */
export interface IdentityStore {
  /**
   * Gives the identity that was saved last; none makes a new one. Asked once, before the first attempt to
   * connect.
   */
  load(): Promise<ClientIdentity | null | undefined> | ClientIdentity | null | undefined;
  /** Keeps it. The client connects once this is done. */
  save(identity: ClientIdentity): Promise<void> | void;
  /** Told when the client is closed: somebody else may come with it. The saved identity stays. */
  release?(): void;
}

/** As whom a client says hello. */
export interface Self {
  readonly secret: string;
  /** Hellos so far, those of earlier runs included. */
  attempts: number;
}

/** More than a run can have: an attempt has 48 bits. */
const ATTEMPTS_PER_RUN = 2 ** 20;

const MIN_SECRET_LENGTH = 16;
const MAX_SECRET_LENGTH = 64;

/**
 * An identity that nobody keeps, but perhaps the program its secret.
 *
 * @throws ClientError `ERR_CLIENT_PLATFORM`
 */
export function makeIdentity(secret: string | undefined, clock: Clock): Self {
  // The time of day is what rises from one run to the next.
  return secret === undefined ? { secret: makeSecret(), attempts: 0 } : { secret, attempts: clock.now() };
}

/**
 * @throws ClientError (as a rejection) `ERR_CLIENT_IDENTITY`, `ERR_CLIENT_PLATFORM`; the reason of `signal`
 */
export async function loadIdentity(store: IdentityStore, signal: AbortSignal): Promise<Self> {
  try {
    signal.throwIfAborted();
    const known = await store.load();
    signal.throwIfAborted();
    const [secret, run] = known ? [known.secret, known.run + 1] : [makeSecret(), 0];
    await store.save({ secret, run });
    return { secret, attempts: run * ATTEMPTS_PER_RUN };
  } catch (cause) {
    if (ClientError.is(cause) || signal.aborted) throw cause;
    throw new ClientError('ERR_CLIENT_IDENTITY', `the identity cannot be kept: ${cause}`, { cause });
  }
}

/** Whether `value` is an identity that was saved. */
export function isIdentity(value: unknown): value is ClientIdentity {
  const { secret, run } = (value ?? {}) as Partial<ClientIdentity>;
  return isSecret(secret) && Number.isInteger(run);
}

/** Whether `value` is long enough not to be guessed, and not longer than servers take. */
export function isSecret(value: unknown): value is string {
  return typeof value === 'string' && value.length >= MIN_SECRET_LENGTH && value.length <= MAX_SECRET_LENGTH;
}

function makeSecret(): string {
  const { crypto } = globalThis;
  if (crypto?.getRandomValues === undefined) throw missing('crypto.getRandomValues');
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(36)).join('');
}
