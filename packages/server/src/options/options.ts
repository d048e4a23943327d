/**
 * Everything that can be set, checked once at the start: the limits of `limits.ts`, and the options that are no
 * limits.
 */
import type { OptionNames } from '@chat/protocol/check';
import { ServerError, ServerErrorCode } from '../errors.js';
import type { EventLog } from '../log/event-log.js';
import { createMemoryLog } from '../log/memory-log.js';
import { type Clock, type SteadyClock, steadyClock, systemClock } from '../time/clock.js';
import { type AddressCounts, OWN_COUNTS } from './address-counts.js';
import type { Hooks } from './hooks.js';
import type { HttpOptions } from './http-options.js';
import { type AdjustableLimits, LIMITS, type LimitName, type LimitOptions } from './limits.js';
import { LineCharset } from './line-charset.js';
import { CalmLogger, type Logger, silentLogger } from './logger.js';
import { assertHooks, assertMethods, assertNames, HTTP_NAMES } from './option-names.js';
import { resolveLimits } from './resolve-limits.js';

/** How the server treats a reader that is further behind than the log reaches back. */
export type SlowConsumerPolicy = 'close' | 'skip';

/** How the server treats a client that wants a name which somebody has. */
export type DuplicateNamePolicy = 'refuse' | 'suffix' | 'takeover';

/** Options of `createChatServer`. Every limit is per server unless its name says otherwise. */
export interface ChatServerOptions extends LimitOptions {
  /**
   * Charset of lines that are not UTF-8, such as `windows-1255`; a client that uses it is answered in it. It must
   * contain ASCII. @defaultValue 'utf-8'; what is not UTF-8 is shown as U+FFFD
   */
  readonly lineCharset?: string;
  /** Addresses or CIDR ranges without these limits. @defaultValue [] */
  readonly exemptAddresses?: readonly string[];
  /**
   * Addresses or CIDR ranges of proxies. They are exempt, and who comes through them over WebSocket counts as the
   * address that their `X-Forwarded-For` names. @defaultValue []
   */
  readonly trustedProxies?: readonly string[];
  /**
   * Whether those of `trustedProxies` begin each connection with a header of the PROXY protocol, version 1 or 2: it
   * names the client, over TCP and TLS as well. A proxy that leaves it out is refused. @defaultValue false
   */
  readonly proxyProtocol?: boolean;
  /** `close`: with code slow-consumer, the client resumes. `skip`: moved on, with a gap. @defaultValue 'close' */
  readonly slowConsumer?: SlowConsumerPolicy;

  /**
   * `refuse`: with code name-taken. `suffix`: comes in as `name-2` or the like. `takeover`: the other is closed with
   * session-replaced, for somebody whom `authenticate` let in; without that hook it is `refuse`. @defaultValue 'refuse'
   */
  readonly duplicateNames?: DuplicateNamePolicy;

  /** Decisions of the program around the server. @defaultValue {} */
  readonly hooks?: Hooks;
  /** Pages of the program, and whose pages may connect. @defaultValue {} */
  readonly http?: HttpOptions;
  /** Takes structured log lines; pino fits. @defaultValue nothing is logged */
  readonly logger?: Logger;
  /** Total order of entries. @defaultValue `createMemoryLog()` */
  readonly log?: EventLog;
  /** The time of day, a time that never jumps, and timers. @defaultValue the machine's */
  readonly clock?: Clock;
  /** Numbers in [0, 1), to spread reconnects. @defaultValue Math.random */
  readonly random?: () => number;
  /**
   * Counts what an address has at other servers of the machine, so that its limits hold for all of them together: those on connections,
   * on sessions that are away, on rooms, and on rates. @defaultValue the server counts for itself
   */
  readonly addressCounts?: AddressCounts;
  /** Named in the welcome. @defaultValue '\@chat/server' */
  readonly agent?: string;
}

/** Options with every default filled in. */
export type ResolvedOptions = Required<Omit<ChatServerOptions, 'clock'>> & { readonly clock: SteadyClock };

/** Lifts the limits that a load test on one machine would run into: rates, sessions, and what one address may hold. */
export const UNLIMITED: ChatServerOptions = Object.fromEntries(
  Object.entries(LIMITS).flatMap(([name, { unlimited }]) =>
    unlimited === undefined ? [] : [[name, unlimited === true ? Number.POSITIVE_INFINITY : unlimited]],
  ),
);

/** Options that are no limits. */
const DEFAULTS = {
  lineCharset: 'utf-8',
  exemptAddresses: [],
  trustedProxies: [],
  proxyProtocol: false,
  slowConsumer: 'close',
  duplicateNames: 'refuse',
  hooks: {},
  http: {},
  logger: silentLogger,
  clock: systemClock,
  random: Math.random,
  addressCounts: OWN_COUNTS,
  agent: '@chat/server',
} as const satisfies Required<Omit<ChatServerOptions, LimitName | 'log'>>;

