/** Opens the log that servers on many machines share. */
import { type OptionNames, optionProblem } from '@chat/protocol/check';
import type { NatsConnection } from '@nats-io/transport-node';
import { ServerError, ServerErrorCode } from '../errors.js';
import { type BlockLog, createBlockLog } from '../log/shared/block-log.js';
import { systemClock } from '../time/clock.js';
import { BEAT_MS, Heartbeats } from './heartbeats.js';
import { assertServerVersion, loadNats, type NatsLibrary } from './library.js';
import { NatsTransport } from './nats-transport.js';
import { currentEpoch } from './stream/epochs.js';
import { findStream, type StreamWish } from './stream/stream.js';

/** How a server takes part in a chat over NATS. */
export interface NatsLogOptions {
  /** Addresses of NATS servers, as `nats://localhost:4222`: one is enough to learn of the others of a cluster. */
  readonly servers: string | readonly string[];
  /**
   * Names the chat: its stream, and the first part of its subjects (`NAME.blocks`, `NAME.alive`). Letters, digits, `_`
   * and `-`, 64 at the most.
   *
   * @defaultValue 'chat'
   */
  readonly stream?: string;
  /** NATS servers that hold the stream, 1 to 5; counts where the stream is made. @defaultValue 1 */
  readonly replicas?: number;
  /** Where they hold it; counts where the stream is made. @defaultValue 'file' */
  readonly storage?: 'file' | 'memory';
  /**
   * Milliseconds of silence after which a server is declared gone, and its sessions are left to the others; 2000 or more.
   * The same for all servers of a chat.
   *
   * @defaultValue 10000
   */
  readonly maxSilenceMs?: number;
  /** More options of `connect` of `@nats-io/transport-node`, as `user`, `pass`, `token`, `tls`, `authenticator`. */
  readonly connection?: Readonly<Record<string, unknown>>;
}

const NAMES: OptionNames<NatsLogOptions> = {
  servers: true,
  stream: true,
  replicas: true,
  storage: true,
  maxSilenceMs: true,
  connection: true,
};
const STREAM = /^[\w-]{1,64}$/;
const MAX_REPLICAS = 5;
const MIN_SILENCE_MS = 2 * BEAT_MS;
const DEFAULT_SILENCE_MS = 10_000;
const RECONNECT_MS = 250;
const PING_MS = 2000;
/** A server that was stopped takes connections, and says nothing. */
const CONNECT_MS = 2000;

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
  const { servers, stream, maxSilenceMs, connection: more, ...wish } = resolve(options);
  const library = await loadNats();
  const connection = await connect(library, servers, more);
  try {
    assertServerVersion(connection.info?.version ?? 'unknown');
    // Asked by the first request instead, which says why it failed.
    const manager = await library.jetstream.jetstreamManager(connection, { checkAPI: false });
    const info = await findStream(manager, library, { name: stream, ...wish });
    const context = { library, connection, manager, stream, clock: systemClock };
    const transport = new NatsTransport(context, await currentEpoch(context, info));
    const log = createBlockLog(transport);
    beat(connection, `${stream}.alive`, transport, log, maxSilenceMs);
    return log;
  } catch (error) {
    await connection.close();
    throw error;
  }
}

/** Says that this process is here, once it has read what came before it, and who is not any more. */
function beat(
  connection: NatsConnection,
  subject: string,
  transport: NatsTransport,
  log: BlockLog,
  maxSilenceMs: number,
): void {
  const { process } = log;
  const heartbeats = new Heartbeats({
    process,
    clock: systemClock,
    maxSilenceMs,
    send: () => {
      if (!connection.isClosed()) connection.publish(subject, String(process));
    },
    present: () => log.snapshot().state.processes ?? [],
    gone: (other) => log.declareGone(other),
  });
  connection.subscribe(subject, {
    callback: (_error, message) => heartbeats.heard(Number(message.string())),
  });
  transport.onBlock = (origin) => {
    if (origin === process) heartbeats.start();
    else heartbeats.heard(origin);
  };
  transport.onClose = () => heartbeats.stop();
}

async function connect(
  { transport }: NatsLibrary,
  servers: readonly string[],
  more: Readonly<Record<string, unknown>>,
): Promise<NatsConnection> {
  try {
    return await transport.connect({
      name: 'chat-server',
      maxReconnectAttempts: -1,
      reconnectTimeWait: RECONNECT_MS,
      pingInterval: PING_MS,
      timeout: CONNECT_MS,
      ...more,
      servers: [...servers],
    });
  } catch (cause) {
    const message = `cannot connect to NATS at ${servers.join(', ')}: ${(cause as Error).message}`;
    throw new ServerError(ServerErrorCode.NatsUnreachable, message, { cause });
  }
}

function resolve(options: NatsLogOptions): Omit<StreamWish, 'name'> & {
  readonly servers: readonly string[];
  readonly stream: string;
  readonly maxSilenceMs: number;
  readonly connection: Readonly<Record<string, unknown>>;
} {
  const problem = optionProblem(options, NAMES);
  if (problem !== undefined) refuse(problem);
  const { servers, stream = 'chat', replicas = 1, storage = 'file', connection = {} } = options;
  const { maxSilenceMs = DEFAULT_SILENCE_MS } = options;
  const all = typeof servers === 'string' ? [servers] : servers;
  if (!Array.isArray(all) || all.length === 0 || all.some((url) => typeof url !== 'string' || url === '')) {
    refuse('servers must be the address of a NATS server, or several of them');
  }
  if (!STREAM.test(stream))
    refuse(`stream ${JSON.stringify(stream)} must be 1 to 64 letters, digits, _ or -`);
  if (!Number.isInteger(replicas) || replicas < 1 || replicas > MAX_REPLICAS) {
    refuse(`replicas ${replicas} must be a number from 1 to ${MAX_REPLICAS}`);
  }
  if (!['file', 'memory'].includes(storage)) refuse("storage must be 'file' or 'memory'");
  if (!(maxSilenceMs >= MIN_SILENCE_MS))
    refuse(`maxSilenceMs ${maxSilenceMs} must be ${MIN_SILENCE_MS} or more`);
  return { servers: all, stream, replicas, storage, maxSilenceMs, connection };
}

function refuse(problem: string): never {
  throw new ServerError(ServerErrorCode.BadOption, `openNatsLog: ${problem}`);
}
