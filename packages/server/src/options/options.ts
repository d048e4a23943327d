/**
 * Everything that can be set, with its unit and its default, checked once at the start.
 */
import { MAX_NAME_BYTES } from '@chat/protocol';
import type { OptionNames } from '@chat/protocol/check';
import { assertMaxFrameBytes, CALL_HEADER_BYTES, DEFAULT_MAX_FRAME_BYTES, ENTRY_HEADER_BYTES } from '@chat/protocol/frames';
import { DEFAULT_MAX_LINE_BYTES, DEFAULT_MAX_LINES_PER_MESSAGE } from '@chat/protocol/lines';
import { ServerError, ServerErrorCode } from '../errors.js';
import type { EventLog } from '../log/event-log.js';
import { createMemoryLog } from '../log/memory-log.js';
import { type Clock, type SteadyClock, steadyClock, systemClock } from '../time/clock.js';
import { defaultMaxMemoryBytes } from './default-memory.js';
import type { Hooks } from './hooks.js';
import type { HttpOptions } from './http-options.js';
import { LineCharset } from './line-charset.js';
import { CalmLogger, type Logger, silentLogger } from './logger.js';
import { assertHooks, assertMethods, assertNames, HTTP_NAMES } from './option-names.js';

/** What happens to a reader that is further behind than the log reaches back. */
export type SlowConsumerPolicy = 'close' | 'skip';

/** What happens to somebody who wants the name of another. */
export type DuplicateNamePolicy = 'refuse' | 'suffix' | 'takeover';

/** Options of `createChatServer`. Every limit is per server unless its name says otherwise. */
export interface ChatServerOptions {
  /** Largest frame taken or sent, header included. @defaultValue 65536 */
  readonly maxFrameBytes?: number;
  /** Longest line of the line dialect. @defaultValue 16384 */
  readonly maxLineBytes?: number;
  /** Lines that one message becomes in the line dialect; one more says how many are left out. @defaultValue 100 */
  readonly maxLinesPerMessage?: number;
  /** Names that a connection of the line dialect may try; it is asked for another until then. @defaultValue 10 */
  readonly maxNameTries?: number;
  /**
   * In the line dialect, silence that ends a first line without a line end, and then every line of that connection.
   * 0 and `Infinity`: never. @defaultValue 200
   */
  readonly lineIdleMs?: number;
  /**
   * Charset of lines that are not UTF-8, such as `windows-1255`; a client that uses it is answered in it. It must
   * contain ASCII. @defaultValue 'utf-8'; what is not UTF-8 is shown as U+FFFD
   */
  readonly lineCharset?: string;
  /** Sessions at a time, those away included. @defaultValue 10000 */
  readonly maxSessions?: number;
  /** Connections at a time from one IPv4 address or IPv6 /64, and as many sessions that are away. @defaultValue 256 */
  readonly maxConnectionsPerAddress?: number;
  /** Connections per second from one such address, for long; at once, as many as it may have. @defaultValue 50 */
  readonly maxConnectionsPerSecondPerAddress?: number;
  /** Sessions at a time from one such address, away ones included. @defaultValue 512 */
  readonly maxSessionsPerAddress?: number;
  /** Rooms at a time that members from one such address have made. @defaultValue 1000 */
  readonly maxRoomsPerAddress?: number;
  /**
   * Messages and requests per second from one such address for long, over all its connections; at once, what comes in
   * four seconds. Beyond this, its clients are not read from for a while, but for those that have sent little.
   * @defaultValue 2000, or 20 × `maxMessagesPerSecond` where that is more
   */
  readonly maxMessagesPerSecondPerAddress?: number;
  /**
   * Bytes per second from one such address, likewise.
   * @defaultValue 33554432, or 4 × `maxInputBytesPerSecond` where that is more
   */
  readonly maxInputBytesPerSecondPerAddress?: number;
  /** Addresses or CIDR ranges without these limits. @defaultValue [] */
  readonly exemptAddresses?: readonly string[];
  /**
   * Addresses or CIDR ranges of proxies. They are exempt, and who comes through them over WebSocket counts as the
   * address that their `X-Forwarded-For` names. @defaultValue []
   */
  readonly trustedProxies?: readonly string[];
  /**
   * Resident memory of the process above which newcomers are sent away with `overloaded`; so they are when V8's heap is
   * nearly full. `Infinity` never looks. @defaultValue 85 % of what the machine, or the container, has
   */
  readonly maxMemoryBytes?: number;
  /** Rooms at a time. @defaultValue 10000 */
  readonly maxRooms?: number;
  /** Rooms that one session may be in. @defaultValue 100 */
  readonly maxRoomsPerSession?: number;
  /** Members of one room. @defaultValue 10000 */
  readonly maxMembersPerRoom?: number;
  /** Messages and requests per second that one session may send for long. @defaultValue 100 */
  readonly maxMessagesPerSecond?: number;
  /** Messages and requests that one session may send at once. @defaultValue 256 */
  readonly maxMessageBurst?: number;
  /** Largest body of a signal; a larger one is dropped. @defaultValue 1024 */
  readonly maxSignalBytes?: number;
  /**
   * Bytes per second that one connection may send for long, with so many bytes on top for what each unit of input costs
   * beside its bytes; at once, what comes in two seconds. Beyond this, nothing is read for a while.
   * @defaultValue 8388608, or 1.25 × `maxMessagesPerSecond` × `maxFrameBytes` where that is more
   */
  readonly maxInputBytesPerSecond?: number;
  /** Refused messages after which a flooding connection is closed. @defaultValue 1000 */
  readonly maxRateViolations?: number;
  /** Publishes of one session that may wait for their ack. @defaultValue 256 */
  readonly maxInFlight?: number;
  /** Bytes of answers that may wait in the server for a peer which does not read. @defaultValue 262144 */
  readonly maxQueuedBytes?: number;

