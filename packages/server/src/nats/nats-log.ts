/** Opens the log that servers on many machines share. */
import { type BlockLog, createBlockLog } from '../log/shared/block-log.js';
import { systemClock } from '../time/clock.js';
import { connectToNats } from './connect.js';
import { Heartbeats } from './heartbeats.js';
import { assertServerVersion, loadNats } from './library.js';
import type { NatsContext } from './nats-context.js';
import { type NatsLogOptions, resolveNatsOptions } from './nats-options.js';
import { NatsTransport } from './nats-transport.js';
import { findBeginning } from './snapshot/beginning.js';
import { indexSubject, readIndex } from './snapshot/store.js';
import { SnapshotWriter } from './snapshot/writer.js';
import { findStream, patiently } from './stream/stream.js';

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
  const resolved = resolveNatsOptions(options);
  const { stream, maxSilenceMs, snapshotBlocks, trim, warn } = resolved;
  const library = await loadNats();
  const inboxPrefix = `_INBOX.${stream}`;
  const connection = await connectToNats(library, { ...resolved, inboxPrefix });
  try {
    assertServerVersion(connection.info?.version ?? 'unknown');
    // Asked by the first request instead, which says why it failed.
    const manager = await library.jetstream.jetstreamManager(connection, { checkAPI: false });
    const info = await findStream(manager, library, { ...resolved, name: stream });
    const context = { library, connection, manager, stream, inboxPrefix, clock: systemClock };
    const beginning = await patiently(library, stream, () => findBeginning(context, info));
    const transport = new NatsTransport(context, beginning);
    const log = createBlockLog(transport);
    const heartbeats = beat(context, `${stream}.alive`, log, maxSilenceMs);
    const writer = new SnapshotWriter(context, beginning.snapshot?.blocks.position ?? 0, {
      everyBlocks: snapshotBlocks,
      trim,
      epoch: beginning.epoch,
      isOldest: () => log.origins.find((origin) => heartbeats.hears(origin)) === log.process,
      take: () => transport.snapshot(log.snapshot()),
      last: () => transport.signature,
      warn,
    });
    connection.subscribe(indexSubject(stream), {
      callback: (_error, message) => writer.written(readIndex(message.string())[0]?.position ?? 0),
    });
    transport.onBlock = (origin, seq) => {
      if (origin === log.process) heartbeats.start();
      else heartbeats.heard(origin);
      writer.passed(seq);
    };
    transport.onClose = () => heartbeats.stop();
    return log;
  } catch (error) {
    await connection.close();
    throw error;
  }
}

/** Says that this process is here, once it has read what came before it, and who is not any more. */
function beat({ connection }: NatsContext, subject: string, log: BlockLog, maxSilenceMs: number): Heartbeats {
  const heartbeats = new Heartbeats({
    process: log.process,
    clock: systemClock,
    maxSilenceMs,
    send: () => {
      if (!connection.isClosed()) connection.publish(subject, String(log.process));
    },
    present: () => log.snapshot().state.processes ?? [],
    gone: (other) => log.declareGone(other),
  });
  connection.subscribe(subject, {
    callback: (_error, message) => heartbeats.heard(Number(message.string())),
  });
  return heartbeats;
}
