/** The stream that carries the blocks, and the one for snapshots beside it: made by the first server that comes. */
import { randomBytes } from 'node:crypto';
import type { JetStreamManager, StreamConfig, StreamInfo } from '@nats-io/jetstream';
import { ServerError, ServerErrorCode } from '../../errors.js';
import type { NatsLibrary } from '../library.js';

/** What is asked of a stream that is not there yet. */
export interface StreamWish {
  readonly name: string;
  readonly replicas: number;
  readonly storage: 'file' | 'memory';
}

/** Of a part of a snapshot, or of their index, one before may still be read. */
const KEPT_PER_SUBJECT = 2;
/** Key of the metadata of the stream under which its life is named. */
const EPOCH = 'chat-epoch';
const EPOCH_BYTES = 8;
/** Longer than the election of a leader takes. */
const PATIENCE_MS = 30_000;
const RETRY_MS = 500;
/** Codes of NATS: the stream is not found, or its name is in use with another configuration. */
const PASSING: ReadonlySet<number> = new Set([10059, 10058]);

/** Where the blocks of a chat are published. */
export function blockSubject(stream: string): string {
  return `${stream}.blocks`;
}

/** Where it is said that another life of the stream begins. */
export function epochSubject(stream: string): string {
  return `${stream}.epochs`;
}

/** Name of the stream of snapshots. */
export function snapshotStream(stream: string): string {
  return `${stream}-snapshots`;
}

/** Where they are. */
function snapshotSubjects(stream: string): string {
  return `${stream}.snapshots.>`;
}

export function subjectsOf(stream: string): string[] {
  return [blockSubject(stream), epochSubject(stream)];
}

/** Names the life that the stream began with. */
export function epochOf({ config }: StreamInfo): string | undefined {
  return config.metadata?.[EPOCH];
}

/**
 * Finds the stream, and the one beside it for snapshots, or makes them.
 *
 * @throws ServerError `ERR_SERVER_NATS_STREAM` when they cannot be made, or cannot carry a chat
 */
export async function findStream(
  manager: JetStreamManager,
  library: NatsLibrary,
  wish: StreamWish,
): Promise<StreamInfo> {
  const { DiscardPolicy, RetentionPolicy, StorageType } = library.jetstream;
  const { name } = wish;
  const config = {
    num_replicas: wish.replicas,
    storage: wish.storage === 'file' ? StorageType.File : StorageType.Memory,
    retention: RetentionPolicy.Limits,
  };
  const info = await patiently(library, name, () =>
    findOrMake(manager, library, {
      ...config,
      name,
      subjects: subjectsOf(name),
      // Where an operator sets a limit, what comes beyond is refused, unless the limit says otherwise.
      discard: DiscardPolicy.New,
      metadata: { [EPOCH]: randomBytes(EPOCH_BYTES).toString('hex') },
    }),
  );
  if (epochOf(info) === undefined) {
    const message = `stream ${name} was not made by a chat: choose another name, or remove it`;
    throw new ServerError(ServerErrorCode.NatsStream, message);
  }
  await patiently(library, snapshotStream(name), () =>
    findOrMake(manager, library, {
      ...config,
      name: snapshotStream(name),
      subjects: [snapshotSubjects(name)],
      max_msgs_per_subject: KEPT_PER_SUBJECT,
    }),
  );
  return info;
}

/** Whether an error of the library says that there is no such stream. */
export function saysNoStream(error: unknown, { jetstream }: NatsLibrary): boolean {
  return (
    error instanceof jetstream.JetStreamApiError && error.code === jetstream.JetStreamApiCodes.StreamNotFound
  );
}

/**
 * With patience: a cluster may still elect somebody, or tell its servers of a stream that was just made.
 *
 * @throws ServerError `ERR_SERVER_NATS_STREAM`, with what went wrong last
 */
export async function patiently<Result>(
  library: NatsLibrary,
  name: string,
  attempt: () => Promise<Result>,
): Promise<Result> {
  const began = performance.now();
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (ServerError.is(error)) throw error;
      const isOver = performance.now() - began > PATIENCE_MS;
      if (isOver || !mayPass(error, library)) throw unusable(name, error);
      await library.transport.delay(RETRY_MS);
    }
  }
}

async function findOrMake(
  manager: JetStreamManager,
  library: NatsLibrary,
  config: Partial<StreamConfig> & { readonly name: string },
): Promise<StreamInfo> {
  try {
    return await manager.streams.info(config.name);
  } catch (error) {
    if (!saysNoStream(error, library)) throw error;
  }
  await manager.streams.add(config);
  return await manager.streams.info(config.name);
}

/** Whether the same may be possible in a moment. */
function mayPass(error: unknown, { jetstream, transport }: NatsLibrary): boolean {
  const { JetStreamApiError } = jetstream;
  // Somebody else has made it in the same moment, with another epoch; or it is not known everywhere yet.
  if (error instanceof JetStreamApiError) return PASSING.has(error.code) || error.status === 503;
  return error instanceof transport.TimeoutError;
}

function unusable(name: string, cause: unknown): ServerError {
  const message = `stream ${name} cannot be used: ${(cause as Error).message}`;
  return new ServerError(ServerErrorCode.NatsStream, message, { cause });
}