  /** Time for a peer to say what it speaks and who it is. @defaultValue 10000 */
  readonly handshakeTimeoutMs?: number;
  /** A peer that was not heard of for this long is lost; it is pinged after half of it. @defaultValue 60000 */
  readonly idleTimeoutMs?: number;
  /**
   * When the server is full, the session of the line dialect that has been silent for longest makes room for a newcomer,
   * if it has been for this long. `Infinity`: never. @defaultValue 600000
   */
  readonly lineSilenceMs?: number;
  /** How long a session that is away may resume, and keeps its name and rooms. @defaultValue 30000 */
  readonly resumeWindowMs?: number;
  /** How long an empty room is kept with its history. @defaultValue 60000 */
  readonly emptyRoomTtlMs?: number;
  /** Waits this long for more before a turn's messages go out: CPU against latency. @defaultValue 0 */
  readonly coalesceMs?: number;

  /** In rooms with more members than this, comings and goings are told with a delay. @defaultValue 256 */
  readonly presenceDelayMembers?: number;
  /** That delay; they ride along with the next message if one comes first. @defaultValue 1000 */
  readonly presenceDelayMs?: number;

  /** Bytes of history per room. @defaultValue 4194304, or 8 × `maxFrameBytes` where that is more */
  readonly retentionBytes?: number;
  /** Entries of history per room. @defaultValue 100000 */
  readonly retentionEntries?: number;
  /** Age of history per room. @defaultValue 86400000 */
  readonly retentionMs?: number;
  /** Bytes of direct messages kept per member. @defaultValue 262144, or 4 × `maxFrameBytes` where that is more */
  readonly inboxBytes?: number;
  /**
   * Bytes of history of all rooms and inboxes together. When they are used up, the address whose rooms hold most gives
   * up the oldest of its largest room. @defaultValue a quarter of `maxMemoryBytes`, at most 536870912
   */
  readonly maxLogBytes?: number;
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
  /** Named in the welcome. @defaultValue '\@chat/server' */
  readonly agent?: string;
}

