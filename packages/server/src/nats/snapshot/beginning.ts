/**
 * Where a server that comes begins to read: behind the newest snapshot that belongs to the stream, or at the first block.
 *
 * A snapshot knows more than a stream that was shortened: so it shows that it was, and is not used.
 */
import type { StoredMsg, StreamInfo } from '@nats-io/jetstream';
import { ServerError, ServerErrorCode } from '../../errors.js';
import type { NatsContext } from '../nats-context.js';
import { currentEpoch, endEpoch, type StreamEpoch } from '../stream/epochs.js';
import { signatureOf } from '../stream/proof.js';
import type { StreamSnapshot } from './encoding.js';
import { type SnapshotEntry, SnapshotStore } from './store.js';

/** How a server begins. */
export interface Beginning {
  readonly epoch: StreamEpoch;
  /** Absent where it reads from the first block. */
  readonly snapshot?: StreamSnapshot;
  /** Sum of what the snapshot knows; absent where it is of a former life, or there is none. */
  readonly sum?: number | undefined;
}

/**
 * @param latest position behind which a snapshot is not used: what comes behind it is to be read
 * @throws ServerError `ERR_SERVER_NATS_STREAM` when the stream lacks what comes behind the newest snapshot
 */
export async function findBeginning(
  context: NatsContext,
  info: StreamInfo,
  latest: number = Number.POSITIVE_INFINITY,
): Promise<Beginning> {
  const { manager, stream } = context;
  const store = new SnapshotStore(context);
  const all = (await store.index()).entries;
  let epoch = newerOf(await currentEpoch(context, info), all);
  const entries = all.filter(({ epoch: { origin } }) => origin === epoch.origin);
  const usable: SnapshotEntry[] = [];
  for (const entry of entries) {
    const belongs = await belongsTo(context, entry, info);
    if (belongs && entry.position <= latest) usable.push(entry);
    else if (belongs === false && entry.epoch.name === epoch.name) {
      // Nobody who knew is here any more, or they are about to find out.
      await endEpoch(context, epoch);
      epoch = newerOf(await currentEpoch(context, info), all);
    }
  }
  let problem = 'there is no snapshot of it';
  for (const entry of usable) {
    try {
      const snapshot = await store.read(entry);
      return { epoch, snapshot, sum: entry.epoch.name === epoch.name ? snapshot.sum : undefined };
    } catch (error) {
      problem = `its newest snapshot cannot be read: ${(error as Error).message}`;
    }
  }
  const { first_seq, last_seq, messages } = (await manager.streams.info(stream)).state;
  if (first_seq <= 1 && (messages > 0 || last_seq === 0)) return { epoch };
  const newest = entries[0] ? `, and its newest snapshot is of ${entries[0].position}` : '';
  throw new ServerError(
    ServerErrorCode.NatsStream,
    `stream ${stream} begins with block ${first_seq}${newest}; ${problem}: remove it to begin anew`,
  );
}

/** A life whose first message was taken out of the stream is known by the snapshots that are of it. */
function newerOf(epoch: StreamEpoch, entries: readonly SnapshotEntry[]): StreamEpoch {
  const known = entries.map((entry) => entry.epoch).filter(({ origin }) => origin === epoch.origin);
  return known.reduce((newest, one) => (one.since > newest.since ? one : newest), epoch);
}

/** Whether the stream is the one that a snapshot was taken of; `undefined`: what comes behind it is there no more. */
async function belongsTo(
  { manager, stream }: NatsContext,
  { position, last }: SnapshotEntry,
  { state }: StreamInfo,
): Promise<boolean | undefined> {
  if (position > state.last_seq) return false;
  if (position < state.first_seq - 1) return undefined;
  const message: StoredMsg | null = await manager.streams.getMessage(stream, { seq: position });
  return message ? signatureOf(message.data) === last : true;
}
