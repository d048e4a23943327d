/** Errors in words for people. */
import { ClientError } from '@chat/client';
import { printable } from '@chat/protocol/lines';

/**
 * The words of an error, for people: one line without anything that a terminal obeys, since servers word
 * errors too.
 */
export function errorText(error: unknown): string {
  return printable(wording(error).replace(/[\t\n\v\f\r\u0085\u2028\u2029]+/g, ' '));
}

function wording(error: unknown): string {
  if (ClientError.is(error) && error.code === 'ERR_CLIENT_CONNECT_FAILED') {
    const cause = error.cause as {
      readonly code?: string;
      readonly errors?: readonly { readonly code?: string }[];
    };
    const code = cause?.code ?? cause?.errors?.[0]?.code;
    const hint = code === undefined ? undefined : HINTS.get(code);
    if (hint) return `${error.message} (${hint})`;
  }
  if (ClientError.is(error) && error.code === 'ERR_CLIENT_BAD_REQUEST') {
    return 'the server does not know how to do that; it may be an older one';
  }
  if (ClientError.is(error) && error.code === 'ERR_CLIENT_CONNECT_TIMEOUT') {
    return `${error.message} (is that a chat server?)`;
  }
  return error instanceof Error ? error.message : String(error);
}

const HINTS: ReadonlyMap<string, string> = new Map([
  ['ECONNREFUSED', 'is the server running there?'],
  ['ENOTFOUND', 'no such host'],
  ['EAI_AGAIN', 'the name service does not answer'],
  ['ENOENT', 'no such socket'],
  ['ETIMEDOUT', 'no answer'],
  ['EHOSTUNREACH', 'no way to that host'],
  ['EACCES', 'not allowed'],
]);
