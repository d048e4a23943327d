/**
 * Everything that can be said when connecting, its defaults, and the check that it makes sense.
 */

import { type Codec, textCodec } from '@chat/protocol';
import { assertMaxFrameBytes, DEFAULT_MAX_FRAME_BYTES } from '@chat/protocol/frames';
import { assertKnown } from './assert-known.js';
import { type Clock, systemClock } from './clock.js';
import type * as Cutter from './connection/cutter.js';
import type { ReconnectOptions } from './connection/reconnect.js';
import type { OpenTransport, TlsOptions, UpgradeHeaders } from './connection/transport.js';
import type { Lazy } from './lazy/load.js';
import type * as OnDemand from './rooms/on-demand.js';
import type { OutboxLimits } from './sending/outbox.js';
import { type IdentityStore, isSecret } from './session/identity.js';

/** Options of `connect` and `createChatClient`. */
export interface ConnectOptions<D = string> {
  /** Wanted user name. */
  readonly name: string;
  /**
   * Lets this client come back as itself after its process or page has ended without a goodbye. A store keeps
   * its secret: `tabIdentity()`, `fileIdentity(path)`, or one of your own. A program may also keep a secret
   * of 16 to 64 characters.
   * @defaultValue another secret for each client
   */
  readonly identity?: string | IdentityStore;
  /**
   * Proof for the server's authentication: a JSON value, or a function that makes one for each attempt.
   * @defaultValue none
   */
  readonly credentials?: unknown | ((context: { readonly signal: AbortSignal }) => unknown);
  /** Gives up connecting when aborted. Has no effect once the client is open. */
  readonly signal?: AbortSignal;
  /** Time for one attempt: name resolution, connection, TLS and handshake together. @defaultValue 10000 */
  readonly connectTimeoutMs?: number;
  /** Time for the answer to a request (join, leave, rename, lists, history). @defaultValue 10000 */
  readonly requestTimeoutMs?: number;
  /** How a lost connection is made again. */
  readonly reconnect?: ReconnectOptions;
  /** Bounds of the messages that wait to be sent or acknowledged. */
  readonly outbox?: {
    /** How many. @defaultValue 4096 */
    readonly maxCount?: number;
    /** Bytes of their bodies together. @defaultValue 8388608 */
    readonly maxBytes?: number;
    /** How long one may wait, in milliseconds. @defaultValue 60000 */
    readonly maxAgeMs?: number;
  };
  /** Largest frame that is accepted from the server. @defaultValue 65536 */
  readonly maxFrameBytes?: number;
  /** How a dead connection is noticed. */
  readonly heartbeat?: {
    /**
     * The connection counts as dead when nothing was heard for this long, although the server was asked.
     * @defaultValue the `idleTimeoutMs` of the server
     */
    readonly timeoutMs?: number;
  };
  /** Codec of direct messages. @defaultValue textCodec */
  readonly directCodec?: Codec<D>;
  /** Program and version, for the server's log. */
  readonly agent?: string;
  /**
   * What this program knows beyond what every client does. `rich`: messages that answer others, as a timeline reads them;
   * without it they come as their text. @defaultValue none
   */
  readonly features?: readonly string[];
  /** Certificates and keys for `tls://` and `wss://` in Node. */
  readonly tls?: TlsOptions;
  /**
   * Headers of the WebSocket's upgrade, in Node and for `ws://` and `wss://` only: what the server's
   * authentication, or a proxy in front of it, asks for. A function is asked before each attempt.
   * @defaultValue none
   */
  readonly headers?: UpgradeHeaders;
  /** Replaces the transports of the platform, for any URL. */
  readonly transport?: OpenTransport;
  /** Replaces the clock, in tests. */
  readonly clock?: Clock;
  /** Replaces the source of jitter: numbers from 0 to 1. @defaultValue Math.random */
  readonly random?: () => number;
}

/** The differences between Node and the browser. */
export interface Platform {
  /** Schemes of the URLs that it can open, for people. */
  readonly schemes: string;
  /** The transport for a URL; undefined where it is no URL of these schemes that names a host or a path. */
  transportFor(url: string): OpenTransport | undefined;
  /** For transports that may cut frames: a page fetches it for those of its user alone. */
  readonly cutter: Lazy<typeof Cutter>;
  /** The calls that are made now and then. */
  readonly onDemand: Lazy<typeof OnDemand>;
  /** Calls `wake` when the network, or the page, is back. @returns a function that ends this */
  onWake?(wake: () => void): () => void;
}

/** Options with every default filled in. */
export interface Settings<D = string> extends ConnectOptions<D> {
  readonly connectTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly reconnect: Required<ReconnectOptions>;
  readonly outbox: OutboxLimits;
  readonly maxFrameBytes: number;
  readonly heartbeat: { readonly timeoutMs: number };
  readonly directCodec: Codec<D>;
  readonly clock: Clock;
  readonly random: () => number;
}

/** Every option there is: what is a number here must be a positive one. */
const DEFAULTS = {
  name: '',
  identity: undefined,
  credentials: undefined,
  signal: undefined,
  connectTimeoutMs: 10_000,
  requestTimeoutMs: 10_000,
  reconnect: {
    enabled: true,
    initial: false,
    nameTakenTimeoutMs: 120_000,
    baseDelayMs: 500,
    maxDelayMs: 30_000,
    maxRetryAfterMs: 300_000,
    maxAttempts: Infinity,
  } satisfies Required<ReconnectOptions>,
  outbox: { maxCount: 4096, maxBytes: 8_388_608, maxAgeMs: 60_000 } satisfies OutboxLimits,
  maxFrameBytes: DEFAULT_MAX_FRAME_BYTES,
  // 0: as the server wants it.
  heartbeat: { timeoutMs: 0 },
  directCodec: textCodec,
  agent: undefined,
  features: undefined,
  tls: undefined,
  headers: undefined,
  transport: undefined,
  clock: systemClock,
  random: Math.random,
} satisfies Record<keyof ConnectOptions, unknown>;

/**
 * @throws RangeError when a limit is not a positive number, or a secret too short or long; TypeError without
 * a name
 */
export function settle<D>(options: ConnectOptions<D>): Settings<D> {
  if (typeof options?.name !== 'string') throw new TypeError('a name is needed to connect');
  const settings = {
    ...fill(DEFAULTS, options),
    reconnect: fill(DEFAULTS.reconnect, options.reconnect, 'reconnect.'),
    outbox: fill(DEFAULTS.outbox, options.outbox, 'outbox.'),
    heartbeat: fill(DEFAULTS.heartbeat, options.heartbeat, 'heartbeat.'),
  } as unknown as Settings<D>;
  const { identity, maxFrameBytes } = settings;
  assertMaxFrameBytes(maxFrameBytes);
  if (typeof identity === 'string' && !isSecret(identity)) {
    throw new RangeError('identity must be a secret of 16 to 64 characters');
  }
  return settings;
}

function fill<T extends object>(defaults: T, given: object | undefined, group = ''): T {
  assertKnown(`${Object.keys(defaults)}`, given);
  const filled = { ...defaults } as Record<string, unknown>;
  for (const [name, value] of Object.entries(given ?? {})) {
    if (value === undefined) continue;
    // The one limit that may be 0, which says: not at all.
    const isPositive = value > 0 || (value === 0 && name === 'nameTakenTimeoutMs');
    if (typeof filled[name] === 'number' && !isPositive) {
      throw new RangeError(`${group}${name} must be a positive number, got ${value}`);
    }
    filled[name] = value;
  }
  return filled as T;
}
