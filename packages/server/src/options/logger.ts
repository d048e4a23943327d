/**
 * Where log lines go. The shape is pino's; bodies, credentials and secrets are never logged.
 */

import { printable } from '@chat/protocol/lines';

/** Takes structured log lines. A pino logger fits. */
export interface Logger {
  /** Events of one connection. */
  debug(fields: object, message: string): void;
  /** Facts for an operator. */
  info(fields: object, message: string): void;
  /** Facts that may need attention. */
  warn(fields: object, message: string): void;
  /** A defect, or something that the system refused. */
  error(fields: object, message: string): void;
}

/** Takes log lines and does nothing. */
export const silentLogger: Logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
};

/** Longest text in one field of a log line, in UTF-16 units: strangers choose names and agents. */
export const MAX_LOGGED_LENGTH = 256;

/**
 * Passes log lines on with fields that are fit to be looked at: one line each, nothing that a terminal obeys, and
 * bounded. Errors and other objects are left to the logger.
 */
export class CalmLogger implements Logger {
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  debug(fields: object, message: string): void {
    this.#logger.debug(calm(fields), message);
  }

  info(fields: object, message: string): void {
    this.#logger.info(calm(fields), message);
  }

  warn(fields: object, message: string): void {
    this.#logger.warn(calm(fields), message);
  }

  error(fields: object, message: string): void {
    this.#logger.error(calm(fields), message);
  }
}

function calm(fields: object): object {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      typeof value === 'string' ? calmText(value) : value,
    ]),
  );
}

function calmText(text: string): string {
  // Half of a surrogate pair at the cut would be no text.
  const cut =
    text.length > MAX_LOGGED_LENGTH
      ? `${text.slice(0, MAX_LOGGED_LENGTH - 1).replace(/[\uD800-\uDBFF]$/, '')}…`
      : text;
  return printable(cut.replace(/[\t\n\v\f\r\u0085\u2028\u2029]+/g, ' '));
}
