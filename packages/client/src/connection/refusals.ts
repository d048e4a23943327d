/**
 * The refusals of a server as errors of the client: a code of the same meaning, and whether a client that
 * lost its connection for this reason comes back.
 *
 * Closed tables: a code of the protocol, or of the client, that has no row here does not compile.
 */
import type { CloseCode, Failure, FailureCode } from '@chat/protocol';
import type { AllNames, Listed } from '../assert-known.js';
import { ClientError, type ClientErrorCode } from '../errors.js';

/** By number: the names of close codes are a table that pages need not load. */
const CODE_OF_CLOSE: Readonly<Record<CloseCode, ClientErrorCode>> = {
  1000: 'ERR_CLIENT_SERVER_CLOSED',
  1001: 'ERR_CLIENT_GOING_AWAY',
  4000: 'ERR_CLIENT_PROTOCOL',
  4001: 'ERR_CLIENT_VERSION_UNSUPPORTED',
  4002: 'ERR_CLIENT_CONNECT_TIMEOUT',
  4003: 'ERR_CLIENT_PROTOCOL',
  4004: 'ERR_CLIENT_PROTOCOL',
  4005: 'ERR_CLIENT_PROTOCOL',
  4006: 'ERR_CLIENT_PROTOCOL',
  4010: 'ERR_CLIENT_UNAUTHORIZED',
  4011: 'ERR_CLIENT_FORBIDDEN',
  4012: 'ERR_CLIENT_NAME_TAKEN',
  4013: 'ERR_CLIENT_NAME_INVALID',
  4014: 'ERR_CLIENT_KICKED',
  4015: 'ERR_CLIENT_BANNED',
  4016: 'ERR_CLIENT_SESSION_REPLACED',
  4017: 'ERR_CLIENT_CREDENTIALS_EXPIRED',
  4020: 'ERR_CLIENT_SLOW_CONSUMER',
  4021: 'ERR_CLIENT_RATE_LIMITED',
  4022: 'ERR_CLIENT_CONNECTION_LOST',
  4023: 'ERR_CLIENT_OVERLOADED',
  4024: 'ERR_CLIENT_OVERLOADED',
  4030: 'ERR_CLIENT_INTERNAL',
};

/** Failures that have an error of their name: a table of these names alone is half as large for a page. */
const NAMED =
  'rate-limited,too-large,muted,no-such-message,not-member,no-such-user,inbox-full,no-such-room,name-taken,name-invalid,room-invalid,room-full,too-many-rooms,forbidden,rejected,bad-request,unavailable';

type Named = Listed<typeof NAMED>;

/** The others. One that is in neither table, or in both, does not compile. */
const OTHERS: Readonly<
  Record<Exclude<FailureCode, Named | 'internal'>, ClientErrorCode> & {
    [Code in Named]?: never;
  }
> = {
  'out-of-order': 'ERR_CLIENT_PROTOCOL',
  draining: 'ERR_CLIENT_GOING_AWAY',
};

/** The code of an error that is called like a failure. */
type NameOf<Code extends string> = Code extends `${infer Word}-${infer Rest}`
  ? `${Uppercase<Word>}_${NameOf<Rest>}`
  : Uppercase<Code>;

/** The code for a failure; one of a later version counts as internal. */
function codeOf(failure: FailureCode): ClientErrorCode {
  const named = failure as Named;
  if (!NAMED.split(',').includes(named))
    return OTHERS[failure as keyof typeof OTHERS] ?? 'ERR_CLIENT_INTERNAL';
  return `ERR_CLIENT_${named.toUpperCase().replace(/-/g, '_') as NameOf<typeof named>}`;
}

/**
 * Codes that are final: a client that lost its connection with one of them stays away. The list is a type, so
 * that no page loads it.
 */
