/**
 * The errors of the client: one class, and a closed table of codes.
 *
 * `refusals.ts` makes these errors of what the server says. An aborted call rejects with the `reason` of its
 * signal instead, and misuse (a negative limit, a second codec for one room) is a `TypeError` or
 * `RangeError`.
 */
/** Codes of {@link ClientError}. Stable: they are part of the public contract. */
export const ClientErrorCode = {
  /** No transport of this build can open the URL. */
  UrlUnsupported: 'ERR_CLIENT_URL_UNSUPPORTED',
  /** The connection could not be made, or ended before the server's welcome. */
  ConnectFailed: 'ERR_CLIENT_CONNECT_FAILED',
  /** The identity of the client could not be loaded or saved; see `cause`. */
  Identity: 'ERR_CLIENT_IDENTITY',
  /** The platform lacks something that the client cannot do without. */
  Platform: 'ERR_CLIENT_PLATFORM',
  /** A part of the client, fetched when it is first needed, could not be; the next call tries again. See `cause`. */
  LoadFailed: 'ERR_CLIENT_LOAD_FAILED',
  /** Connecting took longer than `connectTimeoutMs`. */
  ConnectTimeout: 'ERR_CLIENT_CONNECT_TIMEOUT',
  /** The connection broke, or nothing was heard for too long. */
  ConnectionLost: 'ERR_CLIENT_CONNECTION_LOST',
  /** The server drains or restarts. */
  GoingAway: 'ERR_CLIENT_GOING_AWAY',
  /** The server ended the session without a complaint. */
  ServerClosed: 'ERR_CLIENT_SERVER_CLOSED',
  /** The client is closed. */
  Closed: 'ERR_CLIENT_CLOSED',
  /** One side does not keep to the protocol; `cause` says how. */
  Protocol: 'ERR_CLIENT_PROTOCOL',
  /** Server and client have no protocol version in common. */
  VersionUnsupported: 'ERR_CLIENT_VERSION_UNSUPPORTED',
  /** The credentials were refused. */
  Unauthorized: 'ERR_CLIENT_UNAUTHORIZED',
  /** The credentials have run out; the client comes back with new ones. */
  CredentialsExpired: 'ERR_CLIENT_CREDENTIALS_EXPIRED',
  /** Not allowed. */
  Forbidden: 'ERR_CLIENT_FORBIDDEN',
  /** Another member has this name, or one that looks like it. */
  NameTaken: 'ERR_CLIENT_NAME_TAKEN',
  /** The name breaks the rules for names. */
  NameInvalid: 'ERR_CLIENT_NAME_INVALID',
  /** Removed by an operator. */
  Kicked: 'ERR_CLIENT_KICKED',
  /** Removed by an operator, and not welcome for a while. */
  Banned: 'ERR_CLIENT_BANNED',
  /** Another connection goes on with this session, or took over its name. */
  SessionReplaced: 'ERR_CLIENT_SESSION_REPLACED',
  /** This client read too slowly. */
  SlowConsumer: 'ERR_CLIENT_SLOW_CONSUMER',
  /** More than the rate limit allows; `retryAfterMs` says when to try again. */
  RateLimited: 'ERR_CLIENT_RATE_LIMITED',
  /** The server has no room for another session. */
  Overloaded: 'ERR_CLIENT_OVERLOADED',
  /** The message, or signal, is larger than the server takes: see `max` and `actual`. */
  TooLarge: 'ERR_CLIENT_TOO_LARGE',
  /** A moderator has taken the word away from this user, for `retryAfterMs`, or for good. */
  Muted: 'ERR_CLIENT_MUTED',
  /** There is no such message, or not any more. */
  NoSuchMessage: 'ERR_CLIENT_NO_SUCH_MESSAGE',
  /** Not, or no longer, a member of the room. */
  NotMember: 'ERR_CLIENT_NOT_MEMBER',
  /** No user has this name. */
  NoSuchUser: 'ERR_CLIENT_NO_SUCH_USER',
  /** The user is away, and as many direct messages wait as may: see `max`. */
  InboxFull: 'ERR_CLIENT_INBOX_FULL',
  /** There is no such room. */
  NoSuchRoom: 'ERR_CLIENT_NO_SUCH_ROOM',
  /** The name of the room breaks the rules for names. */
  RoomInvalid: 'ERR_CLIENT_ROOM_INVALID',
  /** The room takes no more members. */
  RoomFull: 'ERR_CLIENT_ROOM_FULL',
  /** The session is in as many rooms as it may be. */
  TooManyRooms: 'ERR_CLIENT_TOO_MANY_ROOMS',
  /** A hook of the server refused the message. */
  Rejected: 'ERR_CLIENT_REJECTED',
  /** The server could not make sense of a request. */
  BadRequest: 'ERR_CLIENT_BAD_REQUEST',
  /** The server cannot keep what was said now, as when its disk is full; `retryAfterMs` says when to try again. */
  Unavailable: 'ERR_CLIENT_UNAVAILABLE',
  /** A defect of the server. */
  Internal: 'ERR_CLIENT_INTERNAL',
  /** The message was handed to a connection that broke, and the session was not resumed: nobody can say. */
  Unconfirmed: 'ERR_CLIENT_UNCONFIRMED',
  /** Too many messages, or bytes, wait to be sent. */
  OutboxFull: 'ERR_CLIENT_OUTBOX_FULL',
  /** The message waited longer than `outbox.maxAgeMs` and was never sent. */
  OutboxExpired: 'ERR_CLIENT_OUTBOX_EXPIRED',
  /** The server did not answer a request in time. */
  RequestTimeout: 'ERR_CLIENT_REQUEST_TIMEOUT',
  /** An iterator was read too slowly for its bounded queue. */
  QueueOverflow: 'ERR_CLIENT_QUEUE_OVERFLOW',
  /** A message was sent with another codec than the one this room reads, or does not decode. */
  Unreadable: 'ERR_CLIENT_UNREADABLE',
} as const;

