/**
 * The stream that carries the blocks: made by the first who comes, and refused where something of it is missing, or would
 * be taken out of it one day. Whoever comes reads it from the first block on, and can say nothing of the chat without.
 */
import { randomBytes } from 'node:crypto';
import type { JetStreamManager, StreamInfo } from '@nats-io/jetstream';
import { ServerError, ServerErrorCode } from '../../errors.js';
import type { NatsLibrary } from '../library.js';

/** What is asked of a stream that is not there yet. */
export interface StreamWish {
  readonly name: string;
  readonly replicas: number;
  readonly storage: 'file' | 'memory';
}

/** Key of the metadata of the stream under which its life is named. */
const EPOCH = 'chat-epoch';
const EPOCH_BYTES = 8;
/** Together longer than the election of a leader takes. */
const MAX_TRIES = 60;
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

export function subjectsOf(stream: string): string[] {
  return [blockSubject(stream), epochSubject(stream)];
}

/** Names the life that the stream began with. */
export function epochOf({ config }: StreamInfo): string | undefined {
  return config.metadata?.[EPOCH];
}

/**
 * Finds the stream, or makes it.
 *
 * @throws ServerError `ERR_SERVER_NATS_STREAM` when it cannot be made, or cannot carry a chat
 */
export async function findStream(
  manager: JetStreamManager,
  library: NatsLibrary,
  wish: StreamWish,
): Promise<StreamInfo> {
  const info = await read(manager, library, wish);
  const problem = problemOf(info);
  if (problem !== undefined)
    throw new ServerError(ServerErrorCode.NatsStream, `stream ${wish.name} ${problem}`);
  return info;
}

/** Whether an error of the library says that there is no such stream. */
export function saysNoStream(error: unknown, { jetstream }: NatsLibrary): boolean {
  return (
    error instanceof jetstream.JetStreamApiError && error.code === jetstream.JetStreamApiCodes.StreamNotFound
  );
}

/** Finds it or makes it, with patience: a cluster may still elect somebody, or tell its servers of a stream just made. */
async function read(manager: JetStreamManager, library: NatsLibrary, wish: StreamWish): Promise<StreamInfo> {
  for (let tries = 1; ; tries++) {
    try {
      return await findOrMake(manager, library, wish);
    } catch (error) {
      if (tries === MAX_TRIES || !mayPass(error, library)) throw unusable(wish.name, error);
      await library.transport.delay(RETRY_MS);
    }
  }
}

async function findOrMake(
  manager: JetStreamManager,
  library: NatsLibrary,
  wish: StreamWish,
): Promise<StreamInfo> {
  const { name } = wish;
  try {
    return await manager.streams.info(name);
  } catch (error) {
    if (!saysNoStream(error, library)) throw error;
  }
  const { DiscardPolicy, RetentionPolicy, StorageType } = library.jetstream;
  await manager.streams.add({
    name,
    subjects: subjectsOf(name),
    num_replicas: wish.replicas,
    storage: wish.storage === 'file' ? StorageType.File : StorageType.Memory,
    retention: RetentionPolicy.Limits,
    // Where an operator sets a limit, what comes beyond is refused, and nothing is taken out.
    discard: DiscardPolicy.New,
    metadata: { [EPOCH]: randomBytes(EPOCH_BYTES).toString('hex') },
  });
  return await manager.streams.info(name);
}

/** Whether the same may be possible in a moment. */
function mayPass(error: unknown, { jetstream, transport }: NatsLibrary): boolean {
  const { JetStreamApiError } = jetstream;
  // Somebody else has made it in the same moment, with another epoch; or it is not known everywhere yet.
  if (error instanceof JetStreamApiError) return PASSING.has(error.code) || error.status === 503;
  return error instanceof transport.TimeoutError;
}

function problemOf({ config, state }: StreamInfo): string | undefined {
  if (config.metadata?.[EPOCH] === undefined)
    return 'was not made by a chat: choose another name, or remove it';
  if (config.max_age !== 0 || config.discard !== 'new') {
    return 'takes out what is old (max_age, or discard old): a chat needs all of it';
  }
  const isShortened = state.first_seq > 1 || (state.messages === 0 && state.last_seq > 0);
  if (isShortened || (state.num_deleted ?? 0) > 0) {
    return 'was shortened, and a server that comes has to read it from its first block on: remove it to begin anew';
  }
  return undefined;
}

function unusable(name: string, cause: unknown): ServerError {
  const message = `stream ${name} cannot be used: ${(cause as Error).message}`;
  return new ServerError(ServerErrorCode.NatsStream, message, { cause });
}
