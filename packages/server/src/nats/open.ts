/** What everybody does first who takes part in a chat over NATS: connects, and finds the stream. */
import { systemClock } from '../time/clock.js';
import { connectToNats } from './connect.js';
import { type HeartbeatOptions, Heartbeats } from './heartbeats.js';
import { assertServerVersion, loadNats } from './library.js';
import type { NatsContext } from './nats-context.js';
import { type NatsLogOptions, resolveNatsOptions } from './nats-options.js';
import { NatsTransport } from './nats-transport.js';
import { type Beginning, findBeginning } from './snapshot/beginning.js';
import { indexSubject, readIndex } from './snapshot/store.js';
import { SnapshotWriter, type SnapshotWriterOptions } from './snapshot/writer.js';
import { findStream, patiently } from './stream/stream.js';

/** The stream of a chat, found and not yet read. */
export interface OpenedNats {
  readonly beginning: Beginning;
  readonly transport: NatsTransport;
  /** Beats for processes of this one, and hears the others. */
  beat(port: Pick<HeartbeatOptions, 'own' | 'present' | 'gone'>): Heartbeats;
  /** Writes snapshots beside the stream. */
  writer(port: Pick<SnapshotWriterOptions, 'isOldest' | 'take'>): SnapshotWriter;
}

/**
 * Connects to NATS, and finds or makes the stream of the chat. The connection is closed with the transport.
 *
 * @param latest position behind which no snapshot is used
 * @throws ServerError as `openNatsLog` does
 */
export async function openNats(options: NatsLogOptions, latest?: number): Promise<OpenedNats> {
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
    const context: NatsContext = { library, connection, manager, stream, inboxPrefix, clock: systemClock };
    const beginning = await patiently(library, stream, () => findBeginning(context, info, latest));
    const transport = new NatsTransport(context, beginning);
    return {
      beginning,
      transport,
      beat: (port) => {
        const subject = `${stream}.alive`;
        const heartbeats = new Heartbeats({
          ...port,
          clock: systemClock,
          maxSilenceMs,
          send: (process) => {
            if (!connection.isClosed()) connection.publish(subject, String(process));
          },
        });
        connection.subscribe(subject, {
          callback: (_error, message) => heartbeats.heard(Number(message.string())),
        });
        return heartbeats;
      },
      writer: (port) => {
        const writer = new SnapshotWriter(context, beginning.snapshot?.blocks.position ?? 0, {
          ...port,
          everyBlocks: snapshotBlocks,
          trim,
          epoch: beginning.epoch,
          mark: () => transport.mark(),
          warn,
        });
        connection.subscribe(indexSubject(stream), {
          callback: (_error, message) => writer.written(readIndex(message.string())[0]?.position ?? 0),
        });
        return writer;
      },
    };
  } catch (error) {
    await connection.close();
    throw error;
  }
}