/** Every option there is: the limits, those above, and the log, of which each server gets one of its own. */
const NAMES: OptionNames<ChatServerOptions> = namesOf([
  ...Object.keys(LIMITS),
  ...Object.keys(DEFAULTS),
  'log',
]);

const ADJUSTABLE: OptionNames<AdjustableLimits> = namesOf(
  Object.entries(LIMITS).flatMap(([name, { adjustable }]) => (adjustable ? name : [])),
);

/**
 * Fills in defaults and checks that the limits fit together.
 *
 * @throws ServerError `ERR_SERVER_BAD_OPTION`
 */
export function resolveOptions(options: ChatServerOptions): ResolvedOptions {
  assertNames(options, NAMES);
  assertMethods('logger', options.logger ?? silentLogger, ['debug', 'info', 'warn', 'error']);
  const resolved = {
    ...DEFAULTS,
    ...definedOf(options),
    ...resolveLimits(options),
    log: options.log ?? createMemoryLog(),
  } as ResolvedOptions;
  assertObjects(resolved);
  if (typeof resolved.proxyProtocol !== 'boolean') {
    throw bad(`proxyProtocol must be true or false, got ${String(resolved.proxyProtocol)}`);
  }
  if (resolved.proxyProtocol && resolved.trustedProxies.length === 0) {
    throw bad('proxyProtocol needs trustedProxies: nobody else may say who a client is');
  }
  try {
    new LineCharset(resolved.lineCharset);
  } catch (cause) {
    throw bad(`lineCharset: ${(cause as Error).message}`, cause);
  }
  assertOneOf('slowConsumer', resolved.slowConsumer, ['close', 'skip']);
  assertOneOf('duplicateNames', resolved.duplicateNames, ['refuse', 'suffix', 'takeover']);
  return { ...resolved, logger: calmLogger(resolved.logger), clock: steadyClock(resolved.clock) };
}

/**
 * Changes limits of options that are in use. The parts of a server read these limits each time, so the new ones hold
 * at once.
 *
 * @throws ServerError `ERR_SERVER_BAD_OPTION`; nothing is changed then
 */
export function adjustOptions(options: ResolvedOptions, limits: AdjustableLimits): void {
  const fixed = Object.keys(limits).find(
    (name) => Object.hasOwn(NAMES, name) && !Object.hasOwn(ADJUSTABLE, name),
  );
  if (fixed !== undefined) throw bad(`${fixed} cannot be changed later`);
  assertNames(limits, ADJUSTABLE);
  Object.assign(options, resolveLimits({ ...options, ...definedOf(limits) }));
}

/** The limits among these options. */
export function limitsOf(options: ResolvedOptions): Required<LimitOptions> {
  return Object.fromEntries(
    Object.keys(LIMITS).map((name) => [name, options[name as LimitName]]),
  ) as unknown as Required<LimitOptions>;
}

/** Options that are `undefined` are not given. */
function definedOf<Options extends object>(options: Options): Partial<Options> {
  return Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== undefined),
  ) as Partial<Options>;
}

function calmLogger(logger: Logger): Logger {
  return logger === silentLogger ? logger : new CalmLogger(logger);
}

/** A table of names, as `assertNames` reads it. */
function namesOf<Options extends object>(names: readonly string[]): OptionNames<Options> {
  return Object.fromEntries(names.map((name) => [name, true])) as OptionNames<Options>;
}

/** Options that are objects: what is in them. */
function assertObjects({
  hooks,
  http,
  clock,
  log,
  random,
  agent,
  addressCounts,
  ...others
}: ResolvedOptions): void {
  assertHooks(hooks);
  assertNames(http, HTTP_NAMES, { group: 'http' });
  assertMethods('clock', clock, ['now', 'after', 'every']);
  assertMethods('log', log, ['open', 'append', 'close']);
  assertMethods('addressCounts', addressCounts, ['open', 'others']);
  if (typeof random !== 'function') throw bad(`random must be a function, got ${String(random)}`);
  if (typeof agent !== 'string') throw bad(`agent must be text, got ${String(agent)}`);
  for (const name of ['exemptAddresses', 'trustedProxies'] as const) {
    if (!Array.isArray(others[name])) throw bad(`${name} must be an array, got ${String(others[name])}`);
  }
}

function assertOneOf(option: string, value: unknown, allowed: readonly string[]): void {
  if (allowed.includes(value as string)) return;
  const names = allowed.map((name) => `'${name}'`).join(' or ');
  throw bad(`${option} must be ${names}, got ${String(value)}`);
}

function bad(message: string, cause?: unknown): ServerError {
  return new ServerError(ServerErrorCode.BadOption, message, cause === undefined ? {} : { cause });
}
