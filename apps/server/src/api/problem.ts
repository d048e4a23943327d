/** What is answered when a request cannot be carried out: problem details of RFC 9457, with a code for programs. */
import { STATUS_CODES } from 'node:http';
import { ServerError, ServerErrorCode } from '@chat/server';

/** Codes of the API itself, and the status that each has. What the server refuses has the code of its `ServerError`. */
export const ApiProblem = {
  ERR_API_BAD_REQUEST: 400,
  ERR_API_UNAUTHORIZED: 401,
  ERR_API_NOT_FOUND: 404,
  ERR_API_METHOD_NOT_ALLOWED: 405,
  ERR_API_BODY_TOO_LARGE: 413,
  ERR_API_NOT_JSON: 415,
  ERR_API_KEY_REUSED: 422,
  ERR_API_THROTTLED: 429,
  ERR_API_INTERNAL: 500,
} as const;

/** One of the codes in {@link ApiProblem}. */
export type ApiProblemCode = keyof typeof ApiProblem;

/** Statuses of what the server refuses; a code that is not here is a defect of this program. */
export const SERVER_STATUS: Partial<Record<ServerErrorCode, number>> = {
  [ServerErrorCode.BadOption]: 400,
  [ServerErrorCode.NameInvalid]: 400,
  [ServerErrorCode.RoomInvalid]: 400,
  [ServerErrorCode.NoSuchRoom]: 404,
  [ServerErrorCode.NoSuchUser]: 404,
  [ServerErrorCode.NoSuchMessage]: 404,
  [ServerErrorCode.InboxFull]: 409,
  [ServerErrorCode.TooLarge]: 413,
  [ServerErrorCode.TooManyRooms]: 429,
  [ServerErrorCode.Unavailable]: 503,
  [ServerErrorCode.StoreFull]: 503,
  [ServerErrorCode.StoreFailed]: 503,
  [ServerErrorCode.Closed]: 503,
};

/** A request that the API itself refuses. */
export class ApiError extends Error {
  readonly code: ApiProblemCode;
  /** After how many milliseconds a second try makes sense. */
  readonly retryAfterMs: number | undefined;

  /** What the path takes instead, for `Allow`. */
  readonly allow: string | undefined;

  constructor(
    code: ApiProblemCode,
    message: string,
    { retryAfterMs, allow }: { readonly retryAfterMs?: number; readonly allow?: string } = {},
  ) {
    super(message);
    this.code = code;
    this.retryAfterMs = retryAfterMs;
    this.allow = allow;
  }
}

/** An answer: JSON, or nothing. */
export interface ApiAnswer {
  readonly status: number;
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The answer to an error; `undefined` for one that is a defect of this program. */
export function problemAnswer(error: unknown): ApiAnswer | undefined {
  const status =
    error instanceof ApiError
      ? ApiProblem[error.code]
      : ServerError.is(error)
        ? SERVER_STATUS[error.code]
        : undefined;
  if (status === undefined) return undefined;
  const { code, message, retryAfterMs, allow } = error as ApiError;
  return problem(status, code, message, {
    ...(retryAfterMs === undefined ? {} : { 'Retry-After': String(Math.ceil(retryAfterMs / 1000)) }),
    ...(allow === undefined ? {} : { Allow: allow }),
    ...(status === 401 ? { 'WWW-Authenticate': 'Bearer' } : {}),
  });
}

/** The answer to what went wrong without a fault of the client. */
export function internalProblem(): ApiAnswer {
  return problem(ApiProblem.ERR_API_INTERNAL, 'ERR_API_INTERNAL', 'the server failed');
}

function problem(
  status: number,
  code: string,
  detail: string,
  headers: Readonly<Record<string, string>> = {},
): ApiAnswer {
  return {
    status,
    body: { title: STATUS_CODES[status], status, code, detail },
    headers: { 'Content-Type': 'application/problem+json', ...headers },
  };
}
