/** `chat-server --nats`: the chat is that of all servers which are told the same. */
import type { BlockLog } from '@chat/server';
import { type NatsLogOptions, openNatsLog } from '@chat/server/nats';
import type { Logger } from 'pino';

/**
 * Finds the others, and tells the operator.
 *
 * @param onFailed called once the chat cannot go on here; a process that is started again goes on with the others
 */
export async function openNats(
  options: NatsLogOptions,
  logger: Logger,
  onFailed: () => void,
): Promise<BlockLog> {
  const log = await openNatsLog({ ...options, onWarning: (problem) => logger.warn(problem) });
  const { stream = 'chat' } = options;
  logger.info({ stream, process: log.process }, 'NATS is reached: the chat is shared');
  log.onFailed = (reason) => {
    logger.fatal({ reason }, 'this server cannot go on, and ends: start it again');
    onFailed();
  };
  return log;
}
