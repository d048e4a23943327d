/**
 * Everything that can be said when connecting, its defaults, and the check that it makes sense.
 */
import { assertMaxFrameBytes, type Codec, DEFAULT_MAX_FRAME_BYTES } from '@chat/protocol';
import { type Clock, systemClock } from './clock.js';
import type { HeartbeatOptions } from './connection/heartbeat.js';
import type { ReconnectOptions } from './connection/reconnect.js';
import type { OpenTransport, TlsOptions } from './connection/transport.js';
import { type IdentityStore, isSecret } from './session/identity.js';
import type { OutboxOptions } from './session/outbox.js';

/** Makes the credentials for one attempt to connect; called again for each. */
export type CredentialsProvider = (context: { readonly signal: AbortSignal }) => unknown;

/** Options of `connect` and `createChatClient`. */
export interface ConnectOptions<D = string> {
  /** Wanted user name. */
  readonly name: string;
  /**
   * As whom this client comes back after its process or page has ended without a goodbye: a store that keeps the secret
   * of the client, as `tabIdentity()` or `fileIdentity(path)`, or a secret of 16 to 64 characters that the program keeps.
   * @defaultValue another secret for each client
   */
  readonly identity?: string | IdentityStore;
  /** For the server's authentication: a JSON value, or a function that makes one. @defaultValue none */
  readonly credentials?: unknown | CredentialsProvider;
  /** Gives up connecting when aborted. Has no effect once the client is open. */
  readonly signal?: AbortSignal;
  /** Time for one attempt: name resolution, connection, TLS and handshake together. @defaultValue 10000 */
  readonly connectTimeoutMs?: number;
  /** Time for the answer to a request (join, leave, rename, lists, history). @defaultValue 10000 */
  readonly requestTimeoutMs?: number;
  /** How a lost connection is made again. */
  readonly reconnect?: ReconnectOptions;
  /** Bounds of what waits to be sent. */
  readonly outbox?: OutboxOptions;
  /** Largest frame that is accepted from the server. @defaultValue 65536 */
  readonly maxFrameBytes?: number;
  /** How a dead connection is noticed. */
  readonly heartbeat?: HeartbeatOptions;
  /** What direct messages consist of. @defaultValue textCodec */
  readonly directCodec?: Codec<D>;
  /** Program and version, for the server's log. */
  readonly agent?: string;
  /** For `tls://` and `wss://` in Node. */
  readonly tls?: TlsOptions;
  /** Replaces the transports of the platform, for any URL. */
  readonly transport?: OpenTransport;
  /** Replaces the clock, in tests. */
  readonly clock?: Clock;
  /** Replaces the source of jitter: numbers from 0 to 1. @defaultValue Math.random */
  readonly random?: () => number;
}

/** What differs between Node and the browser. */
export interface Platform {
  /** Transports by the scheme of the URL, colon included. */
  readonly transports: ReadonlyMap<string, OpenTransport>;
  /** Calls `wake` when the network, or the page, is back. @returns a function that ends this */
  onWake?(wake: () => void): () => void;
}

/**
 * Refuses options that nobody reads, and events that never come, which are mistakes. `known` is one string, since that
 * is the shortest in a page.
 *
 * @throws TypeError that names the first one, and those that exist
 */
export function assertKnown(known: string, given: object = {}, what = 'option'): void {
  for (const name of Object.keys(given)) {
    if (!known.split(',').includes(name)) throw new TypeError(`unknown ${what} "${name}", there is ${known}`);
  }
}

/** Options with every default filled in. */
export interface Settings {
  readonly identity: string | IdentityStore | undefined;
  readonly credentials: unknown | CredentialsProvider;
  readonly connectTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly reconnect: Required<ReconnectOptions>;
  readonly outbox: Required<OutboxOptions>;
  readonly maxFrameBytes: number;
  readonly heartbeatTimeoutMs: number | undefined;
  readonly agent: string | undefined;
  readonly tls: TlsOptions | undefined;
  readonly clock: Clock;
  readonly random: () => number;
}

const DEFAULT_TIMEOUT_MS = 10_000;
const CONNECT =
  'name,identity,credentials,signal,connectTimeoutMs,requestTimeoutMs,reconnect,outbox,maxFrameBytes,heartbeat,directCodec,agent,tls,transport,clock,random';
const HEARTBEAT = 'timeoutMs';
const RECONNECT: Required<ReconnectOptions> = {
  enabled: true,
  initial: false,
  nameTakenTimeoutMs: 120_000,
  baseDelayMs: 500,
  maxDelayMs: 30_000,
  maxRetryAfterMs: 300_000,
  maxAttempts: Infinity,
};
const OUTBOX: Required<OutboxOptions> = { maxCount: 4096, maxBytes: 8_388_608, maxAgeMs: 60_000 };

/** @throws RangeError when a limit is not a positive number, or a secret too short or long; TypeError without a name */
export function settle<D>(options: ConnectOptions<D>): Settings {
  if (typeof options?.name !== 'string') throw new TypeError('a name is needed to connect');
  assertKnown(CONNECT, options);
  const {
    connectTimeoutMs = DEFAULT_TIMEOUT_MS,
    requestTimeoutMs = DEFAULT_TIMEOUT_MS,
    maxFrameBytes = DEFAULT_MAX_FRAME_BYTES,
    clock = systemClock,
    random = Math.random,
    heartbeat,
    identity,
    credentials,
    agent,
    tls,
  } = options;
  assertKnown(`${Object.keys(RECONNECT)}`, options.reconnect);
  assertKnown(`${Object.keys(OUTBOX)}`, options.outbox);
  assertKnown(HEARTBEAT, heartbeat);
  const { nameTakenTimeoutMs, ...reconnect } = { ...RECONNECT, ...options.reconnect };
  const outbox = { ...OUTBOX, ...options.outbox };
  assertMaxFrameBytes(maxFrameBytes);
  assertPositive({ connectTimeoutMs, requestTimeoutMs });
  assertPositive(reconnect, 'reconnect.');
  assertPositive(outbox, 'outbox.');
  // 0 says: not at all.
  assertPositive({ nameTakenTimeoutMs: nameTakenTimeoutMs === 0 ? 1 : nameTakenTimeoutMs }, 'reconnect.');
  if (typeof identity === 'string' && !isSecret(identity)) {
    throw new RangeError('identity must be a secret of 16 to 64 characters');
  }
  const heartbeatTimeoutMs = heartbeat?.timeoutMs;
  assertPositive({ timeoutMs: heartbeatTimeoutMs ?? 1 }, 'heartbeat.');
  return {
    connectTimeoutMs,
    requestTimeoutMs,
    identity,
    reconnect: { ...reconnect, nameTakenTimeoutMs },
    outbox,
    maxFrameBytes,
    heartbeatTimeoutMs,
    clock,
    random,
    credentials,
    agent,
    tls,
  };
}

/** All limits of a group; what is true or false is none. */
function assertPositive(options: object, group = ''): void {
  for (const [name, value] of Object.entries(options)) {
    if (typeof value !== 'boolean' && !(value > 0)) {
      throw new RangeError(`${group}${name} must be a positive number, got ${value}`);
    }
  }
}