/** Limits that can be changed while a server runs: those that promise nothing to who is connected. */
export type AdjustableLimits = Pick<
  ChatServerOptions,
  | 'maxSessions'
  | 'maxConnectionsPerAddress'
  | 'maxConnectionsPerSecondPerAddress'
  | 'maxMemoryBytes'
  | 'maxMembersPerRoom'
  | 'maxSessionsPerAddress'
  | 'maxRoomsPerAddress'
  | 'maxMessagesPerSecond'
  | 'maxMessagesPerSecondPerAddress'
  | 'maxMessageBurst'
  | 'maxInputBytesPerSecond'
  | 'maxInputBytesPerSecondPerAddress'
  | 'maxRateViolations'
>;

const ADJUSTABLE: Readonly<Record<keyof AdjustableLimits, true>> = {
  maxSessions: true,
  maxConnectionsPerAddress: true,
  maxConnectionsPerSecondPerAddress: true,
  maxMemoryBytes: true,
  maxMembersPerRoom: true,
  maxSessionsPerAddress: true,
  maxRoomsPerAddress: true,
  maxMessagesPerSecond: true,
  maxMessagesPerSecondPerAddress: true,
  maxMessageBurst: true,
  maxInputBytesPerSecond: true,
  maxInputBytesPerSecondPerAddress: true,
  maxRateViolations: true,
};

/** Options with every default filled in. */
export type ResolvedOptions = Required<Omit<ChatServerOptions, 'clock'>> & { readonly clock: SteadyClock };

/** Lifts the limits that a load test on one machine would run into: rates, sessions, and what one address may hold. */
export const UNLIMITED: ChatServerOptions = {
  maxSessions: Number.POSITIVE_INFINITY,
  maxConnectionsPerAddress: Number.POSITIVE_INFINITY,
  maxConnectionsPerSecondPerAddress: Number.POSITIVE_INFINITY,
  maxSessionsPerAddress: Number.POSITIVE_INFINITY,
  maxRoomsPerAddress: Number.POSITIVE_INFINITY,
  maxMessagesPerSecondPerAddress: Number.POSITIVE_INFINITY,
  maxInputBytesPerSecond: Number.POSITIVE_INFINITY,
  maxInputBytesPerSecondPerAddress: Number.POSITIVE_INFINITY,
  maxMembersPerRoom: Number.POSITIVE_INFINITY,
  maxMessagesPerSecond: Number.POSITIVE_INFINITY,
  maxMessageBurst: Number.POSITIVE_INFINITY,
  maxInFlight: 65_536,
};

const DEFAULTS = {
  maxFrameBytes: DEFAULT_MAX_FRAME_BYTES,
  maxLineBytes: DEFAULT_MAX_LINE_BYTES,
  maxLinesPerMessage: DEFAULT_MAX_LINES_PER_MESSAGE,
  maxNameTries: 10,
  lineIdleMs: 200,
  lineCharset: 'utf-8',
  maxSessions: 10_000,
  maxConnectionsPerAddress: 256,
  maxConnectionsPerSecondPerAddress: 50,
  maxSessionsPerAddress: 512,
  maxRoomsPerAddress: 1000,
  maxMessagesPerSecondPerAddress: 2000,
  maxInputBytesPerSecondPerAddress: 33_554_432,
  exemptAddresses: [],
  trustedProxies: [],
  maxMemoryBytes: Number.POSITIVE_INFINITY,
  maxRooms: 10_000,
  maxRoomsPerSession: 100,
  maxMembersPerRoom: 10_000,
  maxMessagesPerSecond: 100,
  maxMessageBurst: 256,
  maxSignalBytes: 1024,
  maxInputBytesPerSecond: 8_388_608,
  maxRateViolations: 1000,
  maxInFlight: 256,
  maxQueuedBytes: 262_144,
  handshakeTimeoutMs: 10_000,
  idleTimeoutMs: 60_000,
  lineSilenceMs: 600_000,
  resumeWindowMs: 30_000,
  emptyRoomTtlMs: 60_000,
  coalesceMs: 0,
  presenceDelayMembers: 256,
  presenceDelayMs: 1000,
  retentionBytes: 4_194_304,
  retentionEntries: 100_000,
  retentionMs: 86_400_000,
  inboxBytes: 262_144,
  maxLogBytes: 536_870_912,
  slowConsumer: 'close',
  duplicateNames: 'refuse',
  hooks: {},
  http: {},
  logger: silentLogger,
  clock: systemClock,
  random: Math.random,
  agent: '@chat/server',
} as const satisfies Required<Omit<ChatServerOptions, 'log'>>;

