/** Opens the log that servers on many machines share. */
import { type OptionNames, optionProblem } from '@chat/protocol/check';
import type { NatsConnection } from '@nats-io/transport-node';
import { ServerError, ServerErrorCode } from '../errors.js';
import { type BlockLog, createBlockLog } from '../log/shared/block-log.js';
import { systemClock } from '../time/clock.js';
import { BEAT_MS, Heartbeats } from './heartbeats.js';
import { assertServerVersion, loadNats, type NatsLibrary } from './library.js';
import type { NatsContext } from './nats-context.js';
import { NatsTransport } from './nats-transport.js';
import { findBeginning } from './snapshot/beginning.js';
import { indexSubject, readIndex } from './snapshot/store.js';
import { SnapshotWriter } from './snapshot/writer.js';
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
  /**
   * Messages of the stream after which a snapshot is written beside it: a server that comes reads no more than these. At
   * least 100.
   *
   * @defaultValue 10000
   */
  readonly snapshotBlocks?: number;
  /**
   * Whether what two snapshots know is taken out of the stream, so that it does not grow for ever.
   *
   * @defaultValue true
   */
  readonly trim?: boolean;
  /** Told what an operator should know, and what does not hinder the chat. */
  readonly onWarning?: (problem: string) => void;
  /** More options of `connect` of `@nats-io/transport-node`, as `user`, `pass`, `token`, `tls`, `authenticator`. */
  readonly connection?: Readonly<Record<string, unknown>>;
}

const NAMES: OptionNames<NatsLogOptions> = {
  servers: true,
  stream: true,
  replicas: true,
  storage: true,
  maxSilenceMs: true,
  snapshotBlocks: true,
  trim: true,
  onWarning: true,
  connection: true,
};
const STREAM = /^[\w-]{1,64}$/;
const MAX_REPLICAS = 5;
const MIN_SILENCE_MS = 2 * BEAT_MS;
const DEFAULT_SILENCE_MS = 10_000;
const DEFAULT_SNAPSHOT_BLOCKS = 10_000;
const MIN_SNAPSHOT_BLOCKS = 100;
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
  const {
    servers,
    stream,
    maxSilenceMs,
    snapshotBlocks,
    trim,
    warn,
    connection: more,
    ...wish
  } = resolve(options);
  const library = await loadNats();
  const connection = await connect(library, servers, more);
  try {
    assertServerVersion(connection.info?.version ?? 'unknown');
    // Asked by the first request instead, which says why it failed.
    const manager = await library.jetstream.jetstreamManager(connection, { checkAPI: false });
    const info = await findStream(manager, library, { name: stream, ...wish });
    const context = { library, connection, manager, stream, clock: systemClock };
    const beginning = await findBeginning(context, info);
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
  readonly snapshotBlocks: number;
  readonly trim: boolean;
  readonly warn: (problem: string) => void;
  readonly connection: Readonly<Record<string, unknown>>;
} {
  const problem = optionProblem(options, NAMES);
  if (problem !== undefined) refuse(problem);
  const { servers, stream = 'chat', replicas = 1, storage = 'file', connection = {} } = options;
  const { maxSilenceMs = DEFAULT_SILENCE_MS, snapshotBlocks = DEFAULT_SNAPSHOT_BLOCKS } = options;
  const { trim = true, onWarning: warn = () => {} } = options;
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
  if (!(snapshotBlocks >= MIN_SNAPSHOT_BLOCKS)) {
    refuse(`snapshotBlocks ${snapshotBlocks} must be ${MIN_SNAPSHOT_BLOCKS} or more`);
  }
  if (typeof trim !== 'boolean') refuse('trim must be true or false');
  return { servers: all, stream, replicas, storage, maxSilenceMs, snapshotBlocks, trim, warn, connection };
}

function refuse(problem: string): never {
  throw new ServerError(ServerErrorCode.BadOption, `openNatsLog: ${problem}`);
}
