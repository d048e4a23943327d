/** How a server takes part in a chat over NATS, checked before anything is opened. */
import { type OptionNames, optionProblem } from '@chat/protocol/check';
import { ServerError, ServerErrorCode } from '../errors.js';
import { BEAT_MS } from './heartbeats.js';
import type { StreamWish } from './stream/stream.js';

/** A secret, or what is asked for it at each connection. */
export type NatsSecret = string | (() => string);

/** Who a server is at NATS: what is in a `.creds` file, the seed of an NKEY, a token, or a user with a password. */
export type NatsLogin =
  | { readonly credentials: NatsSecret }
  | { readonly nkey: NatsSecret }
  | { readonly token: NatsSecret }
  | { readonly user: string; readonly password: NatsSecret };

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
  /** Who this server is at NATS. */
  readonly login?: NatsLogin;
  /** PEM: the authority that NATS shows a certificate of, and the certificate that is shown to it. */
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string };
  /** More options of `connect` of `@nats-io/transport-node`, as `authenticator`. */
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
  login: true,
  tls: true,
  connection: true,
};
const STREAM = /^[\w-]{1,64}$/;
const MAX_REPLICAS = 5;
const MIN_SILENCE_MS = 2 * BEAT_MS;
const DEFAULT_SILENCE_MS = 10_000;
const DEFAULT_SNAPSHOT_BLOCKS = 10_000;
const MIN_SNAPSHOT_BLOCKS = 100;
/** @throws ServerError `ERR_SERVER_BAD_OPTION` */
export function resolveNatsOptions(options: NatsLogOptions): Omit<StreamWish, 'name'> & {
  readonly servers: readonly string[];
  readonly stream: string;
  readonly maxSilenceMs: number;
  readonly snapshotBlocks: number;
  readonly trim: boolean;
  readonly warn: (problem: string) => void;
  readonly login: NatsLogin | undefined;
  readonly tls: NatsLogOptions['tls'];
  readonly connection: Readonly<Record<string, unknown>>;
} {
  const problem = optionProblem(options, NAMES);
  if (problem !== undefined) refuse(problem);
  const { servers, stream = 'chat', replicas = 1, storage = 'file', connection = {}, login, tls } = options;
  const { maxSilenceMs = DEFAULT_SILENCE_MS, snapshotBlocks = DEFAULT_SNAPSHOT_BLOCKS } = options;
  const { trim = true, onWarning: warn = () => {} } = options;
  const all = typeof servers === 'string' ? [servers] : servers;
  if (!Array.isArray(all) || all.length === 0 || all.some((url) => typeof url !== 'string' || url === '')) {
    refuse('servers must be the address of a NATS server, or several of them');
  }
  // Not repeated: it may be a secret.
  if (all.some((url) => url.includes('@'))) {
    refuse('servers must have no user and no password in them: say who the server is with login');
  }
  if (login !== undefined && !isLogin(login)) {
    refuse('login must be one of { credentials }, { nkey }, { token } and { user, password }');
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
  return {
    servers: all,
    stream,
    replicas,
    storage,
    maxSilenceMs,
    snapshotBlocks,
    trim,
    warn,
    connection,
    login,
    tls,
  };
}

function isLogin(login: NatsLogin): boolean {
  const keys = Object.keys(login).toSorted().join();
  return ['credentials', 'nkey', 'token', 'password,user'].includes(keys);
}

function refuse(problem: string): never {
  throw new ServerError(ServerErrorCode.BadOption, `openNatsLog: ${problem}`);
}