/** Every option there is: those with a default, and the log, of which each server gets one of its own. */
const NAMES: OptionNames<ChatServerOptions> = Object.fromEntries(
  [...Object.keys(DEFAULTS), 'log'].map((name) => [name, true]),
) as OptionNames<ChatServerOptions>;

/** A frame costs more than its bytes. */
const BYTES_PER_FRAME_BYTE = 1.25;
/** So many clients of one address may send all that one may. */
const CLIENTS_AT_FULL_RATE = 20;
const CLIENTS_AT_ALL_BYTES = 4;
/** The log has this part of the memory where nothing else is said. */
const LOG_PART = 4;

/** Limits of which none at all makes sense, and so may be zero. */
const MAY_BE_ZERO = new Set<string>([
  'coalesceMs',
  'lineIdleMs',
  'presenceDelayMembers',
  'presenceDelayMs',
  'resumeWindowMs',
  'emptyRoomTtlMs',
  'maxRateViolations',
]);
/** Limits that can be lifted with `Infinity`; the others bound a buffer or a timer. */
const MAY_BE_INFINITE =
  /^(maxSessions.*|maxConnections.*|maxRooms.*|maxMembersPerRoom|maxMessage.*|maxInputBytes.*|maxRateViolations|maxLogBytes|maxMemoryBytes|retentionMs|lineIdleMs|lineSilenceMs)$/;

/**
 * Fills in defaults and checks that the limits fit together.
 *
 * @throws ServerError `ERR_SERVER_BAD_OPTION`
 */
export function resolveOptions(options: ChatServerOptions): ResolvedOptions {
  assertNames(options, NAMES);
  assertMethods('logger', options.logger ?? silentLogger, ['debug', 'info', 'warn', 'error']);
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const { maxFrameBytes = DEFAULTS.maxFrameBytes } = options;
  const { maxMemoryBytes = defaultMaxMemoryBytes() } = options;
  const resolved = {
    ...DEFAULTS,
    ...inputRates(options, maxFrameBytes),
    retentionBytes: Math.max(DEFAULTS.retentionBytes, 8 * maxFrameBytes),
    inboxBytes: Math.max(DEFAULTS.inboxBytes, 4 * maxFrameBytes),
    maxMemoryBytes,
    maxLogBytes: Math.min(DEFAULTS.maxLogBytes, Math.max(1, Math.floor(maxMemoryBytes / LOG_PART))),
    ...given,
    log: options.log ?? createMemoryLog(),
  } as ResolvedOptions;
  for (const [name, value] of Object.entries(resolved)) {
    if (typeof value !== 'number') {
      if (name in DEFAULTS && typeof DEFAULTS[name as keyof typeof DEFAULTS] === 'number') {
        throw bad(`${name} must be a number, got ${String(value)}`);
      }
      continue;
    }
    const least = MAY_BE_ZERO.has(name) ? 0 : 1;
    const isFine = value === Number.POSITIVE_INFINITY ? MAY_BE_INFINITE.test(name) : Number.isInteger(value);
    if (!isFine || value < least) {
      throw bad(`${name} must be a whole number of at least ${least}, got ${value}`);
    }
  }
  try {
    assertMaxFrameBytes(resolved.maxFrameBytes);
  } catch (cause) {
    throw bad((cause as Error).message);
  }
  if (resolved.maxLineBytes > maxMessageBytes(resolved)) {
    throw bad(
      `maxLineBytes ${resolved.maxLineBytes} does not fit into maxFrameBytes ${resolved.maxFrameBytes}`,
    );
  }
  for (const name of ['retentionBytes', 'inboxBytes'] as const) {
    if (resolved[name] < resolved.maxFrameBytes) {
      throw bad(
        `${name} ${resolved[name]} does not hold one frame of maxFrameBytes ${resolved.maxFrameBytes}`,
      );
    }
  }
  if (resolved.maxSignalBytes > maxMessageBytes(resolved)) {
    throw bad(
      `maxSignalBytes ${resolved.maxSignalBytes} does not fit into maxFrameBytes ${resolved.maxFrameBytes}`,
    );
  }
  assertObjects(resolved);
  try {
    new LineCharset(resolved.lineCharset);
  } catch (cause) {
    throw bad(`lineCharset: ${(cause as Error).message}`, cause);
  }
  assertOneOf('slowConsumer', resolved.slowConsumer, ['close', 'skip']);
  assertOneOf('duplicateNames', resolved.duplicateNames, ['refuse', 'suffix', 'takeover']);
  return { ...resolved, logger: calmLogger(resolved.logger), clock: steadyClock(resolved.clock) };
}

