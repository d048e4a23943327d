/**
 * Every limit, in one table: its unit, its default, its bounds, and what it is for.
 *
 * A row is all that a limit needs. The type of the options, their check, `adjust`, `UNLIMITED`, the command line of
 * `chat-server` and the table in the README follow from it. A default that depends on another limit names it: that
 * row stands above.
 */
import { DEFAULT_MAX_FRAME_BYTES, MAX_MAX_FRAME_BYTES, MIN_MAX_FRAME_BYTES } from '@chat/protocol/frames';
import { DEFAULT_MAX_LINE_BYTES, DEFAULT_MAX_LINES_PER_MESSAGE } from '@chat/protocol/lines';
import { MAX_DEVICE } from '../log/state/session-number.js';

const INFINITE: number = Number.POSITIVE_INFINITY;

const TABLE = {
  /** Largest frame taken or sent, header included. @defaultValue 65536 */
  maxFrameBytes: {
    unit: 'bytes',
    default: DEFAULT_MAX_FRAME_BYTES as number,
    least: MIN_MAX_FRAME_BYTES as number,
    most: MAX_MAX_FRAME_BYTES as number,
    text: 'largest frame; the body of a message has 112 bytes less at the most',
  },
  /** Longest line of the line dialect. @defaultValue 16384 */
  maxLineBytes: {
    unit: 'bytes',
    default: DEFAULT_MAX_LINE_BYTES as number,
    frame: 'fits-into-one',
    text: 'longest line of the line dialect; a longer one is refused and skipped',
  },
  /** Lines that one message becomes in the line dialect; one more says how many are left out. @defaultValue 100 */
  maxLinesPerMessage: {
    unit: 'number',
    default: DEFAULT_MAX_LINES_PER_MESSAGE as number,
    text: 'lines that one message becomes in the line dialect; one more says how many are left out',
  },
  /** Names that a connection of the line dialect may try; it is asked for another until then. @defaultValue 10 */
  maxNameTries: {
    unit: 'number',
    default: 10,
    text: 'names that a connection of the line dialect may try; each has `handshakeTimeoutMs`',
  },
  /**
   * In the line dialect, silence that ends a first line without a line end, and then every line of that connection.
   * 0 and `Infinity`: never. @defaultValue 200
   */
  lineIdleMs: {
    unit: 'ms',
    default: 200,
    least: 0,
    mayBeInfinite: true,
    text: 'silence that ends a first line without a line end, and then every line of that connection; 0 or `Infinity`: never',
  },
  /** Sessions at a time, those away included. @defaultValue 10000 */
  maxSessions: {
    unit: 'number',
    default: 10_000,
    mayBeInfinite: true,
    adjustable: true,
    unlimited: true,
    text: 'sessions at a time, those away included',
  },
  /** Connections at a time from one IPv4 address or IPv6 /64, and as many sessions that are away. @defaultValue 256 */
  maxConnectionsPerAddress: {
    unit: 'number',
    default: 256,
    mayBeInfinite: true,
    adjustable: true,
    unlimited: true,
    text: 'connections at a time from one address, and as many sessions that are away',
  },
  /** Connections per second from one such address, for long; at once, as many as it may have. @defaultValue 50 */
  maxConnectionsPerSecondPerAddress: {
    unit: 'number',
    default: 50,
    mayBeInfinite: true,
    adjustable: true,
    unlimited: true,
    text: 'new connections from one address, for long; at once, as many as it may have',
  },
  /** Sessions at a time from one such address, away ones included. @defaultValue 512 */
  maxSessionsPerAddress: {
    unit: 'number',
    default: 512,
    mayBeInfinite: true,
    adjustable: true,
    unlimited: true,
    text: 'sessions of one address, those away included; the oldest that is away makes room',
  },
  /** Sessions at a time of one account, away ones included; 1: one signs the other out. @defaultValue 16 */
  maxSessionsPerUser: {
    unit: 'number',
    default: 16,
    most: MAX_DEVICE as number,
    adjustable: true,
    text: 'sessions of one account, those away included; the oldest makes room. 1: names of accounts are like those of guests',
  },
  /** Rooms at a time that members from one such address have made. @defaultValue 1000 */
  maxRoomsPerAddress: {
    unit: 'number',
    default: 1000,
    mayBeInfinite: true,
    adjustable: true,
    unlimited: true,
    text: 'rooms that members from one address have made; an empty one of theirs makes room',
  },
  /** Rooms at a time. @defaultValue 10000 */
  maxRooms: {
    unit: 'number',
    default: 10_000,
    mayBeInfinite: true,
    text: 'rooms at a time, without the lobby; a new one may take the place of the one that is empty for longest',
  },
  /** Rooms that one session may be in. @defaultValue 100 */
  maxRoomsPerSession: {
    unit: 'number',
    default: 100,
    mayBeInfinite: true,
    text: 'rooms that one session may be in',
  },
  /** Members of one room. @defaultValue 10000 */
  maxMembersPerRoom: {
    unit: 'number',
    default: 10_000,
    mayBeInfinite: true,
    adjustable: true,
    unlimited: true,
    text: 'members of one room',
  },
  /** Messages and requests per second that one session may send for long. @defaultValue 100 */
  maxMessagesPerSecond: {
    unit: 'number',
    default: 100,
    mayBeInfinite: true,
    adjustable: true,
    unlimited: true,
    text: 'messages and requests of one client, for long',
  },
  /** Messages and requests that one session may send at once. @defaultValue 256 */
  maxMessageBurst: {
    unit: 'number',
    default: 256,
    mayBeInfinite: true,
    adjustable: true,
    unlimited: true,
    text: 'messages and requests of one client at once; as many again on credit, during which nothing is read',
  },
  /**
   * Bytes per second that one connection may send for long, with so many bytes on top for what each unit of input costs
   * beside its bytes; at once, what comes in two seconds. Beyond this, nothing is read for a while.
   * @defaultValue 8388608, or 1.25 × `maxMessagesPerSecond` × `maxFrameBytes` where that is more
   */
  maxInputBytesPerSecond: {
    unit: 'bytes',
    default: 8_388_608,
    // A frame costs more than its bytes.
    orMore: { times: 1.25, of: ['maxMessagesPerSecond', 'maxFrameBytes'] },
    mayBeInfinite: true,
    adjustable: true,
    unlimited: true,
    text: 'bytes of one client, for long; at once, what comes in 2 s',
  },
  /**
   * Messages and requests per second from one such address for long, over all its connections; at once, what comes in
   * four seconds. Beyond this, its clients are not read from for a while, but for those that have sent little.
   * @defaultValue 2000, or 20 × `maxMessagesPerSecond` where that is more
   */
  maxMessagesPerSecondPerAddress: {
    unit: 'number',
    default: 2000,
    orMore: { times: 20, of: ['maxMessagesPerSecond'] },
    mayBeInfinite: true,
    adjustable: true,
    unlimited: true,
    text: 'messages and requests of one address, HTTP included, for long; at once, what comes in 4 s',
  },
  /**
   * Bytes per second from one such address, likewise.
   * @defaultValue 33554432, or 4 × `maxInputBytesPerSecond` where that is more
   */
  maxInputBytesPerSecondPerAddress: {
    unit: 'bytes',
    default: 33_554_432,
    orMore: { times: 4, of: ['maxInputBytesPerSecond'] },
    mayBeInfinite: true,
    adjustable: true,
    unlimited: true,
    text: 'bytes of one address, for long; at once, what comes in 4 s',
  },
  /** Refused messages after which a flooding connection is closed. @defaultValue 1000 */
  maxRateViolations: {
    unit: 'number',
    default: 1000,
    least: 0,
    mayBeInfinite: true,
    adjustable: true,
    text: 'units refused beyond the credit, after which the connection is closed: `rate-limited`',
  },
  /** Largest body of a signal; a larger one is dropped. @defaultValue 1024 */
  maxSignalBytes: {
    unit: 'bytes',
    default: 1024,
    frame: 'fits-into-one',
    text: 'body of a signal, such as typing; a larger one is dropped',
  },
  /** Topic of a room, in UTF-8. @defaultValue 400 */
  maxTopicBytes: {
    unit: 'bytes',
    default: 400,
    most: 1000,
    text: 'topic of a room',
  },
  /** One reaction, in UTF-8. @defaultValue 64 */
  maxReactionBytes: {
    unit: 'bytes',
    default: 64,
    most: 1000,
    text: 'one reaction; it is an emoji',
  },
  /** Different reactions to one message. @defaultValue 20 */
  maxReactionKinds: {
    unit: 'number',
    default: 20,
    text: 'different reactions to one message',
  },
  /** Reactions to one message, with the names of those who react. @defaultValue 16384 */
  maxReactionsBytes: {
    unit: 'bytes',
    default: 16_384,
    text: 'all reactions to one message, with the names of those who react; the message with them fits into a frame besides',
  },
  /** How long members may edit what they have said, and take it back. 0: never. @defaultValue 900000 */
  editWindowMs: {
    unit: 'ms',
    default: 900_000,
    least: 0,
    mayBeInfinite: true,
    adjustable: true,
    text: 'how long members may edit what they have said, and take it back; 0: never. Moderators may take back at any time',
  },
  /** Publishes of one session that may wait for their ack. @defaultValue 256 */
  maxInFlight: {
    unit: 'number',
    default: 256,
    unlimited: 65_536,
    text: 'publishes of one session that wait for their ack',
  },
  /** Bytes of answers that may wait in the server for a peer which does not read. @defaultValue 262144 */
  maxQueuedBytes: {
    unit: 'bytes',
    default: 262_144,
    text: 'answers that wait for a peer which does not read, and one frame more',
  },
  /**
   * Resident memory of the process above which newcomers are sent away with `overloaded`; so they are when V8's heap is
   * nearly full. `Infinity` never looks. @defaultValue 0.85 × the memory of the machine, or of the container
   */
  maxMemoryBytes: {
    unit: 'bytes',
    default: INFINITE as number,
    orLess: { times: 0.85, of: ['memory'] },
    mayBeInfinite: true,
    adjustable: true,
    text: 'resident memory; from 9/10 of it on history is given up, above it newcomers are `overloaded`',
  },
  /**
   * Bytes of history of all rooms and inboxes together. When they are used up, the address whose rooms hold most gives
   * up the oldest of its largest room. @defaultValue 536870912, or 0.25 × `maxMemoryBytes` where that is less
   */
  maxLogBytes: {
    unit: 'bytes',
    default: 536_870_912,
    orLess: { times: 0.25, of: ['maxMemoryBytes'] },
    mayBeInfinite: true,
    text: 'history of all rooms and inboxes; the address whose rooms hold most gives up its oldest',
  },
  /** Bytes of history per room. @defaultValue 4194304, or 8 × `maxFrameBytes` where that is more */
  retentionBytes: {
    unit: 'bytes',
    default: 4_194_304,
    orMore: { times: 8, of: ['maxFrameBytes'] },
    frame: 'holds-one',
    text: 'history per room; dropped in eighths of it',
  },
  /** Entries of history per room. @defaultValue 100000 */
  retentionEntries: { unit: 'number', default: 100_000, text: 'entries of history per room' },
  /** Age of history per room. @defaultValue 86400000 */
  retentionMs: {
    unit: 'ms',
    default: 86_400_000,
    mayBeInfinite: true,
    text: 'age of history per room, looked at every 10 s',
  },
  /**
   * Bytes of direct messages kept per member. While the member is away, none makes room for another: a message that is too
   * much is refused with `inbox-full`. @defaultValue 262144, or 4 × `maxFrameBytes` where that is more
   */
  inboxBytes: {
    unit: 'bytes',
    default: 262_144,
    orMore: { times: 4, of: ['maxFrameBytes'] },
    frame: 'holds-one',
    text: 'direct messages kept per member; while the member is away, more are refused: `inbox-full`',
  },
  /** Direct messages kept per member. @defaultValue 1000 */
  inboxEntries: {
    unit: 'number',
    default: 1000,
    text: 'direct messages kept per member, likewise',
  },
  /** Age of direct messages that are kept. @defaultValue 86400000 */
  inboxMs: {
    unit: 'ms',
    default: 86_400_000,
    mayBeInfinite: true,
    text: 'age of direct messages that are kept, looked at every 10 s; a member that comes back is told of a gap',
  },
  /**
   * How often at the most a session says into the log how far its user has read. What is read meanwhile is said together;
   * other sessions of the user know it as late. @defaultValue 2000
   */
  readPositionMs: {
    unit: 'ms',
    default: 2000,
    text: 'time between two entries of the log that say how far the user of a session has read',
  },
  /** Time for a peer to say what it speaks and who it is. @defaultValue 10000 */
  handshakeTimeoutMs: {
    unit: 'ms',
    default: 10_000,
    text: 'time to say what it speaks; as long again to say who it is',
  },
  /** A peer that was not heard of for this long is lost; it is pinged after half of it. @defaultValue 60000 */
  idleTimeoutMs: {
    unit: 'ms',
    default: 60_000,
    text: 'silence after which a connection is closed; a ping after half of it; not in the line dialect',
  },
  /**
   * When the server is full, the session of the line dialect that has been silent for longest makes room for a newcomer,
   * if it has been for this long. `Infinity`: never. @defaultValue 600000
   */
  lineSilenceMs: {
    unit: 'ms',
    default: 600_000,
    mayBeInfinite: true,
    text: 'when the server is full, the session in lines that is silent for longest, and for this long, makes room (`idle-timeout`); `Infinity`: never',
  },
  /** How long a session that is away may resume, and keeps its name and rooms. @defaultValue 30000 */
  resumeWindowMs: {
    unit: 'ms',
    default: 30_000,
    least: 0,
    text: 'time for which a session that is away keeps its name and rooms',
  },
  /**
   * How long a server that is cut off from those it shares its log with keeps its clients. Then it sends them to the
   * others, and lets nobody in until it is in touch again. `Infinity`: never. @defaultValue 10000
   */
  maxStallMs: {
    unit: 'ms',
    default: 10_000,
    least: 0,
    mayBeInfinite: true,
    text: 'time for which a server that is cut off from the others keeps its clients; `Infinity`: for ever',
  },
  /** How long an empty room is kept with its history. @defaultValue 60000 */
  emptyRoomTtlMs: {
    unit: 'ms',
    default: 60_000,
    least: 0,
    text: 'time for which an empty room keeps its history',
  },
  /** Waits this long for more before a turn's messages go out: CPU against latency. @defaultValue 0 */
  coalesceMs: { unit: 'ms', default: 0, least: 0, text: 'waits for more before sending, to save CPU' },
  /** In rooms with more members than this, comings and goings are told with a delay. @defaultValue 256 */
  presenceDelayMembers: {
    unit: 'number',
    default: 256,
    least: 0,
    text: 'in larger rooms comings and goings wait for `presenceDelayMs`',
  },
  /** That delay; they ride along with the next message if one comes first. @defaultValue 1000 */
  presenceDelayMs: {
    unit: 'ms',
    default: 1000,
    least: 0,
    text: 'how long comings and goings wait in large rooms, or until the next message',
  },
} as const;

