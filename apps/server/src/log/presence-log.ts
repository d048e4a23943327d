/**
 * Who comes and goes, as lines of the log: by name, and from which address.
 *
 * A crowd must not flood the console: a period has so many lines, and those beyond are told as numbers at its end.
 */
import type { ChatServer, SessionInfo } from '@chat/server';

/** Fields whose content the sentence has as well: for a log that people read. */
export const TOLD_FIELDS: readonly string[] = ['session', 'others'];
/** Lines that one period may have. */
const MAX_LINES_PER_PERIOD = 20;
const PERIOD_MS = 10_000;

/** Takes what is told; a part of pino. */
interface InfoLogger {
  info(fields: object, message: string): void;
}

/** Calls back later, without keeping the process alive. */
export type Later = (delayMs: number, callback: () => void) => void;

const later: Later = (delayMs, callback) => void setTimeout(callback, delayMs).unref();

/** Tells `logger` who comes to `server` and who leaves it. */
export function logPresence(server: Pick<ChatServer, 'on'>, logger: InfoLogger, after: Later = later): void {
  let lines = 0;
  let came = 0;
  let left = 0;
  const endPeriod = (): void => {
    if (came + left > 0) logger.info({ others: { came, left } }, `and others: ${came} came, ${left} left`);
    lines = 0;
    came = 0;
    left = 0;
  };
  /** Whether one line more may be told now. */
  const tryTell = (): boolean => {
    if (lines === 0) after(PERIOD_MS, endPeriod);
    return ++lines <= MAX_LINES_PER_PERIOD;
  };
  server.on('session-opened', (session) => {
    if (tryTell()) logger.info(fieldsOf(session), `${session.name} came from ${originOf(session)}`);
    else came++;
  });
  server.on('session-ended', (session) => {
    if (tryTell()) logger.info(fieldsOf(session), `${session.name} left`);
    else left++;
  });
}

function fieldsOf({ name, address, dialect, memberId }: SessionInfo): object {
  return { session: { name, address, dialect, member: memberId } };
}

function originOf({ address, dialect }: SessionInfo): string {
  return `${address || 'this machine'} (${dialect})`;
}
