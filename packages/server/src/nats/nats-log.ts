/** Opens the log that servers on many machines share. */
import { type BlockLog, createBlockLog } from '../log/shared/block-log.js';
import type { NatsLogOptions } from './nats-options.js';
import { openNats } from './open.js';

/**
 * Connects to NATS, and finds or makes the stream of the chat. The log is to be given to one server, which closes it.
 *
 * @throws ServerError `ERR_SERVER_BAD_OPTION`; `ERR_SERVER_NATS_MISSING` without the client libraries;
 * `ERR_SERVER_NATS_UNREACHABLE` when no server lets us in; `ERR_SERVER_NATS_VERSION` when it is too old;
 * `ERR_SERVER_NATS_STREAM` when the stream cannot carry a chat
 *
 * @example
 * ```ts no-run
 * import { createChatServer } from '@chat/server';
 * import { openNatsLog } from '@chat/server/nats';
 *
 * const server = createChatServer({ log: await openNatsLog({ servers: 'nats://localhost:4222' }) });
 * await server.listen();
 * ```
 */
export async function openNatsLog(options: NatsLogOptions): Promise<BlockLog> {
  const { transport, beat, writer: writerOf } = await openNats(options);
  const log = createBlockLog(transport);
  const own = [log.process];
  const heartbeats = beat({
    own: () => own,
    present: () => log.snapshot().state.processes ?? [],
    gone: (other) => log.declareGone(other),
  });
  const writer = writerOf({
    isOldest: () => log.origins.find((origin) => heartbeats.hears(origin)) === log.process,
    take: () => log.snapshot(),
  });
  transport.onBlock = (origin, seq) => {
    // It beats once it has read what came before it.
    if (origin === log.process) heartbeats.start();
    else heartbeats.heard(origin);
    writer.passed(seq);
  };
  transport.onClose = () => heartbeats.stop();
  return log;
}
