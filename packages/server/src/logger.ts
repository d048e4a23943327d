/**
 * Where log lines go. The shape is pino's; bodies, credentials and secrets are never logged.
 */

/** Takes structured log lines. A pino logger fits. */
export interface Logger {
  /** What happened to one connection. */
  debug(fields: object, message: string): void;
  /** What an operator wants to know. */
  info(fields: object, message: string): void;
  /** What may need attention. */
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
