/** What SQLite and the file system say, as a {@link ServerError}: in the thread that stores, and on its way out of it. */
import { ServerError, ServerErrorCode } from '../errors.js';
import { SqliteCode, SqliteError } from './driver.js';

const CODE_OF_SQLITE: Readonly<Record<number, ServerErrorCode>> = {
  // Our statements fit our tables, unless what says how those look is damaged.
  [SqliteCode.Error]: ServerErrorCode.StoreCorrupt,
  [SqliteCode.Busy]: ServerErrorCode.StoreLocked,
  [SqliteCode.Readonly]: ServerErrorCode.StoreReadonly,
  [SqliteCode.CannotOpen]: ServerErrorCode.StoreReadonly,
  [SqliteCode.Corrupt]: ServerErrorCode.StoreCorrupt,
  [SqliteCode.NotADatabase]: ServerErrorCode.StoreCorrupt,
  [SqliteCode.Full]: ServerErrorCode.StoreFull,
};

const CODE_OF_SYSTEM: Readonly<Record<string, ServerErrorCode>> = {
  EACCES: ServerErrorCode.StoreReadonly,
  EPERM: ServerErrorCode.StoreReadonly,
  EROFS: ServerErrorCode.StoreReadonly,
  ENOSPC: ServerErrorCode.StoreFull,
  EDQUOT: ServerErrorCode.StoreFull,
};

const SENTENCE: Readonly<Partial<Record<ServerErrorCode, string>>> = {
  [ServerErrorCode.StoreLocked]: 'another program has the database locked',
  [ServerErrorCode.StoreReadonly]: 'the data folder cannot be written',
  [ServerErrorCode.StoreCorrupt]: 'the database is damaged',
  [ServerErrorCode.StoreFull]: 'there is no space left',
};

/** `error` as the error of a store in `directory`, which the message names first. */
export function storeError(error: unknown, directory: string): ServerError {
  if (ServerError.is(error)) {
    if (error.message.startsWith(directory) || error.code === ServerErrorCode.SqliteMissing) return error;
    return new ServerError(error.code, `${directory}: ${error.message}`, { cause: error.cause });
  }
  const code =
    (error instanceof SqliteError
      ? CODE_OF_SQLITE[error.code]
      : CODE_OF_SYSTEM[(error as NodeJS.ErrnoException)?.code ?? '']) ?? ServerErrorCode.StoreFailed;
  const message = error instanceof Error ? error.message : String(error);
  const sentence = SENTENCE[code];
  return new ServerError(code, `${directory}: ${sentence ? `${sentence} (${message})` : message}`, {
    cause: error,
  });
}

/** An error as it goes from one thread to another, where its class would be lost. */
export interface ErrorMessage {
  readonly code: ServerErrorCode;
  readonly message: string;
  readonly cause: string | undefined;
}

export function toErrorMessage(error: ServerError): ErrorMessage {
  const { code, message, cause } = error;
  return { code, message, cause: cause === undefined ? undefined : String(cause) };
}

export function fromErrorMessage({ code, message, cause }: ErrorMessage): ServerError {
  return new ServerError(code, message, cause === undefined ? undefined : { cause: new Error(cause) });
}