/** One of the codes in {@link ClientErrorCode}. */
export type ClientErrorCode = (typeof ClientErrorCode)[keyof typeof ClientErrorCode];

/** Fields of an error besides code and message; the class describes them. */
interface Details {
  readonly cause?: unknown;
  readonly closeCode?: number | undefined;
  readonly retryAfterMs?: number | undefined;
  readonly max?: number | undefined;
  readonly actual?: number | undefined;
}

const BRAND = Symbol.for('@chat/client.ClientError');

/**
 * An error of this package. Carries a stable `code`; the message names what was seen and what was allowed.
 *
 * @example
 * ```ts
 * import assert from 'node:assert';
 * import { ClientError, connect } from '@chat/client';
 *
 * try {
 *   await connect('gopher://localhost', { name: 'ada' });
 *   assert.fail('connected');
 * } catch (error) {
 *   assert(ClientError.is(error) && error.code === 'ERR_CLIENT_URL_UNSUPPORTED');
 * }
 * ```
 */
export class ClientError extends Error {
  /** One of the closed table {@link ClientErrorCode}. */
  readonly code: ClientErrorCode;
  /** The close code, when the server ended the connection with one. */
  declare readonly closeCode: number | undefined;
  /** After how many milliseconds a second try makes sense. */
  declare readonly retryAfterMs: number | undefined;
  /** The limit that was exceeded. */
  declare readonly max: number | undefined;
  /** The value that exceeded it. */
  declare readonly actual: number | undefined;

  /** @internal */
  constructor(code: ClientErrorCode, message: string, { cause, ...details }: Details = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'ClientError';
    this.code = code;
    Object.assign(this, details);
    Object.defineProperty(this, BRAND, { value: true });
  }

  /** Tells whether `value` is a `ClientError`, also of another installed copy of this package. */
  static is(value: unknown): value is ClientError {
    return typeof value === 'object' && value !== null && BRAND in value;
  }
}

/** @throws ClientError `code`, with the numbers, when `what` exceeds the limit `name` */
export function assertWithin(
  code: ClientErrorCode,
  what: string,
  actual: number,
  name: string,
  max: number = Infinity,
): void {
  if (actual > max)
    throw new ClientError(code, `${what} of ${actual} exceeds ${name} ${max}`, { max, actual });
}

/** The platform lacks something that cannot be done without. */
export function missing(what: string): ClientError {
  return new ClientError('ERR_CLIENT_PLATFORM', `this platform has no ${what}`);
}
