/**
 * Finds, in Node, the option of `connect` that was likely meant by one that does not exist. The browser's
 * build only lists those that exist (`assertKnown`), since comparing names is code that every page would
 * load.
 */
import { type OptionNames, optionProblem } from '@chat/protocol/check';
import type { ReconnectOptions } from './connection/reconnect.js';
import type { TlsOptions } from './connection/transport.js';
import type { ConnectOptions } from './options.js';
import type { OutboxLimits } from './sending/outbox.js';

/** Every option of `connect`. A test holds that `assertKnown` knows the same. */
export const CONNECT_NAMES: OptionNames<ConnectOptions> = {
  name: true,
  identity: true,
  credentials: true,
  signal: true,
  connectTimeoutMs: true,
  requestTimeoutMs: true,
  reconnect: true,
  outbox: true,
  maxFrameBytes: true,
  heartbeat: true,
  directCodec: true,
  agent: true,
  features: true,
  tls: true,
  headers: true,
  transport: true,
  clock: true,
  random: true,
};

/** Options that are groups of options. */
export const GROUP_NAMES: {
  readonly reconnect: OptionNames<ReconnectOptions>;
  readonly outbox: OptionNames<OutboxLimits>;
  readonly heartbeat: OptionNames<NonNullable<ConnectOptions['heartbeat']>>;
  readonly tls: OptionNames<TlsOptions>;
} = {
  reconnect: {
    enabled: true,
    initial: true,
    nameTakenTimeoutMs: true,
    baseDelayMs: true,
    maxDelayMs: true,
    maxRetryAfterMs: true,
    maxAttempts: true,
  },
  outbox: { maxCount: true, maxBytes: true, maxAgeMs: true },
  heartbeat: { timeoutMs: true },
  tls: { ca: true, cert: true, key: true, servername: true, rejectUnauthorized: true },
};

/** @throws TypeError that names the first option which does not exist, and the one that was likely meant */
export function assertOptionNames(options: object): void {
  refuse(optionProblem(options, CONNECT_NAMES));
  for (const [group, names] of Object.entries(GROUP_NAMES)) {
    const given = (options as Readonly<Record<string, unknown>>)[group];
    if (given !== undefined) refuse(optionProblem(given, names, group));
  }
}

function refuse(problem: string | undefined): void {
  if (problem !== undefined) throw new TypeError(problem);
}