/** What follows from the rate of messages: bytes for messages of any size, and an address for many who send. */
function inputRates(options: ChatServerOptions, maxFrameBytes: number) {
  const {
    maxMessagesPerSecond = DEFAULTS.maxMessagesPerSecond,
    maxInputBytesPerSecond = atLeast(
      DEFAULTS.maxInputBytesPerSecond,
      maxMessagesPerSecond * maxFrameBytes * BYTES_PER_FRAME_BYTE,
    ),
    maxMessagesPerSecondPerAddress = atLeast(
      DEFAULTS.maxMessagesPerSecondPerAddress,
      maxMessagesPerSecond * CLIENTS_AT_FULL_RATE,
    ),
    maxInputBytesPerSecondPerAddress = atLeast(
      DEFAULTS.maxInputBytesPerSecondPerAddress,
      maxInputBytesPerSecond * CLIENTS_AT_ALL_BYTES,
    ),
  } = options;
  return { maxInputBytesPerSecond, maxMessagesPerSecondPerAddress, maxInputBytesPerSecondPerAddress };
}

/** The larger one, in whole numbers; what is no number is told of elsewhere. */
function atLeast(least: number, value: number): number {
  return value > least ? Math.ceil(value) : least;
}

/**
 * Changes limits of options that are in use; everybody who reads them there sees the new ones.
 *
 * @throws ServerError `ERR_SERVER_BAD_OPTION`; nothing is changed then
 */
export function adjustOptions(options: ResolvedOptions, limits: AdjustableLimits): void {
  const given = Object.entries(limits).filter(([, value]) => value !== undefined);
  for (const [name] of given) {
    if (Object.hasOwn(NAMES, name) && !Object.hasOwn(ADJUSTABLE, name)) {
      throw bad(`${name} cannot be changed later`);
    }
  }
  assertNames(limits, ADJUSTABLE);
  const resolved = resolveOptions({ ...options, ...Object.fromEntries(given) });
  for (const [name] of given) Object.assign(options, { [name]: resolved[name as keyof AdjustableLimits] });
}

/** Once is enough: options that are adjusted are resolved again. */
function calmLogger(logger: Logger): Logger {
  return logger === silentLogger || logger instanceof CalmLogger ? logger : new CalmLogger(logger);
}

/** Largest body of a message: with the longest name, and a history frame around it, it still makes one frame. */
export function maxMessageBytes(options: { readonly maxFrameBytes: number }): number {
  return options.maxFrameBytes - CALL_HEADER_BYTES - ENTRY_HEADER_BYTES - MAX_NAME_BYTES;
}

/** Options that are objects: what is in them. */
function assertObjects({ hooks, http, clock, log, random, agent, ...others }: ResolvedOptions): void {
  assertHooks(hooks);
  assertNames(http, HTTP_NAMES, { group: 'http' });
  assertMethods('clock', clock, ['now', 'after', 'every']);
  assertMethods('log', log, ['open', 'append', 'close']);
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
