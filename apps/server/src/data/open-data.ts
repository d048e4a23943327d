/**
 * The data folder of `chat-server`: what was said there outlives the process.
 */
import { openSqliteLog, type SqliteLog } from '@chat/server/sqlite';
import type { Logger } from 'pino';
import type { DataOptions } from '../command-line/args.js';

/** Opens the folder as the log of a server, and tells the operator what was found. */
export async function openData(options: DataOptions, logger: Logger): Promise<SqliteLog> {
  const log = await openSqliteLog(options);
  const { driver, durability, epoch } = log;
  logger.info({ directory: options.directory, driver, durability, epoch }, 'the data folder is open');
  if (log.loss) {
    const message =
      'entries that were promised are gone: positions begin anew, and clients are told of a gap';
    logger.error({ loss: log.loss }, message);
  }
  return log;
}
