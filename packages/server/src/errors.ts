/**
 * What can go wrong for the program that embeds the server. What a peer does wrong is answered to the peer
 * with a close code or a failure, and is no exception here.
 */

/** Codes of {@link ServerError}. Stable: they are part of the public contract. */
export const ServerErrorCode = {
  /** An option does not exist, or has a value that cannot work; the message names it. */
  BadOption: 'ERR_SERVER_BAD_OPTION',
  /** The address cannot be listened on; `cause` has the error of the operating system. */
  Listen: 'ERR_SERVER_LISTEN',
  /** The server was closed, or is draining. */
  Closed: 'ERR_SERVER_CLOSED',
  /** What the program says is larger than a message may be: see `max` and `actual`. */
  TooLarge: 'ERR_SERVER_TOO_LARGE',
  /** A name breaks the rules for user names. */
  NameInvalid: 'ERR_SERVER_NAME_INVALID',
  /** The name of a room breaks the rules, or looks like that of another room. */
  RoomInvalid: 'ERR_SERVER_ROOM_INVALID',
  /** There is no such room, and nothing is known of one. */
  NoSuchRoom: 'ERR_SERVER_NO_SUCH_ROOM',
  /** There is no such message in the room, or not any more. */
  NoSuchMessage: 'ERR_SERVER_NO_SUCH_MESSAGE',
  /** Nobody has this name. */
  NoSuchUser: 'ERR_SERVER_NO_SUCH_USER',
  /** The user is away, and as many direct messages wait as may: see `max`. */
  InboxFull: 'ERR_SERVER_INBOX_FULL',
  /** There are as many rooms as there may be: see `max`. */
  TooManyRooms: 'ERR_SERVER_TOO_MANY_ROOMS',
  /** The log does not take what was said, as when its disk is full. */
  Unavailable: 'ERR_SERVER_UNAVAILABLE',
  /** The JavaScript runtime lacks what the server needs. */
  UnsupportedRuntime: 'ERR_SERVER_UNSUPPORTED_RUNTIME',
  /** No SQLite library that works on this Node is installed; the message says which to install. */
  SqliteMissing: 'ERR_SERVER_SQLITE_MISSING',
  /** Another process has the data folder open; the message names it where it is known. */
  StoreLocked: 'ERR_SERVER_STORE_LOCKED',
  /** The stored file is damaged, or is not one of this server. Nothing was changed. */
  StoreCorrupt: 'ERR_SERVER_STORE_CORRUPT',
  /** The stored file was written by a newer version of this package. Nothing was changed. */
  StoreNewer: 'ERR_SERVER_STORE_NEWER',
  /** The data folder, or a file in it, cannot be written. */
  StoreReadonly: 'ERR_SERVER_STORE_READONLY',
  /** There is no space left for the store. */
  StoreFull: 'ERR_SERVER_STORE_FULL',
  /** So many ask the store for something at once that one more would wait for too long. */
  StoreBusy: 'ERR_SERVER_STORE_BUSY',
  /** Reading or writing the store failed; `cause` has the error of SQLite or of the operating system. */
  StoreFailed: 'ERR_SERVER_STORE_FAILED',
  /** The client libraries of NATS are not installed; the message says which. */
  NatsMissing: 'ERR_SERVER_NATS_MISSING',
  /** No NATS server can be reached, or none lets us in; `cause` has the error of the client library. */
  NatsUnreachable: 'ERR_SERVER_NATS_UNREACHABLE',
  /** The NATS server is too old; the message names the version that is needed. */
  NatsVersion: 'ERR_SERVER_NATS_VERSION',
  /** The stream cannot carry a chat: there is no JetStream, or the stream was shortened, or is none of a chat. */
  NatsStream: 'ERR_SERVER_NATS_STREAM',
} as const;

/** One of the codes in {@link ServerErrorCode}. */
export type ServerErrorCode = (typeof ServerErrorCode)[keyof typeof ServerErrorCode];

/** Fields of an error besides code and message; the class describes them. */
interface Details {
  readonly cause?: unknown;
  readonly retryAfterMs?: number | undefined;
  readonly max?: number | undefined;
  readonly actual?: number | undefined;
}

const BRAND = Symbol.for('@chat/server.ServerError');

/** Misconfiguration or misuse of a server. Carries a stable `code`. */
export class ServerError extends Error {
  /** What went wrong, from the closed table {@link ServerErrorCode}. */
  readonly code: ServerErrorCode;

  /** After how many milliseconds a second try makes sense. */
  declare readonly retryAfterMs: number | undefined;
  /** The limit that was exceeded. */
  declare readonly max: number | undefined;
  /** The value that exceeded it. */
  declare readonly actual: number | undefined;

  /** @internal */
  constructor(code: ServerErrorCode, message: string, { cause, ...details }: Details = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'ServerError';
    this.code = code;
    Object.assign(this, details);
    Object.defineProperty(this, BRAND, { value: true });
  }

  /** Tells whether `value` is a `ServerError`, also of another installed copy of this package. */
  static is(value: unknown): value is ServerError {
    return typeof value === 'object' && value !== null && BRAND in value;
  }
}