/** Name of a limit: of an option of `createChatServer` that is a number. */
export type LimitName = keyof LimitOptions;

/** The limits among the options of a server. */
export interface LimitOptions extends Numbers<typeof TABLE> {}

/** Limits that can be changed while a server runs: those that promise nothing to who is connected. */
export interface AdjustableLimits extends Pick<LimitOptions, AdjustableName> {}

type Numbers<Table> = { readonly [Name in keyof Table]?: number };

type AdjustableName = {
  [Name in keyof typeof TABLE]: (typeof TABLE)[Name] extends { readonly adjustable: true } ? Name : never;
}[keyof typeof TABLE];

/** A number times other limits; `memory` is that of the machine, or of the container, in bytes. */
export interface LimitProduct {
  readonly times: number;
  readonly of: readonly (LimitName | 'memory')[];
}

/** A row of the table. */
interface LimitRow {
  /** The unit of its number; a rate counts per second. */
  readonly unit: 'bytes' | 'ms' | 'number';
  /** Where nothing is said; see `orMore` and `orLess`. */
  readonly default: number;
  /** The default is this instead, rounded up, where it is more. */
  readonly orMore?: LimitProduct;
  /** The default is this instead, rounded down, where it is less. */
  readonly orLess?: LimitProduct;
  /** The least value that it takes. @defaultValue 1 */
  readonly least?: number;
  /** The largest value that it takes. @defaultValue no bound */
  readonly most?: number;
  /** Whether `Infinity` lifts it. The others bound a buffer or a timer. @defaultValue false */
  readonly mayBeInfinite?: boolean;
  /** Whether `ChatServer.adjust` takes it. @defaultValue false */
  readonly adjustable?: boolean;
  /** What `UNLIMITED` sets it to; `true` for `Infinity`. @defaultValue it stays as it is */
  readonly unlimited?: number | true;
  /** How it has to fit together with `maxFrameBytes`. @defaultValue in no way */
  readonly frame?: 'fits-into-one' | 'holds-one';
  /** The thing that it bounds: part of a sentence, in Markdown. */
  readonly text: string;
}

/** One limit: its unit, its default, its bounds. */
export interface Limit extends LimitRow {
  /** Its default in words, in Markdown. */
  readonly defaultText: string;
}

/**
 * All limits of a server by name, for programs that offer them to their users, as `chat-server` does on its command
 * line.
 */
export const LIMITS: Readonly<Record<LimitName, Limit>> = withDefaultTexts(TABLE);

function withDefaultTexts(rows: Readonly<Record<LimitName, LimitRow>>): Record<LimitName, Limit> {
  return Object.fromEntries(
    Object.entries(rows).map(([name, row]) => [name, { ...row, defaultText: defaultTextOf(row) }]),
  ) as Record<LimitName, Limit>;
}

function defaultTextOf({ default: plain, orMore, orLess }: LimitRow): string {
  if (orMore) return `${plain}, or ${productText(orMore)} where that is more`;
  if (!orLess) return String(plain);
  if (plain === INFINITE) return productText(orLess);
  return `${plain}, or ${productText(orLess)} where that is less`;
}

function productText({ times, of }: LimitProduct): string {
  const factors = of.map((factor) =>
    factor === 'memory' ? 'the memory of the machine, or of the container' : `\`${factor}\``,
  );
  return [times, ...factors].join(' × ');
}