type FinalCode =
  | 'ERR_CLIENT_URL_UNSUPPORTED'
  | 'ERR_CLIENT_IDENTITY'
  | 'ERR_CLIENT_PLATFORM'
  | 'ERR_CLIENT_SERVER_CLOSED'
  | 'ERR_CLIENT_CLOSED'
  | 'ERR_CLIENT_PROTOCOL'
  | 'ERR_CLIENT_VERSION_UNSUPPORTED'
  | 'ERR_CLIENT_UNAUTHORIZED'
  | 'ERR_CLIENT_FORBIDDEN'
  | 'ERR_CLIENT_NAME_TAKEN'
  | 'ERR_CLIENT_NAME_INVALID'
  | 'ERR_CLIENT_KICKED'
  | 'ERR_CLIENT_BANNED'
  | 'ERR_CLIENT_SESSION_REPLACED'
  // With these no connection ends.
  | 'ERR_CLIENT_TOO_LARGE'
  | 'ERR_CLIENT_NOT_MEMBER'
  | 'ERR_CLIENT_NO_SUCH_USER'
  | 'ERR_CLIENT_INBOX_FULL'
  | 'ERR_CLIENT_NO_SUCH_ROOM'
  | 'ERR_CLIENT_NO_SUCH_MESSAGE'
  | 'ERR_CLIENT_MUTED'
  | 'ERR_CLIENT_ROOM_INVALID'
  | 'ERR_CLIENT_ROOM_FULL'
  | 'ERR_CLIENT_TOO_MANY_ROOMS'
  | 'ERR_CLIENT_REJECTED'
  | 'ERR_CLIENT_BAD_REQUEST'
  | 'ERR_CLIENT_UNCONFIRMED'
  | 'ERR_CLIENT_OUTBOX_FULL'
  | 'ERR_CLIENT_OUTBOX_EXPIRED'
  | 'ERR_CLIENT_REQUEST_TIMEOUT'
  | 'ERR_CLIENT_QUEUE_OVERFLOW'
  | 'ERR_CLIENT_UNREADABLE';

/**
 * All others: the cause may pass, and the client tries again. A code that is neither here nor final does not
 * compile.
 */
const MAY_PASS: AllNames<
  NameOfCode<Exclude<ClientErrorCode, FinalCode>>,
  'CONNECT_FAILED,CONNECT_TIMEOUT,LOAD_FAILED,CONNECTION_LOST,GOING_AWAY,CREDENTIALS_EXPIRED,SLOW_CONSUMER,RATE_LIMITED,OVERLOADED,UNAVAILABLE,INTERNAL'
> = 'CONNECT_FAILED,CONNECT_TIMEOUT,LOAD_FAILED,CONNECTION_LOST,GOING_AWAY,CREDENTIALS_EXPIRED,SLOW_CONSUMER,RATE_LIMITED,OVERLOADED,UNAVAILABLE,INTERNAL';

/** Length of the beginning that all codes have. */
const BEGINNING = 11;
type NameOfCode<Code extends ClientErrorCode> = Code extends `ERR_CLIENT_${infer Rest}` ? Rest : never;

/** The error for a refusal that leaves the connection open. */
export function failureError({ code, message, retryAfterMs, max, actual }: Failure): ClientError {
  return new ClientError(codeOf(code), `${message} (${code})`, {
    retryAfterMs,
    max,
    actual,
  });
}

/** The error for a close frame. A code of a later version says no more than that the server closed. */
export function closeError(closeCode: number, reason: string, retryAfterMs: number): ClientError {
  return new ClientError(
    CODE_OF_CLOSE[closeCode as CloseCode] ?? 'ERR_CLIENT_SERVER_CLOSED',
    `${reason || 'the server closed the connection'} (${closeCode})`,
    { closeCode, retryAfterMs: retryAfterMs || undefined },
  );
}

/** Whether a client that lost its connection for this reason may come back by itself. */
export function mayRetry({ code, closeCode }: ClientError): boolean {
  // A close code of a later version must not end a client for good.
  const mayPass = MAY_PASS.split(',').includes(code.slice(BEGINNING));
  return mayPass || (closeCode !== undefined && !(closeCode in CODE_OF_CLOSE));
}
